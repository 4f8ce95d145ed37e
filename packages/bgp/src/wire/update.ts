import { CarillonError, Reader, Writer } from '@carillon/core'
import { as4PathOf, joinAsPaths } from './as-path.ts'
import { type AttributeRow, attributeTable, type KnownAttributes } from './attributes.ts'
import { notification, type Reaction, type SubcodeName, WireFault } from './fault.ts'
import { AS_TRANS, afis, attributeCodes, attributeFlags, safis } from './iana.ts'
import type { Attributes, Dialect, RouteFamily, UpdateMessage } from './message.ts'
import { readPrefixes, writePrefixes } from './prefix.ts'

type Name = keyof KnownAttributes
type Unknown = NonNullable<Attributes['unknown']>[number]

/** An UPDATE as it was read. */
export interface DecodedUpdate {
  readonly message: UpdateMessage
  /**
   * What was wrong with it and does not end the session. With a `withdraw` among them, every prefix in the message counts as
   * withdrawn (RFC 7606 section 2), also those that it announces. Attributes with a fault are not in the message.
   */
  readonly faults: readonly WireFault[]
}

const rows = Object.entries(attributeTable) as [Name, AttributeRow<unknown>][]
const byCode = new Map(rows.map(([name, row]) => [row.code, [name, row] as const]))

function fault(
  what: string,
  subcode: SubcodeName<'update'>,
  reaction: Reaction,
  data?: Uint8Array,
  cause?: unknown,
): WireFault {
  return new WireFault(
    'BAD_UPDATE',
    `an UPDATE of the peer: ${what}`,
    notification('update', subcode, data),
    reaction,
    {
      cause,
    },
  )
}

/**
 * Reads what follows the header (RFC 4271 section 4.3). Throws `BAD_UPDATE` with the reaction `reset` where the session must
 * fall; milder faults are told beside the message (RFC 7606).
 *
 * ```text
 * +-------+-----------------------+-------+-----------------------+----------------------+
 * | length| withdrawn prefixes    | length| path attributes       | announced prefixes   |
 * +-------+-----------------------+-------+-----------------------+----------------------+
 * ```
 */
export function readUpdate(r: Reader, dialect: Dialect): DecodedUpdate {
  const part = (): Uint8Array => {
    const length = r.left < 2 ? Infinity : r.u16()
    if (length > r.left) throw fault('its lengths exceed the message', 'malformedAttributeList', 'reset')
    return r.take(length)
  }
  const withdrawnBytes = part()
  const attributeBytes = part()
  const prefixesOf = (of: Reader): UpdateMessage['announced'] => {
    try {
      return readPrefixes(of, 4)
    } catch (cause) {
      throw fault((cause as Error).message, 'invalidNetwork', 'reset', undefined, cause)
    }
  }
  const withdrawn = prefixesOf(new Reader(withdrawnBytes))
  const found = readAttributes(attributeBytes, dialect)
  const announced = prefixesOf(r)
  const faults = [...found.faults, ...missing(found, announced.length > 0)]
  // Without a prefix in sight one cannot be sure to have found them all (RFC 7606 section 5.2).
  const severe = faults.find(one => one.reaction === 'withdraw')
  if (
    severe !== undefined &&
    found.announces &&
    announced.length === 0 &&
    !found.codes.has(attributeCodes.mpReach)
  )
    throw new WireFault('BAD_UPDATE', severe.message, severe.notification, 'reset', { cause: severe })
  return { message: { type: 'update', withdrawn, attributes: meaning(found, dialect), announced }, faults }
}

interface Found {
  /** Codes of all attributes that came, also of those with a fault. */
  readonly codes: ReadonlySet<number>
  /** Whether there is anything but withdrawals: an attribute other than MP_UNREACH_NLRI, whole or cut off. */
  readonly announces: boolean
  readonly known: KnownAttributes
  readonly unknown: readonly Unknown[]
  readonly faults: readonly WireFault[]
}

