import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Dialect, RouteFamily } from '../wire/index.ts'
import { AdjRibOut } from './adj-rib-out.ts'
import type { PathAttributes } from './path-attributes.ts'
import { describeAttributes, PeerModel } from './peer.test.ts'
import { readPrefix } from './prefix-text.ts'
import { attributesOf, type RibTerms } from './terms.ts'

interface Route {
  readonly prefix: string
  readonly path: PathAttributes
}
type Rib = AdjRibOut<Route>

const dialect: Dialect = { fourOctetAs: true, extendedMessage: false }
const ipv4Hop = Uint8Array.of(192, 0, 2, 1)
const ipv6Hop = Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)
const localHop = Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)
const terms: RibTerms = {
  dialect,
  nextHops: { ipv4: [ipv4Hop], ipv6: [ipv6Hop] },
  asPath: [{ type: 'sequence', as: [65001] }],
  internal: false,
  enhancedRefresh: false,
}

const plain: PathAttributes = {}
const tagged: PathAttributes = { communities: [0xffffff01] }
const route = (prefix: string, path = plain): Route => ({ prefix, path })
const many = (count: number, path = plain, from = 0): readonly Route[] =>
  Array.from({ length: count }, (_, i) =>
    route(`10.${(from + i) >> 16}.${((from + i) >> 8) & 255}.${(from + i) & 255}/32`, path),
  )

const ribOf = (): Rib => new AdjRibOut<Route>(one => one.path)

/** Reads all that is to be said. */
function drain(rib: Rib, peer: PeerModel, maxBytes?: number): number {
  let pieces = 0
  for (let piece = rib.next(maxBytes); piece !== undefined; piece = rib.next(maxBytes)) {
    peer.read(piece)
    pieces++
  }
  expect(rib.idle).toBe(true)
  expect(rib.counts.pending).toBe(0)
  return pieces
}

/** What a peer has to hold. */
function expected(routes: readonly Route[], { nextHops, ...others }: RibTerms): ReadonlyMap<string, string> {
  const table = new Map<string, string>()
  for (const { prefix, path } of routes) {
    const { text, family } = readPrefix(prefix)
    const hops = nextHops[family] ?? []
    if (hops.length > 0)
      table.set(text, describeAttributes(attributesOf(path, { nextHops, ...others }), hops))
  }
  return new Map([...table].sort())
}
const tableOf = (peer: PeerModel) => new Map([...peer.table].sort())

function opened(routes: readonly Route[], agreed = terms): { rib: Rib; peer: PeerModel } {
  const rib = ribOf()
  rib.declare(routes)
  rib.open(agreed)
  const peer = new PeerModel(agreed.dialect)
  drain(rib, peer)
  return { rib, peer }
}

