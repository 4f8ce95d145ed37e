import { parseConfig, parseResource, type Snapshot } from '@carillon/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { snapshotOf, type Written, write } from '../support/configuration.ts'
import { type Change, judge, problemLine, type Verdict } from './judge.ts'
import type { ConfigKind } from './kinds.ts'
import { substituted } from './substitution.ts'

const namespace = 'metallb-system'

const nameOf = (object: Written): string => (object.metadata as { name: string }).name

const change = (operation: Change['operation'], object: Written, at = namespace): Change => ({
  operation,
  kind: object.kind as ConfigKind,
  name: nameOf(object),
  namespace: at,
  ...(operation === 'DELETE' ? {} : { object }),
})

const create = (object: Written, ...there: readonly Written[]): Verdict =>
  judge(change('CREATE', object), snapshotOf(...there), namespace)
const update = (object: Written, ...there: readonly Written[]): Verdict =>
  judge(change('UPDATE', object), snapshotOf(...there), namespace)
const remove = (object: Written, ...there: readonly Written[]): Verdict =>
  judge(change('DELETE', object), snapshotOf(...there), namespace)

const lines = ({ problems }: Verdict): readonly string[] => problems.map(problemLine)

const pool = write.pool('first', ['192.0.2.0/24'])
const dual = write.pool('second', ['198.51.100.0/24', '2001:db8::/64'])

