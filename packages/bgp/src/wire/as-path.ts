import { CarillonError, type Reader, type Writer } from '@carillon/core'
import { AS_TRANS, segmentTypes } from './iana.ts'
import type { AsSegment } from './message.ts'

const names = new Map(
  Object.entries(segmentTypes).map(([name, code]) => [code as number, name as AsSegment['type']]),
)
const MAX_SEGMENT = 255
const MAX_TWO_OCTETS = 0xffff

/** Octets that an AS number takes. */
export type AsWidth = 2 | 4

/**
 * Reads the segments of an AS_PATH until nothing is left. Throws `SHORT_READ`, or `BAD_LENGTH` for what RFC 7606 section 7.2
 * and RFC 7607 call malformed: an unknown type, an empty segment, AS 0.
 */
export function readAsPath(r: Reader, width: AsWidth): readonly AsSegment[] {
  return [
    ...r.each(one => {
      const code = one.u8()
      const type = names.get(code)
      if (type === undefined)
        throw new CarillonError('BAD_LENGTH', `segment type ${code} does not exist`, { code })
      const count = one.u8()
      if (count === 0) throw new CarillonError('BAD_LENGTH', 'a segment is empty')
      const as: number[] = []
      for (let i = 0; i < count; i++) as.push(readAs(one, width))
      return { type, as }
    }),
  ]
}

/** Reads an AS number. Throws `BAD_LENGTH` for AS 0 (RFC 7607). */
export function readAs(r: Reader, width: AsWidth): number {
  const as = width === 4 ? r.u32() : r.u16()
  if (as === 0) throw new CarillonError('BAD_LENGTH', 'AS 0 does not exist')
  return as
}

/** Writes an AS number, AS_TRANS where the width does not suffice. */
export function writeAs(w: Writer, as: number, width: AsWidth): void {
  if (width === 4) w.u32(as)
  else w.u16(as > MAX_TWO_OCTETS ? AS_TRANS : as)
}

/** Writes the segments, a sequence of more than 255 as several. Throws `BAD_LENGTH` for such a set. */
export function writeAsPath(w: Writer, path: readonly AsSegment[], width: AsWidth): void {
  for (const { type, as } of path) {
    if (as.length > MAX_SEGMENT && (type === 'set' || type === 'confederationSet'))
      throw new CarillonError('BAD_LENGTH', `an AS set of ${as.length} does not fit a segment`, {
        size: as.length,
      })
    for (let from = 0; from < as.length; from += MAX_SEGMENT) {
      const part = as.slice(from, from + MAX_SEGMENT)
      w.u8(segmentTypes[type]).u8(part.length)
      for (const one of part) writeAs(w, one, width)
    }
  }
}

const isConfederation = (segment: AsSegment): boolean =>
  segment.type === 'confederationSequence' || segment.type === 'confederationSet'

/** What must go into AS4_PATH beside a two-octet AS_PATH (RFC 6793 section 4.2.2); undefined when two octets do for all. */
export function as4PathOf(path: readonly AsSegment[]): readonly AsSegment[] | undefined {
  const plain = path.filter(segment => !isConfederation(segment))
  return plain.some(({ as }) => as.some(one => one > MAX_TWO_OCTETS)) ? plain : undefined
}

/** How many AS numbers a segment counts for (RFC 4271 section 9.1.2.2, RFC 5065 section 5.3). */
function countOf(segment: AsSegment): number {
  if (isConfederation(segment)) return 0
  return segment.type === 'set' ? 1 : segment.as.length
}

const total = (path: readonly AsSegment[]): number => path.reduce((sum, segment) => sum + countOf(segment), 0)

/** The path that a two-octet AS_PATH and an AS4_PATH describe together (RFC 6793 section 4.2.3). */
export function joinAsPaths(path: readonly AsSegment[], as4Path: readonly AsSegment[]): readonly AsSegment[] {
  let leading = total(path) - total(as4Path)
  if (leading < 0) return path
  const joined: AsSegment[] = []
  for (const segment of path) {
    if (leading === 0 && !isConfederation(segment)) break
    const count = countOf(segment)
    if (count <= leading) joined.push(segment)
    else joined.push({ type: segment.type, as: segment.as.slice(0, leading) })
    leading -= Math.min(count, leading)
  }
  return [...joined, ...as4Path]
}
