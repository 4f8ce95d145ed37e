import { CarillonError, type Reader, type Writer } from '@carillon/core'
import { type AsWidth, readAs, readAsPath, writeAs, writeAsPath } from './as-path.ts'
import type { Reaction, SubcodeName } from './fault.ts'
import { attributeCodes, attributeFlags, originCodes, safis } from './iana.ts'
import type { AsSegment, Attributes, Dialect } from './message.ts'
import { addressSizes, readPrefixes, writePrefixes } from './prefix.ts'

/** The attributes that are understood, and those two that carry four-octet AS numbers past a two-octet session. */
export type KnownAttributes = Omit<Attributes, 'unknown'> & {
  readonly as4Path?: readonly AsSegment[]
  readonly as4Aggregator?: NonNullable<Attributes['aggregator']>
}

/** All about one attribute. */
export interface AttributeRow<Value> {
  readonly code: number
  /** `optional` and `transitive` as they must be. */
  readonly flags: number
  /** What a fault in its value leads to (RFC 7606 section 7). */
  readonly onFault: Reaction
  /** How a NOTIFICATION calls a fault in its value, where the length is right. */
  readonly subcode: SubcodeName<'update'>
  /** Whether its value can have this many octets. */
  fits(length: number, dialect: Dialect): boolean
  /** Throws any `CarillonError` for a fault; undefined when the value is of a kind that is not understood here. */
  read(r: Reader, dialect: Dialect): Value | undefined
  write(w: Writer, value: Value, dialect: Dialect): void
}

const { optional, transitive } = attributeFlags
const WELL_KNOWN = transitive
const OPTIONAL_TRANSITIVE = optional | transitive

const exactly =
  (octets: number) =>
  (length: number): boolean =>
    length === octets
const unitsOf =
  (octets: number) =>
  (length: number): boolean =>
    length > 0 && length % octets === 0
const atLeast =
  (octets: number) =>
  (length: number): boolean =>
    length >= octets

const widthOf = (dialect: Dialect): AsWidth => (dialect.fourOctetAs ? 4 : 2)
const origins = new Map(
  Object.entries(originCodes).map(([name, code]) => [code as number, name as keyof typeof originCodes]),
)

const aggregator = (
  code: number,
  width: (dialect: Dialect) => AsWidth,
): AttributeRow<NonNullable<Attributes['aggregator']>> => ({
  code,
  flags: OPTIONAL_TRANSITIVE,
  onFault: 'discard',
  subcode: 'optionalAttribute',
  fits: (length, dialect) => length === width(dialect) + 4,
  read: (r, dialect) => ({ as: readAs(r, width(dialect)), address: r.take(4) }),
  write: (w, { as, address }, dialect) => {
    writeAs(w, as, width(dialect))
    w.bytes(address)
  },
})

/** Octets of the next hop in MP_REACH_NLRI: one address, for IPv6 (also of IPv4 routes, RFC 8950) with a link-local one. */
const nextHopSizes: Readonly<Record<number, readonly number[]>> = { 4: [4, 16, 32], 16: [16, 32] }