describe('what makes the configuration wrong is refused, with all that would be wrong', () => {
  const refusals: readonly (readonly [string, Written, readonly Written[], readonly string[]])[] = [
    [
      'a pool without a mask, and one that is upside down',
      write.pool('bad', ['192.0.2.1', '192.0.2.9-192.0.2.3']),
      [],
      ['IPAddressPool "bad" spec.addresses[0]: ', 'IPAddressPool "bad" spec.addresses[1]: '],
    ],
    ['a pool without addresses', write.pool('bad', []), [], ['IPAddressPool "bad" spec.addresses: ']],
    [
      'a pool that overlaps with another, which may be the one that is named',
      write.pool('a', ['192.0.2.128/25']),
      [pool],
      [
        'IPAddressPool "first" spec.addresses[0]: 192.0.2.0/24 overlaps with 192.0.2.128/25 (spec.addresses[0]) of IPAddressPool "a"',
      ],
    ],
    [
      'a pool whose selector has a value twice',
      write.pool('bad', ['192.0.2.0/24'], {
        serviceAllocation: {
          serviceSelectors: [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['x', 'x'] }] }],
        },
      }),
      [],
      ['IPAddressPool "bad" spec.serviceAllocation.serviceSelectors[0]'],
    ],
    [
      'a layer 2 advertisement that names a pool twice',
      write.l2('bad', { ipAddressPools: ['first', 'first'] }),
      [pool],
      ['L2Advertisement "bad" spec.ipAddressPools[1]: '],
    ],
    [
      'a BGP advertisement with a wider aggregate than the pool',
      write.bgp('wide', { aggregationLength: 16 }),
      [pool],
      ['BGPAdvertisement "wide" spec.aggregationLength: /16 is wider than 192.0.2.0/24'],
    ],
    [
      'a pool that is narrower than what an advertisement aggregates',
      write.pool('narrow', ['203.0.113.0/28']),
      [write.bgp('all', { aggregationLength: 24 }), pool],
      ['BGPAdvertisement "all" spec.aggregationLength: /24 is wider than 203.0.113.0/28'],
    ],
    [
      'BGP advertisements that contradict each other in their preference',
      write.bgp('two', { localPref: 200 }),
      [pool, write.bgp('one', { localPref: 100 })],
      ['BGPAdvertisement "two" spec.localPref: 200 contradicts 100 of BGPAdvertisement "one"'],
    ],
    [
      'a community that is none',
      write.bgp('bad', { communities: ['65000:99999'] }),
      [pool],
      ['BGPAdvertisement "bad" spec.communities[0]: '],
    ],
    [
      'a service selector together with an aggregate',
      write.bgp('bad', { aggregationLength: 24, serviceSelectors: [{ matchLabels: { a: 'b' } }] }),
      [pool],
      ['BGPAdvertisement "bad" spec: has serviceSelectors, which need aggregationLength 32'],
    ],
    [
      'a community whose name is taken',
      write.community('two', [{ name: 'vpn', value: '65000:2' }]),
      [write.community('one', [{ name: 'vpn', value: '65000:1' }])],
      ['Community "two" spec.communities[0].name: "vpn" is defined already'],
    ],
    [
      'a BFD profile out of range',
      write.bfd('bad', { receiveInterval: 5 }),
      [],
      ['BFDProfile "bad" spec.receiveInterval: '],
    ],
    [
      'a peer without AS numbers, also with disableMP',
      write.peer('bad', { peerASN: 0, disableMP: true }),
      [],
      ['BGPPeer "bad" spec.peerASN: is missing'],
    ],
    [
      'a peer whose hold time is too short',
      write.peer('bad', { holdTime: '1s' }),
      [],
      ['BGPPeer "bad" spec.holdTime: 1s is too short'],
    ],
    [
      'a peer with both kinds of password',
      write.peer('bad', { password: 'x', passwordSecret: { name: 'later' } }),
      [],
      ['BGPPeer "bad" spec.password: password and passwordSecret exclude each other'],
    ],
    [
      'a peer whose Secret is of another type',
      write.peer('bad', { passwordSecret: { name: 'odd' } }),
      [write.secret('odd', 'x', 'Opaque')],
      ['BGPPeer "bad" spec.passwordSecret.name: Secret "odd" is of type "Opaque"'],
    ],
    [
      'two peers that are one session',
      write.peer('twin'),
      [write.peer('tor')],
      ['BGPPeer "twin" spec.peerAddress: BGPPeer "tor" is a session with 192.0.2.1 port 179 too'],
    ],
    [
      'BFD echo towards a peer that is told of IPv6, by a new peer',
      write.peer('tor', { bfdProfile: 'echo' }),
      [dual, write.bgp('all'), write.bfd('echo', { echoMode: true })],
      ['BGPPeer "tor" spec.bfdProfile: BFDProfile "echo" has echoMode'],
    ],
    [
      'the same, by a new profile',
      write.bfd('echo', { echoMode: true }),
      [dual, write.bgp('all'), write.peer('tor', { bfdProfile: 'echo' })],
      ['BGPPeer "tor" spec.bfdProfile: BFDProfile "echo" has echoMode'],
    ],
    [
      'the same, by a new pool',
      dual,
      [write.bgp('all'), write.peer('tor', { bfdProfile: 'echo' }), write.bfd('echo', { echoMode: true })],
      ['BGPPeer "tor" spec.bfdProfile: BFDProfile "echo" has echoMode'],
    ],
    [
      'the same, by a new advertisement',
      write.bgp('all'),
      [dual, write.peer('tor', { bfdProfile: 'echo' }), write.bfd('echo', { echoMode: true })],
      ['BGPPeer "tor" spec.bfdProfile: BFDProfile "echo" has echoMode'],
    ],
    [
      'what cannot be understood at all',
      write.pool('bad', ['192.0.2.0/24'], { autoAssign: 'yes' }),
      [],
      ['IPAddressPool "bad" spec.autoAssign: '],
    ],
  ]

  it.each(refusals)('%s', (_, object, there, expected) => {
    const verdict = create(object, ...there)
    expect(verdict.allowed).toBe(false)
    expect(lines(verdict)).toHaveLength(expected.length)
    for (const [i, start] of expected.entries()) expect(lines(verdict)[i]).toContain(start)
  })

  it('a pool that is made narrower than what an advertisement aggregates', () => {
    const there = [pool, write.bgp('all', { aggregationLength: 24 })]
    expect(lines(update(write.pool('first', ['192.0.2.0/25']), ...there))).toEqual([
      expect.stringContaining(
        'BGPAdvertisement "all" spec.aggregationLength: /24 is wider than 192.0.2.0/25',
      ),
    ])
    expect(update(write.pool('first', ['192.0.2.0/24']), ...there).allowed).toBe(true)
  })

  it('a BFD profile that is switched to echo, under a peer that is told of IPv6', () => {
    const there = [dual, write.bgp('all'), write.peer('tor', { bfdProfile: 'fast' }), write.bfd('fast')]
    expect(lines(update(write.bfd('fast', { echoMode: true }), ...there))).toEqual([
      expect.stringContaining('BGPPeer "tor" spec.bfdProfile: BFDProfile "fast" has echoMode'),
    ])
  })
})

