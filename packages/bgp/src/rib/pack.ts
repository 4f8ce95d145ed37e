import type { Batch, Entry } from './batch.ts'
import type { Mould } from './mould.ts'
import type { PrefixWords } from './prefix-text.ts'

const octetsOf = (prefix: PrefixWords): number => (prefix.length + 7) >>> 3

/** Octets of the longest prefix of a family, its length included. */
export const LONGEST = { ipv4: 5, ipv6: 17 } as const

/** Octets of an UPDATE without prefixes. */
export const bareSize = ({ before, after }: Mould): number => before.length + after.length

function putWord(out: Uint8Array, at: number, word: number, octets: number): void {
  out[at] = word >>> 24
  if (octets > 1) out[at + 1] = word >>> 16
  if (octets > 2) out[at + 2] = word >>> 8
  if (octets > 3) out[at + 3] = word
}

function putPrefix(out: Uint8Array, at: number, prefix: PrefixWords, octets: number): void {
  out[at] = prefix.length
  if (octets > 0) putWord(out, at + 1, prefix.a, octets)
  if (octets > 4) putWord(out, at + 5, prefix.b, octets - 4)
  if (octets > 8) putWord(out, at + 9, prefix.c, octets - 8)
  if (octets > 12) putWord(out, at + 13, prefix.d, octets - 12)
}

function putLength(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 8
  out[at + 1] = value
}

/**
 * Writes one UPDATE of at most `limit` octets with as many prefixes of the batch as fit, and tells `taken` of each, which has to
 * remove it from the batch. Gives where it ends.
 */
export function pack(
  { mould, first }: Batch,
  out: Uint8Array,
  at: number,
  limit: number,
  taken: (entry: Entry) => void,
): number {
  const { before, after, lengths } = mould
  out.set(before, at)
  const begin = at + before.length
  const end = at + limit - after.length
  let to = begin
  for (let entry = first; entry !== undefined; ) {
    const { prefix, next }: Entry = entry
    const octets = octetsOf(prefix)
    if (to + 1 + octets > end) break
    putPrefix(out, to, prefix, octets)
    to += 1 + octets
    taken(entry)
    entry = next
  }
  const size = to - begin
  out.set(after, to)
  to += after.length
  putLength(out, at + 16, to - at)
  for (const { at: where, plus } of lengths) putLength(out, at + where, size + plus)
  return to
}