describe('the routes for a peer', () => {
  it('are all sent when a session begins, and then the End-of-RIB of each family', () => {
    const routes = [route('192.0.2.1/32'), route('2001:db8::/32'), route('0.0.0.0/0', tagged), route('::/0')]
    const { rib, peer } = opened(routes)
    expect(tableOf(peer)).toEqual(expected(routes, terms))
    expect(peer.markers.toSorted()).toEqual(['ipv4 endOfRib', 'ipv6 endOfRib'])
    expect(Object.fromEntries(peer.initial)).toEqual({ ipv4: 2, ipv6: 2 })
    expect(rib.counts).toEqual({ desired: 4, announced: 4, pending: 0, failed: 0 })
    expect(rib.sent).toEqual({ updates: 5, announced: 4, withdrawn: 0 })
    expect(rib.next()).toBeUndefined()
  })

  it('are none without a session, and the End-of-RIB marker comes also where there are none', () => {
    const rib = ribOf()
    rib.declare(many(3))
    expect(rib.next()).toBeUndefined()
    expect(rib.counts).toEqual({ desired: 3, announced: 0, pending: 3, failed: 0 })
    const { peer } = opened([])
    expect(peer.markers).toEqual(['ipv4 endOfRib', 'ipv6 endOfRib'])
  })

  it('go into one UPDATE as far as their attributes are the same, also where those are different objects', () => {
    const routes = [...many(300), ...many(300, { communities: [0xffffff01] }, 300), ...many(200, tagged, 600)]
    const { peer } = opened(routes)
    expect(tableOf(peer)).toEqual(expected(routes, terms))
    expect(peer.updates).toHaveLength(2)
  })

  it('fill messages up to what the session can carry, whatever the size of their attributes', () => {
    const routes = (path: PathAttributes) => many(2000, path)
    const long = (path: PathAttributes) =>
      Array.from({ length: 600 }, (_, i) => route(`2001:db8:${i.toString(16)}::1/128`, path))
    for (const [make, longest] of [
      [routes, 5],
      [long, 17],
    ] as const)
      for (let count = 0; count < longest; count++) {
        const communities = Array.from({ length: count }, (_, i) => i)
        const { peer } = opened(make({ communities }))
        expect(tableOf(peer)).toEqual(expected(make({ communities }), terms))
        for (const size of peer.updates.slice(0, -1)) {
          expect(size).toBeGreaterThan(4096 - longest)
          expect(size).toBeLessThanOrEqual(4096)
        }
      }
    const extended = { ...terms, dialect: { ...dialect, extendedMessage: true } }
    const { peer } = opened(many(20_000), extended)
    expect(tableOf(peer)).toEqual(expected(many(20_000), extended))
    expect(peer.updates).toHaveLength(2)
    expect(peer.updates[0]).toBeGreaterThan(65535 - 5)
  })

  it('of IPv6 are withdrawn in full messages', () => {
    const routes = Array.from({ length: 1000 }, (_, i) => route(`2001:db8:${i.toString(16)}::1/128`))
    const { rib, peer } = opened(routes)
    const before = peer.updates.length
    rib.declare([])
    drain(rib, peer)
    expect(peer.table.size).toBe(0)
    const [last, ...full] = peer.updates.slice(before).toReversed()
    expect(full).toHaveLength(4)
    for (const size of full) expect(size).toBeGreaterThan(4096 - 17)
    expect(last).toBeLessThan(4096)
  })

  it('are withdrawn in full messages', () => {
    const { rib, peer } = opened(many(5000))
    const before = peer.updates.length
    rib.withdrawAll()
    expect(rib.counts).toMatchObject({ desired: 0, announced: 5000, pending: 5000 })
    drain(rib, peer)
    expect(peer.table.size).toBe(0)
    expect(peer.updates.length - before).toBe(Math.ceil((5000 * 5) / (4096 - 23)))
    expect(rib.counts).toEqual({ desired: 0, announced: 0, pending: 0, failed: 0 })
  })

  it('come in pieces of the size that is asked for, of whole messages', () => {
    const rib = ribOf()
    rib.declare(Array.from({ length: 2000 }, (_, i) => route(many(1, plain, i)[0]?.prefix ?? '', { med: i })))
    rib.open(terms)
    const peer = new PeerModel(dialect)
    const sizes: number[] = []
    for (let piece = rib.next(10_000); piece !== undefined; piece = rib.next(10_000)) {
      sizes.push(piece.length)
      peer.read(piece)
    }
    expect(Math.max(...sizes)).toBeLessThanOrEqual(10_000)
    expect(sizes.length).toBeLessThan(30)
    expect(peer.updates).toHaveLength(2000)
    // At least one message comes, however little is asked for.
    rib.declare(many(2000, tagged))
    expect(rib.next(1)?.length).toBeGreaterThan(4000)
  })

  it('that did not change are not sent again, whether they are the same objects or equal ones', () => {
    const routes = many(100)
    const { rib } = opened(routes)
    rib.declare(routes)
    expect(rib.next()).toBeUndefined()
    rib.declare(routes.slice())
    expect(rib.next()).toBeUndefined()
    rib.declare(many(100, {}).toReversed())
    expect(rib.next()).toBeUndefined()
    rib.announce(route('10.0.0.1'))
    expect(rib.next()).toBeUndefined()
  })

  it('may be declared in an array that its owner changes', () => {
    const routes = [...many(3)]
    const { rib, peer } = opened(routes)
    for (const change of [
      () => routes.push(route('10.9.0.0/16')),
      () => routes.splice(1, 1, route('10.0.0.1/32', tagged)),
      () => routes.shift(),
      () => routes.reverse(),
      () => routes.splice(0),
    ]) {
      change()
      rib.declare(routes)
      drain(rib, peer)
      expect(tableOf(peer)).toEqual(expected(routes, terms))
    }
  })

  it('that changed several times before they could be sent are sent once, as they are now', () => {
    const rib = ribOf()
    rib.open(terms)
    const peer = new PeerModel(dialect)
    drain(rib, peer)
    rib.announce(route('10.0.0.1/32'))
    rib.announce(route('10.0.0.1/32', tagged))
    rib.withdraw('10.0.0.1/32')
    expect(rib.next()).toBeUndefined()
    rib.announce(route('10.0.0.1/32', tagged))
    rib.announce(route('10.0.0.2/32'))
    rib.announce(route('10.0.0.1/32', { med: 5 }))
    drain(rib, peer)
    expect(peer.named.get('10.0.0.1/32')).toBe(1)
    rib.withdraw('10.0.0.1/32')
    rib.announce(route('10.0.0.1/32', { med: 5 }))
    expect(rib.next()).toBeUndefined()
    rib.withdraw('10.0.0.1/32')
    rib.announce(route('10.0.0.1/32', { med: 6 }))
    drain(rib, peer)
    expect(peer.named.get('10.0.0.1/32')).toBe(2)
    expect(peer.table.get('10.0.0.1/32')).toContain('"med":6')
  })

  it('wait for the socket in bounded memory, however often they change', () => {
    const rib = ribOf()
    rib.declare(many(100))
    rib.open(terms)
    for (let i = 0; i < 10_000; i++) rib.announce(route('10.0.0.1/32', { med: i }))
    expect(rib.counts).toMatchObject({ desired: 100, pending: 100 })
    const peer = new PeerModel(dialect)
    drain(rib, peer)
    expect(peer.updates).toHaveLength(2)
    expect(peer.table.get('10.0.0.1/32')).toContain('"med":9999')
  })

  it('with one prefix twice are as the later one says, also where only one of the two is new', () => {
    const { rib, peer } = opened([route('10.0.0.1/32', tagged), route('10.0.0.2/32'), route('10.0.0.1')])
    expect(rib.counts.desired).toBe(2)
    expect(tableOf(peer)).toEqual(expected([route('10.0.0.1/32'), route('10.0.0.2/32')], terms))
    const routes = many(4)
    for (const at of [0, 2, 4]) {
      const again = at < 4 ? routes[3] : route('10.0.0.3/32', tagged)
      const doubled = routes.toSpliced(
        at,
        0,
        route('10.0.0.3/32', { med: 1 }),
        route('10.0.0.3/32', { med: 2 }),
      )
      rib.declare(routes)
      rib.declare(at < 4 ? doubled : [...doubled, route('10.0.0.3/32', tagged)])
      drain(rib, peer)
      expect(tableOf(peer)).toEqual(expected([...routes.slice(0, 3), again as Route], terms))
      rib.declare(routes)
      drain(rib, peer)
      expect(tableOf(peer)).toEqual(expected(routes, terms))
    }
  })

  it('with one prefix twice stay while one of the two does', () => {
    const [first, last] = many(2) as [Route, Route]
    const [one, other] = [route('10.9.0.0/16', { med: 1 }), route('10.9.0.0/16', { med: 2 })]
    for (const left of [one, other]) {
      const { rib, peer } = opened([first, last])
      rib.declare([first, one, other, last])
      rib.declare([first, left, last])
      drain(rib, peer)
      expect(tableOf(peer)).toEqual(expected([first, left, last], terms))
    }
  })

  it('with a prefix or attributes that cannot be change nothing', () => {
    const rib = new AdjRibOut<Route>(({ path }) => {
      if (path.med === 1) throw new TypeError('no such attributes')
      return path
    })
    const routes = many(3)
    rib.declare(routes)
    rib.open(terms)
    const peer = new PeerModel(dialect)
    drain(rib, peer)
    for (const wrong of [route('10.0.0.0/33'), route('10.9.0.0/24', { med: 1 })]) {
      expect(() => rib.declare([route('10.8.0.0/24'), ...routes.slice(1), wrong])).toThrow()
      expect(() => rib.announce(wrong)).toThrow()
    }
    expect(() => rib.withdraw('web')).toThrow(expect.objectContaining({ code: 'BAD_ROUTE' }))
    expect(rib.next()).toBeUndefined()
    expect(rib.counts).toEqual({ desired: 3, announced: 3, pending: 0, failed: 0 })
    rib.withdraw('10.200.0.0/16')
    rib.declare(routes)
    expect(rib.next()).toBeUndefined()
  })

  it('are each known by how they stand', () => {
    const rib = ribOf()
    rib.declare([route('10.0.0.1/32'), route('2001:db8::1/128')])
    expect(rib.stateOf('10.0.0.1')).toBe('pending')
    rib.open({ ...terms, nextHops: { ipv4: [ipv4Hop] } })
    expect(rib.stateOf('10.0.0.1/32')).toBe('pending')
    expect(rib.stateOf('2001:db8::1')).toBe('failed')
    drain(rib, new PeerModel(dialect))
    expect(rib.stateOf('10.0.0.1/32')).toBe('announced')
    rib.announce(route('10.0.0.1/32', tagged))
    expect(rib.stateOf('10.0.0.1/32')).toBe('pending')
    expect(rib.stateOf('10.0.0.2/32')).toBeUndefined()
    rib.withdraw('10.0.0.1/32')
    expect(rib.stateOf('10.0.0.1/32')).toBeUndefined()
    rib.close()
    expect(rib.stateOf('2001:db8::1/128')).toBe('pending')
  })
})