describe('an object in another namespace', () => {
  const elsewhere = (operation: Change['operation'], object: Written): Verdict =>
    judge(change(operation, object, 'default'), snapshotOf(pool), namespace)

  it.each([
    pool,
    write.l2('x'),
    write.bgp('x'),
    write.peer('x'),
    write.peer('x', { disableMP: true }),
    write.bfd('x'),
    write.community('x', []),
  ])('is refused when it is made, and when it is changed: $kind', object => {
    for (const operation of ['CREATE', 'UPDATE'] as const)
      expect(lines(elsewhere(operation, object))).toEqual([
        `${object.kind} "${nameOf(object)}" metadata.namespace: must be created in the namespace metallb-system: in others it is not read`,
      ])
  })

  it('can be deleted, and stripped of its finalizers', () => {
    expect(elsewhere('DELETE', pool)).toEqual({ allowed: true, problems: [], warnings: [] })
    const metadata = { name: 'first', namespace: 'default', deletionTimestamp: '2026-01-01T00:00:00Z' }
    expect(elsewhere('UPDATE', { ...pool, metadata }).allowed).toBe(true)
  })
})

describe('what was wrong before', () => {
  const overlapping = [pool, write.pool('second', ['192.0.2.0/25', '203.0.113.0/24'])]

  it('is no reason to refuse an unrelated change', () => {
    expect(create(write.pool('third', ['198.51.100.0/24']), ...overlapping).allowed).toBe(true)
    expect(create(write.peer('tor'), ...overlapping).allowed).toBe(true)
  })

  it('may stay in an object that is changed, also at another place in its list', () => {
    expect(update(write.pool('second', ['203.0.113.0/24', '192.0.2.0/25']), ...overlapping).allowed).toBe(
      true,
    )
    expect(update(write.pool('second', ['192.0.2.0/25']), ...overlapping).allowed).toBe(true)
  })

  it('may be put right', () => {
    expect(update(write.pool('second', ['203.0.113.0/24']), ...overlapping)).toEqual({
      allowed: true,
      problems: [],
      warnings: [],
    })
  })

  it('may not be made worse', () => {
    expect(lines(update(write.pool('second', ['192.0.2.0/25', '192.0.2.128/25']), ...overlapping))).toEqual([
      expect.stringContaining('192.0.2.128/25 overlaps with 192.0.2.0/24'),
    ])
  })
})

describe('a reference to what does not exist yet is warned about, so that objects can be applied in any order', () => {
  it.each<readonly [string, Written, string]>([
    ['a BFD profile', write.peer('tor', { bfdProfile: 'fast' }), 'there is no BFDProfile "fast"'],
    ['a Secret', write.peer('tor', { passwordSecret: { name: 'key' } }), 'there is no Secret "key"'],
    ['a community', write.bgp('ad', { communities: ['vpn'] }), 'there is no community "vpn"'],
  ])('%s; the configuration has to wait for it', (_, object, why) => {
    const { allowed, warnings } = create(object)
    expect(allowed).toBe(true)
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain(why)
    expect(warnings[0]).toMatch(/; until then no change of the configuration takes effect$/)
  })

  it.each<readonly [string, Written, string]>([
    ['a pool', write.l2('ad', { ipAddressPools: ['first'] }), 'there is no IPAddressPool "first"'],
    ['a peer', write.bgp('ad', { peers: ['tor'] }), 'there is no BGPPeer "tor"'],
  ])('%s; the rest works without it', (_, object, why) => {
    const { allowed, warnings } = create(object)
    expect([allowed, warnings.length]).toEqual([true, 1])
    expect(warnings[0]).toContain(why)
    expect(warnings[0]).not.toContain('until then')
  })

  it('and no more once it is there', () => {
    expect(create(write.bfd('fast'), write.peer('tor', { bfdProfile: 'fast' })).warnings).toEqual([])
    expect(create(write.peer('tor', { bfdProfile: 'fast' }), write.bfd('fast')).warnings).toEqual([])
  })
})

