import fc from 'fast-check'
import { expect, test } from 'vitest'
import type {
  AsSegment,
  Attributes,
  Capability,
  Dialect,
  Message,
  OpenMessage,
  Prefix,
  UpdateMessage,
} from './message.ts'

// What the tests of this folder draw their messages from.

const u8 = fc.nat(255)
const u16 = fc.nat(0xffff)
const u32 = fc.oneof(fc.nat(200), fc.integer({ min: 0, max: 0xffffffff }))
export const bytes = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length })
/** An AS number, often one that two octets cannot hold. */
const as = fc.oneof(fc.integer({ min: 1, max: 0xffff }), fc.integer({ min: 1, max: 0xffffffff }))
const address = (size: 4 | 16) => bytes(size)

/** Sessions of all kinds. */
export const arbitraryDialect: fc.Arbitrary<Dialect> = fc.record({
  fourOctetAs: fc.boolean(),
  extendedMessage: fc.boolean(),
})

export const arbitraryPrefix = (size: 4 | 16): fc.Arbitrary<Prefix> =>
  fc.tuple(bytes(size), fc.nat(8 * size)).map(([address, length]) => ({
    address: address.map((byte, i) => byte & (0xff00 >>> Math.min(8, Math.max(0, length - 8 * i)))),
    length,
  }))
const prefixes = (size: 4 | 16) => fc.array(arbitraryPrefix(size), { maxLength: 8 })

export const arbitraryCapability: fc.Arbitrary<Capability> = fc.oneof(
  fc.record({ name: fc.constant('multiprotocol' as const), afi: u16, safi: u8 }),
  fc.constantFrom<Capability>(
    { name: 'routeRefresh' },
    { name: 'enhancedRouteRefresh' },
    { name: 'extendedMessage' },
  ),
  fc.record({
    name: fc.constant('extendedNextHop' as const),
    entries: fc.array(fc.record({ afi: u16, safi: u16, nextHopAfi: u16 }), { maxLength: 4 }),
  }),
  fc.record({
    name: fc.constant('gracefulRestart' as const),
    restarting: fc.boolean(),
    notification: fc.boolean(),
    restartTime: fc.nat(4095),
    families: fc.array(fc.record({ afi: u16, safi: u8, forwarding: fc.boolean() }), { maxLength: 4 }),
  }),
  fc.record({ name: fc.constant('fourOctetAs' as const), as }),
  fc.record({
    name: fc.constant('hostname' as const),
    hostName: fc.string({ unit: 'grapheme', maxLength: 20 }),
    domainName: fc.string({ unit: 'grapheme-ascii', maxLength: 30 }),
  }),
  fc.record({
    name: fc.constant('unknown' as const),
    code: fc.constantFrom(0, 3, 71, 255),
    value: fc.uint8Array(),
  }),
)

export const arbitraryOpen: fc.Arbitrary<OpenMessage> = fc.record({
  type: fc.constant('open' as const),
  version: fc.constant(4),
  as: fc.integer({ min: 1, max: 0xffff }),
  holdTime: u16.filter(time => time !== 1 && time !== 2),
  routerId: fc.ipV4().filter(id => id !== '0.0.0.0'),
  capabilities: fc.oneof(
    fc.array(arbitraryCapability),
    fc.array(arbitraryCapability, { minLength: 40, maxLength: 60, size: 'max' }),
  ),
})

const segment: fc.Arbitrary<AsSegment> = fc.record({
  type: fc.constantFrom('sequence' as const, 'set' as const),
  as: fc.oneof(
    fc.array(as, { minLength: 1, maxLength: 4 }),
    fc.array(as, { minLength: 255, maxLength: 255 }),
  ),
})
const confederation: fc.Arbitrary<AsSegment> = fc.record({
  type: fc.constantFrom('confederationSequence' as const, 'confederationSet' as const),
  as: fc.array(
    as.filter(one => one <= 0xffff),
    { minLength: 1, maxLength: 4 },
  ),
})
/** Confederation segments first, where RFC 5065 puts them. */
const asPath = fc
  .tuple(fc.array(confederation, { maxLength: 1 }), fc.array(segment, { maxLength: 3 }))
  .map(([first, others]) => [...first, ...others])