function readAttributes(bytes: Uint8Array, dialect: Dialect): Found {
  const r = new Reader(bytes)
  const codes = new Set<number>()
  let announces = false
  const known: Partial<Record<Name, unknown>> = {}
  const unknown: Unknown[] = []
  const faults: WireFault[] = []
  const note = (one: WireFault): void => {
    if (one.reaction === 'reset') throw one
    faults.push(one)
  }
  while (r.left > 0) {
    const attribute = readAttribute(r, bytes)
    announces ||= attribute?.code !== attributeCodes.mpUnreach
    if (attribute === undefined) {
      // RFC 7606 section 4: the prefixes behind the attributes can still be found.
      note(fault('its last attribute is cut off', 'malformedAttributeList', 'withdraw'))
      break
    }
    const { flags, code, value, whole } = attribute
    const [name, row] = byCode.get(code) ?? []
    if (codes.has(code)) {
      // RFC 7606 section 3 g
      const repeated = code === attributeCodes.mpReach || code === attributeCodes.mpUnreach
      note(fault(`attribute ${code} comes twice`, 'malformedAttributeList', repeated ? 'reset' : 'discard'))
      continue
    }
    codes.add(code)
    if (name === undefined || row === undefined) {
      if ((flags & attributeFlags.optional) === 0)
        throw fault(
          `the well-known attribute ${code} is not known here`,
          'unrecognizedWellKnown',
          'reset',
          whole,
        )
      unknown.push({ flags: flags & ~attributeFlags.extendedLength, code, value })
      continue
    }
    const checked = attributeFlags.optional | attributeFlags.transitive
    if ((flags & checked) !== row.flags) {
      // RFC 7606 section 3 c. What prefixes are named must be known to count them as withdrawn.
      note(fault(`its attribute ${name} has the flags ${flags & checked}`, 'flags', 'withdraw', whole))
      if (row.onFault !== 'reset') continue
    }
    try {
      if (!row.fits(value.length, dialect))
        throw fault(`its attribute ${name} has ${value.length} octets`, 'length', row.onFault, whole)
      const read = row.read(new Reader(value), dialect)
      if (read === undefined) unknown.push({ flags: flags & ~attributeFlags.extendedLength, code, value })
      else known[name] = read
    } catch (cause) {
      if (cause instanceof WireFault) note(cause)
      else
        note(
          fault(`its attribute ${name}: ${(cause as Error).message}`, row.subcode, row.onFault, whole, cause),
        )
    }
  }
  return { codes, announces, known: known as KnownAttributes, unknown, faults }
}

interface RawAttribute extends Unknown {
  /** Flags, code, length and value. */
  readonly whole: Uint8Array
}

function readAttribute(r: Reader, bytes: Uint8Array): RawAttribute | undefined {
  const from = r.offset
  if (r.left < 3) return undefined
  const flags = r.u8()
  const code = r.u8()
  const extended = (flags & attributeFlags.extendedLength) !== 0
  if (extended && r.left < 2) return undefined
  const length = extended ? r.u16() : r.u8()
  if (length > r.left) return undefined
  const value = r.take(length)
  return { flags, code, value, whole: bytes.subarray(from, r.offset) }
}

/** RFC 4271 section 5, with the reaction of RFC 7606 section 3 d. */
function missing({ codes, known }: Found, announces: boolean): readonly WireFault[] {
  const wanted: Name[] = []
  if (announces || known.mpReach !== undefined) wanted.push('origin', 'asPath')
  if (announces) wanted.push('nextHop')
  return wanted
    .filter(name => !codes.has(attributeTable[name].code))
    .map(name =>
      fault(
        `it lacks the attribute ${name}`,
        'missingWellKnown',
        'withdraw',
        Uint8Array.of(attributeTable[name].code),
      ),
    )
}