it('what is deprecated is warned about whenever the object is written', () => {
  const old = write.peer('tor', { disableMP: true })
  for (const { allowed, warnings } of [create(old), update(old, old)]) {
    expect(allowed).toBe(true)
    expect(warnings).toEqual(['BGPPeer "tor" spec.disableMP: is deprecated and has no effect: remove it'])
  }
})

it('a peer in the old version is judged as what it means', () => {
  const old = {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'BGPPeer',
    metadata: { name: 'tor', namespace },
    spec: { myASN: 64512, peerASN: 64512, peerAddress: '192.0.2.1', holdTime: '0s', ebgpMultiHop: true },
  }
  expect(lines(create(old))).toEqual([expect.stringContaining('BGPPeer "tor" spec.ebgpMultiHop: ')])
})

it('an object whose name is still to be made up is judged', () => {
  const object = { ...pool, metadata: { generateName: 'pool-', namespace } }
  const asked: Change = { operation: 'CREATE', kind: 'IPAddressPool', name: 'pool-new', namespace, object }
  expect(judge(asked, snapshotOf(), namespace).allowed).toBe(true)
  expect(lines(judge(asked, snapshotOf(pool), namespace))).toHaveLength(1)
})

describe('deleting', () => {
  it('a BFD profile that peers use is refused, and they are named', () => {
    const there = [
      write.bfd('fast'),
      write.peer('tor', { bfdProfile: 'fast' }),
      write.peer('other', { peerAddress: '192.0.2.2' }),
    ]
    expect(lines(remove(write.bfd('fast'), ...there))).toEqual([
      'BGPPeer "tor" spec.bfdProfile: uses BFDProfile "fast", which can only be deleted when no BGPPeer does: change the peer first',
    ])
    expect(remove(write.bfd('fast'), write.bfd('fast')).allowed).toBe(true)
  })

  it('a pool warns of the Services that lose their addresses', () => {
    const services = ['a', 'b', 'c', 'd'].map((name, i) => write.service(name, `192.0.2.${i}`))
    const other = write.service('other', '198.51.100.1')
    expect(remove(pool, pool, dual, other, ...services)).toEqual({
      allowed: true,
      problems: [],
      warnings: [
        '4 Services lose their addresses, which no pool has any more: default/a (192.0.2.0), default/b (192.0.2.1), default/c (192.0.2.2) and 1 more',
      ],
    })
    expect(remove(pool, pool, dual, other).warnings).toEqual([])
  })

  it('a pool warns of the advertisements that name it', () => {
    expect(remove(pool, pool, write.l2('ad', { ipAddressPools: ['first'] })).warnings).toEqual([
      expect.stringContaining(
        'L2Advertisement "ad" spec.ipAddressPools[0]: there is no IPAddressPool "first"',
      ),
    ])
  })

  it('a community that is used warns that the configuration will not do without it', () => {
    const community = write.community('c', [{ name: 'vpn', value: '65000:1' }])
    const { allowed, warnings } = remove(
      community,
      community,
      pool,
      write.bgp('ad', { communities: ['vpn'] }),
    )
    expect(allowed).toBe(true)
    expect(warnings).toEqual([expect.stringMatching(/there is no community "vpn".*until then/)])
  })
})

it('a pool that is made smaller warns of the Services that lose their addresses, in both families', () => {
  const smaller = write.pool('second', ['198.51.100.0/25'])
  const there = [
    dual,
    write.service('both', '198.51.100.200', '2001:db8::1'),
    write.service('kept', '198.51.100.1'),
  ]
  expect(update(smaller, ...there).warnings).toEqual([
    '1 Service loses its address, which no pool has any more: default/both (198.51.100.200, 2001:db8::1)',
  ])
  expect(create(write.pool('third', ['203.0.113.0/24']), ...there).warnings).toEqual([])
})