/** One row per attribute, in the order in which they are written: by code, but families first (RFC 7606 section 5.1). */
// biome-ignore format: a table
export const attributeTable: {
  readonly [Name in keyof KnownAttributes]-?: AttributeRow<NonNullable<KnownAttributes[Name]>>
} = {
  /** RFC 4760 section 3: AFI, SAFI, the next hop behind its length, an octet of no meaning, prefixes. */
  mpReach: {
    code: attributeCodes.mpReach, flags: optional, onFault: 'reset', subcode: 'optionalAttribute', fits: atLeast(5),
    read: r => {
      const afi = r.u16()
      const safi = r.u8()
      const size = addressSizes.get(afi)
      if (size === undefined || safi !== safis.unicast) return undefined
      const length = r.u8()
      if (!nextHopSizes[size]?.includes(length))
        throw new CarillonError('BAD_LENGTH', `its next hop has ${length} octets`, { length })
      const nextHops = [r.take(length === 4 ? 4 : 16)]
      if (length === 32) nextHops.push(r.take(16))
      r.skip(1)
      return { afi, safi, nextHops, prefixes: readPrefixes(r, size) }
    },
    write: (w, { afi, safi, nextHops, prefixes }) => {
      w.u16(afi).u8(safi).sized(8, () => { for (const hop of nextHops) w.bytes(hop) }).u8(0)
      writePrefixes(w, prefixes)
    },
  },
  /** RFC 4760 section 4: AFI, SAFI, prefixes. */
  mpUnreach: {
    code: attributeCodes.mpUnreach, flags: optional, onFault: 'reset', subcode: 'optionalAttribute', fits: atLeast(3),
    read: r => {
      const afi = r.u16()
      const safi = r.u8()
      const size = addressSizes.get(afi)
      if (size === undefined || safi !== safis.unicast) return undefined
      return { afi, safi, prefixes: readPrefixes(r, size) }
    },
    write: (w, { afi, safi, prefixes }) => {
      w.u16(afi).u8(safi)
      writePrefixes(w, prefixes)
    },
  },
  origin: {
    code: attributeCodes.origin, flags: WELL_KNOWN, onFault: 'withdraw', subcode: 'invalidOrigin', fits: exactly(1),
    read: r => {
      const code = r.u8()
      const origin = origins.get(code)
      if (origin === undefined) throw new CarillonError('BAD_LENGTH', `origin ${code} does not exist`, { code })
      return origin
    },
    write: (w, origin) => w.u8(originCodes[origin]),
  },
  asPath: {
    code: attributeCodes.asPath, flags: WELL_KNOWN, onFault: 'withdraw', subcode: 'malformedAsPath', fits: atLeast(0),
    read: (r, dialect) => readAsPath(r, widthOf(dialect)),
    write: (w, path, dialect) => writeAsPath(w, path, widthOf(dialect)),
  },
  nextHop: {
    code: attributeCodes.nextHop, flags: WELL_KNOWN, onFault: 'withdraw', subcode: 'invalidNextHop', fits: exactly(4),
    read: r => r.take(4),
    write: (w, address) => w.bytes(address),
  },
  med: {
    code: attributeCodes.med, flags: optional, onFault: 'withdraw', subcode: 'optionalAttribute', fits: exactly(4),
    read: r => r.u32(),
    write: (w, med) => w.u32(med),
  },
  localPref: {
    code: attributeCodes.localPref, flags: WELL_KNOWN, onFault: 'withdraw', subcode: 'length', fits: exactly(4),
    read: r => r.u32(),
    write: (w, preference) => w.u32(preference),
  },
  atomicAggregate: {
    code: attributeCodes.atomicAggregate, flags: WELL_KNOWN, onFault: 'discard', subcode: 'length', fits: exactly(0),
    read: () => true,
    write: () => undefined,
  },
  aggregator: aggregator(attributeCodes.aggregator, widthOf),
  communities: {
    code: attributeCodes.communities, flags: OPTIONAL_TRANSITIVE, onFault: 'withdraw', subcode: 'optionalAttribute', fits: unitsOf(4),
    read: r => [...r.each(one => one.u32())],
    write: (w, communities) => { for (const one of communities) w.u32(one) },
  },
  extendedCommunities: {
    code: attributeCodes.extendedCommunities, flags: OPTIONAL_TRANSITIVE, onFault: 'withdraw', subcode: 'optionalAttribute', fits: unitsOf(8),
    read: r => [...r.each(one => one.take(8))],
    write: (w, communities) => { for (const one of communities) w.bytes(one) },
  },
  as4Path: {
    code: attributeCodes.as4Path, flags: OPTIONAL_TRANSITIVE, onFault: 'discard', subcode: 'optionalAttribute', fits: atLeast(6),
    read: r => readAsPath(r, 4),
    write: (w, path) => writeAsPath(w, path, 4),
  },
  as4Aggregator: aggregator(attributeCodes.as4Aggregator, () => 4),
  largeCommunities: {
    code: attributeCodes.largeCommunities, flags: OPTIONAL_TRANSITIVE, onFault: 'withdraw', subcode: 'optionalAttribute', fits: unitsOf(12),
    read: r => [...r.each(one => [one.u32(), one.u32(), one.u32()] as const)],
    write: (w, communities) => { for (const parts of communities) for (const one of parts) w.u32(one) },
  },
}