/** Puts together what two-octet sessions say in two attributes (RFC 6793 section 4.2.3). */
function meaning({ known, unknown }: Found, dialect: Dialect): Attributes {
  const { as4Path, as4Aggregator, ...attributes } = known
  const merged: { -readonly [Key in keyof Attributes]: Attributes[Key] } = attributes
  if (!dialect.fourOctetAs) {
    const { aggregator, asPath } = attributes
    const outdated = aggregator !== undefined && aggregator.as !== AS_TRANS && as4Aggregator !== undefined
    if (!outdated && aggregator !== undefined && as4Aggregator !== undefined)
      merged.aggregator = as4Aggregator
    if (!outdated && asPath !== undefined && as4Path !== undefined)
      merged.asPath = joinAsPaths(asPath, as4Path)
  }
  if (unknown.length > 0) merged.unknown = unknown
  return merged
}

/** Writes what follows the header. Throws `BAD_LENGTH` for a part of more than 65535 octets. */
export function writeUpdate(
  w: Writer,
  { withdrawn, attributes, announced }: UpdateMessage,
  dialect: Dialect,
): void {
  w.sized(16, () => writePrefixes(w, withdrawn))
  w.sized(16, () => writeAttributes(w, attributes, dialect))
  writePrefixes(w, announced)
}

/** Writes path attributes, each with its header. Throws `BAD_LENGTH` for one of a size that it cannot have. */
export function writeAttributes(w: Writer, attributes: Attributes, dialect: Dialect): void {
  const known: KnownAttributes = dialect.fourOctetAs ? attributes : withAs4(attributes)
  for (const [name, row] of rows) {
    const value = known[name]
    if (value === undefined) continue
    const inside = new Writer()
    row.write(inside, value, dialect)
    if (!row.fits(inside.length, dialect))
      throw new CarillonError('BAD_LENGTH', `the attribute ${name} cannot have ${inside.length} octets`, {
        name,
      })
    writeAttribute(w, { flags: row.flags, code: row.code, value: inside.finish() })
  }
  for (const attribute of attributes.unknown ?? []) writeAttribute(w, attribute)
}

function withAs4(attributes: Attributes): KnownAttributes {
  const as4Path = as4PathOf(attributes.asPath ?? [])
  const { aggregator } = attributes
  return {
    ...attributes,
    ...(as4Path !== undefined && { as4Path }),
    ...(aggregator !== undefined && aggregator.as > 0xffff && { as4Aggregator: aggregator }),
  }
}

function writeAttribute(w: Writer, { flags, code, value }: Unknown): void {
  const long = value.length > 255
  w.u8((flags & ~attributeFlags.extendedLength) | (long ? attributeFlags.extendedLength : 0)).u8(code)
  w.sized(long ? 16 : 8, () => w.bytes(value))
}

const familyNumbers: Readonly<Record<RouteFamily, number>> = { ipv4: afis.ipv4, ipv6: afis.ipv6 }

/** Says that all routes of a family have been sent (RFC 4724 section 2). */
export function endOfRib(family: RouteFamily): UpdateMessage {
  const mpUnreach = { afi: familyNumbers[family], safi: safis.unicast, prefixes: [] }
  return { type: 'update', withdrawn: [], attributes: family === 'ipv4' ? {} : { mpUnreach }, announced: [] }
}

/** The family of which the UPDATE is the End-of-RIB marker; undefined when it is none, or one of another family. */
export function endOfRibFamily({ withdrawn, attributes, announced }: UpdateMessage): RouteFamily | undefined {
  if (withdrawn.length > 0 || announced.length > 0) return undefined
  const { mpUnreach, ...others } = attributes
  if (Object.values(others).some(one => one !== undefined)) return undefined
  if (mpUnreach === undefined) return 'ipv4'
  if (mpUnreach.prefixes.length > 0 || mpUnreach.safi !== safis.unicast) return undefined
  return mpUnreach.afi === afis.ipv6 ? 'ipv6' : mpUnreach.afi === afis.ipv4 ? 'ipv4' : undefined
}