describe('whatever is admitted', () => {
  const name = fc.constantFrom('a', 'b', 'c')
  const some = <T>(...values: readonly T[]): fc.Arbitrary<readonly T[]> =>
    fc.uniqueArray(fc.constantFrom(...values), { maxLength: 2 })
  const objects: fc.Arbitrary<Written> = fc.oneof(
    fc
      .tuple(name, some('192.0.2.0/24', '192.0.2.0/25', '198.51.100.0/28', '2001:db8::/64', '192.0.2.1', 'x'))
      .map(([of, addresses]) => write.pool(of, addresses)),
    fc.tuple(name, some('a', 'b')).map(([of, ipAddressPools]) => write.l2(of, { ipAddressPools })),
    fc
      .tuple(
        name,
        fc.constantFrom(32, 26, 24, 8),
        fc.constantFrom(0, 100, 200),
        some('vpn', '65000:1', '1:99999'),
        some('a', 'b'),
      )
      .map(([of, aggregationLength, localPref, communities, peers]) =>
        write.bgp(of, { aggregationLength, localPref, communities, peers }),
      ),
    fc
      .record({
        peerAddress: fc.constantFrom('192.0.2.1', '192.0.2.2', 'x'),
        bfdProfile: fc.constantFrom('', 'a', 'b'),
        passwordSecret: fc.constantFrom({}, { name: 'key' }, { name: 'odd' }),
        password: fc.constantFrom('', 'secret'),
        disableMP: fc.boolean(),
        holdTime: fc.constantFrom('0s', '2s', '9s'),
      })
      .chain(spec => name.map(of => write.peer(of, spec))),
    fc
      .tuple(name, fc.boolean(), fc.constantFrom(2, 300))
      .map(([of, echoMode, receiveInterval]) => write.bfd(of, { echoMode, receiveInterval })),
    fc
      .tuple(name, fc.constantFrom('vpn', 'other'), fc.constantFrom('65000:7', 'nonsense'))
      .map(([of, alias, value]) => write.community(of, [{ name: alias, value }])),
  )
  const steps = fc.array(fc.tuple(fc.boolean(), objects), { maxLength: 25 })

  function apply(snapshot: Snapshot, { kind, name: of, object }: Change): Snapshot {
    const resource = object === undefined ? undefined : parseResource(object)?.resource
    return substituted(snapshot, { kind, name: of, ...(resource ? { resource: resource as never } : {}) })
  }

  it('the parser takes, as soon as what it refers to is there', () => {
    let admitted = 0
    let refused = 0
    fc.assert(
      fc.property(steps, all => {
        const odd = write.secret('odd', 'x', 'Opaque')
        let snapshot = snapshotOf(odd)
        for (const [deleted, object] of all) {
          const asked = change(deleted ? 'DELETE' : 'UPDATE', object)
          const verdict = judge(asked, snapshot, namespace)
          if (verdict.allowed) snapshot = apply(snapshot, asked)
          if (verdict.allowed) admitted++
          else refused++
        }
        const there = new Set(snapshot.bfdProfiles.map(({ metadata }) => metadata.name))
        const defined = new Set(
          snapshot.communities.flatMap(({ spec }) => (spec.communities ?? []).map(one => one.name)),
        )
        const late = snapshotOf(
          write.secret('key'),
          ...['a', 'b'].filter(one => !there.has(one)).map(one => write.bfd(one)),
          ...(defined.has('vpn') ? [] : [write.community('late', [{ name: 'vpn', value: '65000:3' }])]),
        )
        const whole: Snapshot = {
          ...snapshot,
          secrets: [...snapshot.secrets, ...late.secrets],
          bfdProfiles: [...snapshot.bfdProfiles, ...late.bfdProfiles],
          communities: [...snapshot.communities, ...late.communities],
        }
        expect(parseConfig(whole).problems.filter(({ severity }) => severity === 'error')).toEqual([])
      }),
      { numRuns: 300 },
    )
    // It says something only when much was admitted and much refused.
    expect(Math.min(admitted, refused)).toBeGreaterThan(200)
  })
})