describe('a session', () => {
  it('of another AS is told no LOCAL_PREF, one of ours 100 where none is set', () => {
    const routes = [route('10.0.0.1/32'), route('10.0.0.2/32', { localPref: 300 })]
    const outside = opened(routes).peer
    for (const attributes of outside.table.values()) expect(attributes).not.toContain('localPref')
    const inside = opened(routes, { ...terms, internal: true, asPath: [] }).peer
    expect(inside.table.get('10.0.0.1/32')).toContain('"localPref":100')
    expect(inside.table.get('10.0.0.2/32')).toContain('"localPref":300')
  })

  it('can have IPv6 next hops for IPv4 routes, and both scopes for IPv6 ones', () => {
    const routes = [route('10.0.0.1/32'), route('10.1.0.0/16'), route('2001:db8::/32')]
    const agreed = { ...terms, nextHops: { ipv4: [localHop], ipv6: [ipv6Hop, localHop] } }
    const { rib, peer } = opened(routes, agreed)
    expect(tableOf(peer)).toEqual(expected(routes, agreed))
    rib.declare([])
    drain(rib, peer)
    expect(peer.table.size).toBe(0)
  })

  it('is told nothing of a family that it does not carry, or that has no next hop', () => {
    const routes = [route('10.0.0.1/32'), route('2001:db8::/32')]
    for (const [nextHops, markers] of [
      [{ ipv6: [ipv6Hop] }, ['ipv6 endOfRib']],
      [{ ipv4: [], ipv6: [ipv6Hop] }, ['ipv4 endOfRib', 'ipv6 endOfRib']],
    ] as const) {
      const { rib, peer } = opened(routes, { ...terms, nextHops })
      expect([...peer.table.keys()]).toEqual(['2001:db8::/32'])
      expect(peer.markers).toEqual(markers)
      expect(rib.counts).toEqual({ desired: 2, announced: 1, pending: 0, failed: 1 })
    }
  })

  it('is told of other next hops, and only then of the routes again', () => {
    const routes = [...many(50), route('2001:db8::/32')]
    const { rib, peer } = opened(routes)
    rib.renew(terms.nextHops)
    expect(rib.next()).toBeUndefined()
    const nextHops = { ipv4: [Uint8Array.of(192, 0, 2, 99)], ipv6: [ipv6Hop] }
    rib.renew(nextHops)
    expect(rib.counts.pending).toBe(50)
    drain(rib, peer)
    expect(tableOf(peer)).toEqual(expected(routes, { ...terms, nextHops }))
    rib.renew({ ipv4: [], ipv6: [ipv6Hop] })
    drain(rib, peer)
    expect([...peer.table.keys()]).toEqual(['2001:db8::/32'])
    expect(rib.counts.failed).toBe(50)
  })

  it('that is lost takes nothing with it: the next one is told everything', () => {
    const rib = ribOf()
    rib.declare(many(3000))
    rib.open(terms)
    rib.next(4096)
    rib.withdraw('10.0.0.7/32')
    rib.close()
    expect(rib.next()).toBeUndefined()
    expect(rib.counts).toEqual({ desired: 2999, announced: 0, pending: 2999, failed: 0 })
    rib.open(terms)
    const peer = new PeerModel(dialect)
    drain(rib, peer)
    expect(peer.table.size).toBe(2999)
    expect(Object.fromEntries(peer.initial)).toEqual({ ipv4: 2999, ipv6: 0 })
  })

  it('does not announce routes whose attributes fill a message, and withdraws what they replace', () => {
    const communities = Array.from({ length: 1100 }, (_, i) => i)
    const { rib, peer } = opened(many(2))
    rib.declare([...many(1), route('10.0.0.1/32', { communities })])
    drain(rib, peer)
    expect([...peer.table.keys()]).toEqual(['10.0.0.0/32'])
    expect(rib.counts).toEqual({ desired: 2, announced: 1, pending: 0, failed: 1 })
    const large = opened([route('10.0.0.1/32', { communities })], {
      ...terms,
      dialect: { ...dialect, extendedMessage: true },
    })
    expect(large.peer.table.size).toBe(1)
  })

  it('announces routes whose attributes leave room for any prefix of their family, and no others', () => {
    const long = '2001:db8::1/128'
    // Header and lengths, MP_REACH_NLRI without its prefix, ORIGIN, AS_PATH, and the header of COMMUNITIES.
    const room = 4096 - 23 - 25 - 4 - 9 - 4
    for (let count = 1000; count < 1020; count++) {
      const communities = Array.from({ length: count }, (_, i) => i)
      const { rib, peer } = opened([route(long, { communities })])
      expect(peer.table.size).toBe(4 * count <= room - 17 ? 1 : 0)
      expect(rib.counts.failed).toBe(1 - peer.table.size)
    }
  })

  it('with two-octet AS numbers is told the others in AS4_PATH', () => {
    const agreed = {
      ...terms,
      dialect: { ...dialect, fourOctetAs: false },
      asPath: [{ type: 'sequence' as const, as: [4200000000] }],
    }
    const routes = many(10)
    expect(tableOf(opened(routes, agreed).peer)).toEqual(expected(routes, agreed))
  })
})