const mpReach = fc.oneof(
  fc.record({
    afi: fc.constant(2),
    safi: fc.constant(1),
    nextHops: fc.array(address(16), { minLength: 1, maxLength: 2 }),
    prefixes: prefixes(16),
  }),
  fc.record({
    afi: fc.constant(1),
    safi: fc.constant(1),
    nextHops: fc.oneof(fc.tuple(address(4)), fc.array(address(16), { minLength: 1, maxLength: 2 })),
    prefixes: prefixes(4),
  }),
)
const mpUnreach = fc.oneof(
  fc.record({ afi: fc.constant(2), safi: fc.constant(1), prefixes: prefixes(16) }),
  fc.record({ afi: fc.constant(1), safi: fc.constant(1), prefixes: prefixes(4) }),
)
const units = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: 1, maxLength: 5 })

/** Attributes of which none is mandatory for what they come with. */
const optional = {
  med: u32,
  localPref: u32,
  atomicAggregate: fc.constant(true as const),
  aggregator: fc.record({ as, address: address(4) }),
  communities: units(u32),
  extendedCommunities: units(bytes(8)),
  largeCommunities: units(fc.tuple(u32, u32, u32)),
  mpUnreach,
  unknown: fc.uniqueArray(
    fc.record({
      flags: fc.constantFrom(0x80, 0xc0, 0xe0),
      code: fc.constantFrom(9, 10, 22, 35, 99, 128, 255),
      value: fc.uint8Array({ maxLength: 300 }),
    }),
    { minLength: 1, maxLength: 3, selector: one => one.code },
  ),
}
const mandatory = { origin: fc.constantFrom('igp' as const, 'egp' as const, 'incomplete' as const), asPath }
const partly = <T extends Record<string, fc.Arbitrary<unknown>>>(needed: T) =>
  fc.record(
    { ...optional, ...needed },
    { requiredKeys: Object.keys(needed) as never[] },
  ) as fc.Arbitrary<Attributes>
const update = (
  attributes: fc.Arbitrary<Attributes>,
  announced: fc.Arbitrary<readonly Prefix[]> = fc.constant([]),
): fc.Arbitrary<UpdateMessage> =>
  fc.record({ type: fc.constant('update' as const), withdrawn: prefixes(4), attributes, announced })

/** UPDATEs that say what an UPDATE can say: routes of either family with all they need, or none. */
export const arbitraryUpdate: fc.Arbitrary<UpdateMessage> = fc.oneof(
  update(partly({})),
  update(fc.record({ mpUnreach })),
  update(fc.constant({})),
  update(partly({ ...mandatory, mpReach })),
  update(
    partly({ ...mandatory, nextHop: address(4) }),
    fc.array(arbitraryPrefix(4), { minLength: 1, maxLength: 8 }),
  ),
  update(
    partly({ ...mandatory, nextHop: address(4), mpReach }),
    fc.array(arbitraryPrefix(4), { minLength: 1, maxLength: 8 }),
  ),
)

/** Any message. */
export const arbitraryMessage: fc.Arbitrary<Message> = fc.oneof(
  arbitraryOpen,
  arbitraryUpdate,
  arbitraryUpdate,
  fc.record({
    type: fc.constant('notification' as const),
    code: u8,
    subcode: u8,
    data: fc.uint8Array({ maxLength: 300 }),
  }),
  fc.constant<Message>({ type: 'keepalive' }),
  fc.record({
    type: fc.constant('routeRefresh' as const),
    afi: u16,
    safi: u8,
    subtype: fc.oneof(
      fc.constantFrom('request' as const, 'begin' as const, 'end' as const),
      fc.integer({ min: 3, max: 255 }),
    ),
  }),
)

test('drawn messages include all types, and OPENs that need the extended form', () => {
  const drawn = fc.sample(arbitraryMessage, { numRuns: 300, seed: 1 })
  expect(new Set(drawn.map(message => message.type)).size).toBe(5)
  expect(drawn.some(message => message.type === 'open' && message.capabilities.length > 50)).toBe(true)
})