describe('a refresh', () => {
  it('sends the routes of the family again', () => {
    const routes = [...many(2000), route('2001:db8::/32')]
    const { rib, peer } = opened(routes)
    peer.forget('ipv4')
    rib.refresh('ipv4')
    rib.declare([...routes.slice(1), route('10.200.0.0/16')])
    drain(rib, peer)
    expect(tableOf(peer)).toEqual(expected([...routes.slice(1), route('10.200.0.0/16')], terms))
    expect(peer.named.get('2001:db8::/32')).toBe(1)
    expect(peer.markers.toSorted()).toEqual(['ipv4 endOfRib', 'ipv6 endOfRib'])
  })

  it('is marked at its beginning and its end where both sides can (RFC 7313)', () => {
    const routes = [...many(2000), route('2001:db8::/32')]
    const { rib, peer } = opened(routes, { ...terms, enhancedRefresh: true })
    peer.markers.length = 0
    rib.refresh('ipv4')
    expect(rib.idle).toBe(false)
    drain(rib, peer)
    rib.refresh('ipv6')
    drain(rib, peer)
    expect(peer.markers).toEqual(['ipv4 begin', 'ipv4 end', 'ipv6 begin', 'ipv6 end'])
    expect(tableOf(peer)).toEqual(expected(routes, terms))
  })

  it('that is asked for again before it ends begins anew', () => {
    const { rib, peer } = opened(many(3000), { ...terms, enhancedRefresh: true })
    peer.markers.length = 0
    rib.refresh('ipv4')
    peer.read(rib.next(4096))
    peer.read(rib.next(4096))
    rib.refresh('ipv4')
    drain(rib, peer)
    expect(peer.markers).toEqual(['ipv4 begin', 'ipv4 begin', 'ipv4 end'])
    expect(peer.table.size).toBe(3000)
  })

  it('while the first routes are under way follows the End-of-RIB', () => {
    const rib = ribOf()
    rib.declare(many(3000))
    rib.open({ ...terms, enhancedRefresh: true })
    const peer = new PeerModel(dialect)
    peer.read(rib.next(4096))
    rib.refresh('ipv4')
    peer.forget('ipv4')
    drain(rib, peer)
    expect(peer.markers.filter(one => one.startsWith('ipv4'))).toEqual([
      'ipv4 endOfRib',
      'ipv4 begin',
      'ipv4 end',
    ])
    expect(peer.table.size).toBe(3000)
  })

  it('of a family that is not carried, or without a session, is passed over', () => {
    const { rib } = opened(many(10), { ...terms, nextHops: { ipv4: [ipv4Hop] } })
    rib.refresh('ipv6')
    expect(rib.next()).toBeUndefined()
    rib.close()
    rib.refresh('ipv4')
    expect(rib.next()).toBeUndefined()
  })

  it('of a route that changes and changes back meanwhile still sends it', () => {
    const { rib, peer } = opened(many(1))
    peer.forget('ipv4')
    rib.refresh('ipv4')
    rib.announce(route('10.0.0.0/32', tagged))
    rib.announce(route('10.0.0.0/32'))
    drain(rib, peer)
    expect(tableOf(peer)).toEqual(expected(many(1), terms))
  })
})

describe('whatever happens in whatever order', () => {
  const prefixes = [
    ...many(12).map(one => one.prefix),
    '10.0.0.0/8',
    '10.0.0.5',
    '0.0.0.0/0',
    '2001:db8::/32',
    '2001:DB8::/32',
    '2001:db8::1/128',
    'fd00:1::/47',
  ]
  const paths: readonly PathAttributes[] = [
    plain,
    {},
    tagged,
    { localPref: 7 },
    { med: 1, largeCommunities: [[1, 2, 3]] },
  ]
  const anyRoute = fc.record({ prefix: fc.constantFrom(...prefixes), path: fc.constantFrom(...paths) })
  /** Without two of one prefix, so that what follows is compared with it step by step. */
  const apart = fc.uniqueArray(anyRoute, { minLength: 4, selector: one => readPrefix(one.prefix).text })
  const hops = fc.constantFrom<RibTerms['nextHops']>(
    { ipv4: [ipv4Hop], ipv6: [ipv6Hop] },
    { ipv4: [localHop], ipv6: [ipv6Hop, localHop] },
    { ipv4: [], ipv6: [ipv6Hop] },
  )
  const anyTerms: fc.Arbitrary<RibTerms> = fc.record({
    dialect: fc.record({ fourOctetAs: fc.boolean(), extendedMessage: fc.boolean() }),
    nextHops: fc.oneof(hops, fc.constant({ ipv4: [ipv4Hop] }), fc.constant({ ipv6: [ipv6Hop] })),
    asPath: fc.constantFrom([], [{ type: 'sequence' as const, as: [65001] }]),
    internal: fc.boolean(),
    enhancedRefresh: fc.boolean(),
  })
  type Step =
    | { readonly do: 'declare'; readonly routes: readonly Route[] }
    | {
        readonly do: 'edit'
        readonly from: number
        readonly count: number
        readonly routes: readonly Route[]
      }
    | { readonly do: 'announce'; readonly route: Route }
    | { readonly do: 'withdraw'; readonly prefix: string }
    | { readonly do: 'withdrawAll' | 'close' }
    | { readonly do: 'pull'; readonly count: number; readonly maxBytes: number }
    | { readonly do: 'refresh'; readonly family: RouteFamily }
    | { readonly do: 'open'; readonly terms: RibTerms }
    | { readonly do: 'renew'; readonly nextHops: RibTerms['nextHops'] }
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ do: fc.constant('declare' as const), routes: fc.array(anyRoute) }),
    fc.record({ do: fc.constant('declare' as const), routes: apart }),
    fc.record({
      do: fc.constant('edit' as const),
      from: fc.nat(12),
      count: fc.nat(3),
      routes: fc.array(anyRoute, { maxLength: 3 }),
    }),
    fc.record({ do: fc.constant('announce' as const), route: anyRoute }),
    fc.record({ do: fc.constant('withdraw' as const), prefix: fc.constantFrom(...prefixes) }),
    fc.record({ do: fc.constantFrom('withdrawAll' as const, 'close' as const) }),
    fc.record({
      do: fc.constant('pull' as const),
      count: fc.integer({ min: 1, max: 4 }),
      maxBytes: fc.constantFrom(1, 9000),
    }),
    fc.record({ do: fc.constant('refresh' as const), family: fc.constantFrom<RouteFamily>('ipv4', 'ipv6') }),
    fc.record({ do: fc.constant('open' as const), terms: anyTerms }),
    fc.record({ do: fc.constant('renew' as const), nextHops: hops }),
  )

  it('the peer ends up with exactly the routes that are desired', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), anyTerms, (steps, first) => {
        const rib = ribOf()
        let peer = new PeerModel(first.dialect)
        let agreed: RibTerms | undefined
        /** As a user would keep it: prefix -> route. */
        const desired = new Map<string, Route>()
        let declared: readonly Route[] = []
        const declare = (routes: readonly Route[]): void => {
          declared = routes
          desired.clear()
          for (const one of routes) desired.set(readPrefix(one.prefix).text, one)
          rib.declare(routes)
        }
        const open = (next: RibTerms): void => {
          agreed = next
          peer = new PeerModel(next.dialect)
          rib.open(next)
        }
        open(first)
        for (const one of steps)
          switch (one.do) {
            case 'declare':
              declare(one.routes)
              break
            case 'edit':
              declare(declared.toSpliced(one.from, one.count, ...one.routes))
              break
            case 'announce':
              desired.set(readPrefix(one.route.prefix).text, one.route)
              rib.announce(one.route)
              break
            case 'withdraw':
              desired.delete(readPrefix(one.prefix).text)
              rib.withdraw(one.prefix)
              break
            case 'withdrawAll':
              declared = []
              desired.clear()
              rib.withdrawAll()
              break
            case 'pull':
              for (let i = 0; i < one.count; i++) peer.read(rib.next(one.maxBytes))
              break
            case 'refresh':
              peer.forget(one.family)
              rib.refresh(one.family)
              break
            case 'open':
              open(one.terms)
              break
            case 'close':
              agreed = undefined
              rib.close()
              break
            case 'renew': {
              if (agreed === undefined) break
              const carried = Object.entries(one.nextHops).filter(
                ([family]) => agreed?.nextHops[family as RouteFamily],
              )
              agreed = { ...agreed, nextHops: Object.fromEntries(carried) }
              rib.renew(agreed.nextHops)
              break
            }
          }
        if (agreed === undefined) open(first)
        drain(rib, peer)
        const holds = expected([...desired.values()], agreed ?? first)
        expect(tableOf(peer)).toEqual(holds)
        expect(rib.counts).toEqual({
          desired: desired.size,
          announced: holds.size,
          pending: 0,
          failed: desired.size - holds.size,
        })
        const ends = peer.markers.filter(one => one.endsWith('endOfRib'))
        expect(ends.toSorted()).toEqual(
          Object.keys((agreed ?? first).nextHops).map(family => `${family} endOfRib`),
        )
      }),
      { numRuns: 500 },
    )
  })

  it('attributes that are used no more are forgotten, and those in use still recognised', () => {
    const { rib, peer } = opened(many(10))
    for (let round = 0; round < 5; round++) {
      const routes = Array.from({ length: 500 }, (_, i) =>
        route(`10.0.${i >> 8}.${i & 255}/32`, { med: 500 * round + i }),
      )
      rib.declare(routes)
      drain(rib, peer)
      expect(tableOf(peer)).toEqual(expected(routes, terms))
      rib.declare(routes.map(one => ({ ...one, path: { ...one.path } })))
      expect(rib.next()).toBeUndefined()
    }
  })
})
