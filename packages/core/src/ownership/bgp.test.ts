import { describe, expect, it } from 'vitest'
import type { EndpointSlice, Node, Service } from '../resources/index.ts'
import type { PeerRoute } from '../speaker/announcer.ts'
import {
  ad,
  assigned,
  type BgpAdSpec,
  bgpAd,
  config,
  four,
  inputs,
  node,
  type PeerSpec,
  peer,
  service,
  slice,
  type World,
} from '../testing/world.ts'
import { explain } from './explain.ts'
import type { BgpAnnouncement, Plan } from './plan.ts'
import { Planner, plan } from './planner.ts'
import { meaningOf } from './verdict.ts'

/** A world whose only pool is announced by BGP. */
function bgp(
  ads: readonly BgpAdSpec[],
  world: World = {},
  peers: Readonly<Record<string, PeerSpec>> = { tor: {} },
) {
  const list = Object.entries(peers).map(([name, spec]) => peer(name, spec))
  return inputs({
    ...world,
    config: config({ first: { bgp: ads.map((spec, i) => bgpAd({ name: `ad${i}`, ...spec })) } }, list),
  })
}

const isBgp = (one: { readonly protocol: string }): one is BgpAnnouncement => one.protocol === 'bgp'

/** `10.0.0.1/32 node-a>tor`, with local preference and communities where there are any. */
const told = (planned: Plan, key = 'default/web'): readonly string[] =>
  (planned.services.get(key)?.announcements ?? []).filter(isBgp).map(one => {
    const pref = one.localPref === 0 ? '' : ` pref ${one.localPref}`
    const communities = one.communities.length === 0 ? '' : ` ${one.communities.join(',')}`
    return `${one.prefix} ${one.node}>${one.peer}${pref}${communities}`
  })

/** `node-a speaks, node-b notOwner, …` */
const verdicts = (planned: Plan, key = 'default/web'): string =>
  [...planned.nodes.keys()]
    .sort()
    .map(name => {
      const verdict = planned.services.get(key)?.verdict(name, 'bgp')
      return `${name} ${verdict?.speak ? 'speaks' : verdict?.because}`
    })
    .join(', ')

const everybody = (word: string, names: readonly string[] = four): string =>
  names.map(name => `${name} ${word}`).join(', ')

describe('which nodes announce a Service by BGP', () => {
  it('is every node, as soon as one endpoint can serve', () => {
    const planned = plan(bgp([{}]))
    expect(verdicts(planned)).toBe(everybody('speaks'))
    expect(told(planned)).toEqual(four.map(name => `192.168.1.240/32 ${name}>tor`))
  })

  it('is a node that an advertisement of the pool includes, and it has to match the Service', () => {
    const nodes = [
      node('node-a', { zone: 'x' }),
      node('node-b', { zone: 'y' }),
      node('node-c', { zone: 'z' }),
    ]
    const planned = plan(bgp([{ nodes: ['zone=x'] }, { nodes: ['zone=y'], services: ['app=db'] }], { nodes }))
    expect(verdicts(planned)).toBe('node-a speaks, node-b noMatchingAdvertisement, node-c notOwner')
  })

  it('is no node where no endpoint has an address and can serve, which layer 2 asks less of', () => {
    const without: World = { slices: [slice('web', [{ node: 'node-a', addresses: [] }])] }
    expect(verdicts(plan(bgp([{}], without)))).toBe(everybody('noEndpoints'))
    expect(plan(inputs(without)).services.get('default/web')?.owner).toBe('node-a')
    expect(verdicts(plan(bgp([{}], { slices: [slice('web', [{ node: 'node-a', ready: false }])] })))).toBe(
      everybody('noEndpoints'),
    )
    const terminating = slice('web', [{ node: 'node-a', ready: false, serving: true }])
    expect(verdicts(plan(bgp([{}], { slices: [terminating] })))).toBe(everybody('speaks'))
  })

  it('is a node with an endpoint of its own where externalTrafficPolicy is Local', () => {
    const local: World = { services: [service('web', { local: true })] }
    const slices = [
      slice('web', ['node-b', { node: 'node-c', addresses: [] }, { node: 'node-d', ready: false }]),
    ]
    expect(verdicts(plan(bgp([{}], { ...local, slices })))).toBe(
      'node-a noLocalEndpoints, node-b speaks, node-c noLocalEndpoints, node-d noLocalEndpoints',
    )
    expect(verdicts(plan(bgp([{}], { ...local, slices: [] })))).toBe(everybody('noLocalEndpoints'))
  })

  it('is every node for a Service without EndpointSlices, where there is no Kubernetes to fill them in', () => {
    const world: World = { nodes: [], alive: ['node-a', 'node-b'], standalone: true, slices: [] }
    expect(verdicts(plan(bgp([{}], world)))).toBe('node-a speaks, node-b speaks')
    const local = [service('web', { local: true })]
    expect(verdicts(plan(bgp([{}], { ...world, services: local })))).toBe('node-a speaks, node-b speaks')
  })

  it('is no member without a Node object in Kubernetes, as nothing includes it', () => {
    const world: World = { nodes: [node('node-b')], alive: ['node-a', 'node-b'] }
    expect(verdicts(plan(bgp([{}], world)))).toBe('node-a notOwner, node-b speaks')
  })

  it('is not a node that nobody would be told by', () => {
    const nodes = [node('node-a', { zone: 'x' }), node('node-b')]
    const here = plan(bgp([{}], { nodes }, { tor: { nodes: ['zone=x'] } }))
    expect(verdicts(here)).toBe('node-a speaks, node-b noPeer')
    expect(told(here)).toEqual(['192.168.1.240/32 node-a>tor'])
    expect(verdicts(plan(bgp([{ peers: ['other'] }], { nodes })))).toBe('node-a noPeer, node-b noPeer')
    expect(verdicts(plan(bgp([{}], { nodes }, { tor: { peerAddress: 'fd00::1' } })))).toBe(
      'node-a noPeer, node-b noPeer',
    )
  })

  it('does not depend on who may be elected', () => {
    const planned = plan(bgp([{}], { alive: ['node-a', 'node-b'], held: ['node-b'] }))
    expect(verdicts(planned)).toBe('node-a speaks, node-b speaks, node-c notAlive, node-d notAlive')
    const layer2 = plan(inputs({ alive: ['node-a', 'node-b'], held: ['node-a'] })).services.get('default/web')
    expect(layer2?.owner).toBe('node-b')
    expect(layer2?.verdict('node-a')).toEqual({ speak: false, because: 'heldDown' })
  })

  it('tells the first reason in the order in which MetalLB asks', () => {
    const exclude = { 'node.kubernetes.io/exclude-from-external-load-balancers': '' }
    const down = { NetworkUnavailable: 'True' }
    // Each row takes one obstacle away from the row before.
    const rows: readonly (readonly [
      because: string,
      nodes: Node,
      ads: readonly BgpAdSpec[],
      alive: boolean,
    ])[] = [
      ['notAlive', node('node-a', exclude, down), [{ nodes: ['zone=x'] }], false],
      ['notOwner', node('node-a', exclude, down), [{ nodes: ['zone=x'] }], true],
      ['noMatchingAdvertisement', node('node-a', exclude, down), [{ services: ['app=db'] }], true],
      [
        'conflictingAdvertisements',
        node('node-a', exclude, down),
        [{ localPref: 1 }, { localPref: 2 }],
        true,
      ],
      ['nodeNetworkUnavailable', node('node-a', exclude, down), [{}], true],
      ['nodeLabeledExcludeBalancers', node('node-a', exclude), [{}], true],
      ['noLocalEndpoints', node('node-a'), [{}], true],
    ]
    for (const [because, one, ads, alive] of rows) {
      const services = [service('web', { local: true })]
      const world: World = { nodes: [one], alive: alive ? ['node-a'] : [], services, slices: [] }
      expect(verdicts(plan(bgp(ads, world, {})))).toBe(`node-a ${because}`)
    }
    const world: World = { nodes: [node('node-a')], slices: [] }
    expect(verdicts(plan(bgp([{}], world, {})))).toBe('node-a noEndpoints')
    expect(verdicts(plan(bgp([{}], { nodes: [node('node-a')] }, {})))).toBe('node-a noPeer')
  })

  it('is told in words that fit BGP', () => {
    const told = explain(plan(bgp([{ nodes: ['zone=x'] }])), 'default/web')
    expect(told?.protocols).toEqual(['bgp'])
    expect(told?.nodes[0]).toEqual({
      protocol: 'bgp',
      node: 'node-a',
      verdict: { speak: false, because: 'notOwner' },
      meaning: {
        sentence: 'no BGPAdvertisement of the pool includes the node',
        advice: 'look at nodeSelectors of the BGPAdvertisements',
      },
      gates: [
        { gate: 'notAlive', passed: true },
        { gate: 'notOwner', passed: false },
      ],
    })
    expect(meaningOf('notOwner', 'layer2').sentence).toBe('another node was elected')
  })
})

describe('what a peer is told', () => {
  const one: World = { nodes: [node('node-a')] }

  it('is the prefix that the aggregation length makes of the address, once for each length', () => {
    const ads = [{}, { aggregationLength: 24, aggregationLengthV6: 64 }, { aggregationLength: 24 }]
    const world: World = {
      ...one,
      assigned: { 'default/web': assigned('192.168.1.240', 'fc00:f853:ccd:e799::1') },
    }
    expect(told(plan(bgp(ads, world, { tor: { dualStackAddressFamily: true } })))).toEqual([
      '192.168.1.0/24 node-a>tor',
      '192.168.1.240/32 node-a>tor',
      'fc00:f853:ccd:e799::/64 node-a>tor',
      'fc00:f853:ccd:e799::1/128 node-a>tor',
    ])
  })

  it('is of the families that its session carries', () => {
    const world: World = { ...one, assigned: { 'default/web': assigned('10.0.0.1', 'fd00::1') } }
    const peers = {
      four: {},
      six: { peerAddress: 'fd00::99' },
      both: { dualStackAddressFamily: true },
      found: { interface: 'eth0' },
    }
    expect(told(plan(bgp([{}], world, peers)))).toEqual([
      '10.0.0.1/32 node-a>both',
      '10.0.0.1/32 node-a>found',
      '10.0.0.1/32 node-a>four',
      'fd00::1/128 node-a>both',
      'fd00::1/128 node-a>found',
      'fd00::1/128 node-a>six',
    ])
  })

  it('is what all advertisements for it say together, with communities in numeric order', () => {
    const ads = [
      { communities: ['65000:2', '65000:10'], localPref: 7 },
      { communities: ['large:1:2:3', '65000:2'], peers: ['tor'], localPref: 7 },
      { communities: ['1:1'], aggregationLength: 24, aggregationLengthV6: 64, localPref: 9 },
    ]
    expect(told(plan(bgp(ads, one, { tor: {}, spine: {} })))).toEqual([
      '192.168.1.0/24 node-a>spine pref 9 1:1',
      '192.168.1.0/24 node-a>tor pref 9 1:1',
      '192.168.1.240/32 node-a>spine pref 7 65000:2,65000:10',
      '192.168.1.240/32 node-a>tor pref 7 large:1:2:3,65000:2,65000:10',
    ])
  })
})

describe('advertisements that contradict each other in localPref', () => {
  const zones = [node('node-a', { zone: 'x' }), node('node-b', { zone: 'y' }), node('node-c')]
  const conflict = 'conflictingAdvertisements'

  it.each<readonly [string, readonly BgpAdSpec[], string]>([
    [
      'silence every node that both include',
      [{ localPref: 1 }, { localPref: 2 }],
      everybody(conflict, ['node-a', 'node-b', 'node-c']),
    ],
    [
      'leave the others speaking',
      [{ localPref: 1 }, { localPref: 2, nodes: ['zone=x'] }],
      `node-a ${conflict}, node-b speaks, node-c speaks`,
    ],
    [
      'may differ by node',
      [
        { localPref: 1, nodes: ['zone=x'] },
        { localPref: 2, nodes: ['zone=y'] },
      ],
      'node-a speaks, node-b speaks, node-c notOwner',
    ],
    [
      'may differ by peer',
      [
        { localPref: 1, peers: ['a'] },
        { localPref: 2, peers: ['tor'] },
      ],
      everybody('speaks', ['node-a', 'node-b', 'node-c']),
    ],
    [
      'may not share a peer',
      [
        { localPref: 1, peers: ['a', 'tor'] },
        { localPref: 2, peers: ['tor'] },
      ],
      everybody(conflict, ['node-a', 'node-b', 'node-c']),
    ],
    [
      'may not leave it open whom they tell',
      [{ localPref: 1 }, { localPref: 2, peers: ['tor'] }],
      everybody(conflict, ['node-a', 'node-b', 'node-c']),
    ],
    [
      'may differ by Service',
      [{ localPref: 1 }, { localPref: 2, services: ['app=db'] }],
      everybody('speaks', ['node-a', 'node-b', 'node-c']),
    ],
    [
      'say nothing against each other when equal',
      [{ localPref: 3 }, { localPref: 3, communities: ['1:1'] }],
      everybody('speaks', ['node-a', 'node-b', 'node-c']),
    ],
  ])('%s', (_, ads, expected) => {
    expect(verdicts(plan(bgp(ads, { nodes: zones })))).toBe(expected)
  })

  it('may differ by aggregation length, in every family that the pool has', () => {
    const ads = [
      bgpAd({ name: 'a', localPref: 1 }),
      bgpAd({ name: 'b', localPref: 2, aggregationLength: 24 }),
    ]
    const speaks = (families: readonly (4 | 6)[]): string =>
      verdicts(
        plan(
          inputs({
            nodes: [node('node-a')],
            config: config({ first: { bgp: ads, families } }, [peer('tor')]),
          }),
        ),
      )
    expect(speaks([4])).toBe('node-a speaks')
    expect(speaks([4, 6])).toBe('node-a conflictingAdvertisements')
  })
})

describe('a prefix that several Services share', () => {
  const two: World = {
    nodes: [node('node-a')],
    services: [service('a', { labels: { app: 'a' } }), service('b', { labels: { app: 'b' } })],
    slices: [slice('a', ['node-a']), slice('b', ['node-a'])],
    assigned: { 'default/a': assigned('10.0.0.1'), 'default/b': assigned('10.0.0.1') },
  }

  it('is announced once, for all of them', () => {
    const world = {
      ...two,
      assigned: { 'default/a': assigned('10.0.0.1'), 'default/b': assigned('10.0.0.9') },
    }
    const planned = plan(bgp([{ aggregationLength: 24 }], world))
    expect(planned.advertisementsFor('node-a', 'each')).toEqual([
      {
        address: '10.0.0.0/24',
        services: ['default/a', 'default/b'],
        options: { peers: [{ peer: 'tor', localPref: 0, communities: [] }] },
      },
    ])
    expect(told(planned, 'default/a')).toEqual(told(planned, 'default/b'))
  })

  it('stays while one of them can be served', () => {
    const planned = plan(bgp([{}], { ...two, slices: [slice('b', ['node-a'])] }))
    expect(planned.advertisementsFor('node-a', 'each')[0]?.services).toEqual(['default/b'])
    expect(verdicts(planned, 'default/a')).toBe('node-a noEndpoints')
    expect(told(planned, 'default/a')).toEqual([])
  })

  it('has the communities of all and the highest localPref where their advertisements differ', () => {
    const ads = [
      { services: ['app=a'], localPref: 100, communities: ['65000:1'] },
      { services: ['app=b'], localPref: 200, communities: ['65000:2'] },
    ]
    const planned = plan(bgp(ads, two))
    const both = ['10.0.0.1/32 node-a>tor pref 200 65000:1,65000:2']
    expect([told(planned, 'default/a'), told(planned, 'default/b')]).toEqual([both, both])
  })

  it('is told to the peers of each, and each Service lists its own', () => {
    const ads = [
      { services: ['app=a'], peers: ['tor'] },
      { services: ['app=b'], peers: ['spine'] },
    ]
    const planned = plan(bgp(ads, two, { tor: {}, spine: {} }))
    const [route] = planned.advertisementsFor('node-a', 'each')
    expect(route?.options.peers.map((one: PeerRoute) => one.peer)).toEqual(['spine', 'tor'])
    expect(told(planned, 'default/a')).toEqual(['10.0.0.1/32 node-a>tor'])
    expect(told(planned, 'default/b')).toEqual(['10.0.0.1/32 node-a>spine'])
  })
})

describe('what a node is to announce, from one plan to the next', () => {
  const keys = ['db', 'web']
  const ads = [bgpAd({ communities: ['65000:1'] })]
  const of = (
    slices: readonly EndpointSlice[],
    services: readonly Service[] = keys.map(key => service(key)),
  ) =>
    inputs({
      services,
      slices,
      assigned: { 'default/web': assigned('10.0.0.9'), 'default/db': assigned('10.0.0.10') },
      config: config({ first: { bgp: ads } }, [peer('tor')]),
    })
  const [db, web] = keys.map(key => slice(key, ['node-a'])) as [EndpointSlice, EndpointSlice]
  const first = of([db, web])

  it('is sorted by prefix and shares what is said alike', () => {
    const list = plan(first).advertisementsFor('node-b', 'each')
    expect(list.map(({ address }) => address)).toEqual(['10.0.0.10/32', '10.0.0.9/32'])
    expect(list[0]?.options.peers).toBe(list[1]?.options.peers)
    expect(plan(first).advertisementsFor('nowhere', 'each')).toEqual([])
  })

  it('is the very same list until it says something else, and then the same entries where they do not', () => {
    const planner = new Planner()
    const one = planner.update(first)
    const list = one.advertisementsFor('node-a', 'each')
    const other = one.advertisementsFor('node-b', 'each')
    // An endpoint more, a node less: nothing that node-a says depends on it.
    const two = planner.update({
      ...of([db, slice('web', ['node-a', 'node-c'])]),
      alive: new Set(['node-a', 'node-b']),
    })
    expect(two.advertisementsFor('node-a', 'each')).toBe(list)
    expect(two.advertisementsFor('node-c', 'each')).toEqual([])
    const three = planner.update(of([web]))
    expect(three.changed).toEqual(['default/db'])
    expect(three.advertisementsFor('node-a', 'each')).toEqual([list[1]])
    expect(three.advertisementsFor('node-a', 'each')[0]).toBe(list[1])
    // The plan before is as it was.
    expect(one.advertisementsFor('node-b', 'each')).toBe(other)
    expect(two.advertisementsFor('node-b', 'each')).toEqual(other)
  })

  it('does not mind what is set about a session alone', () => {
    const planner = new Planner()
    const list = planner.update(first).advertisementsFor('node-a', 'each')
    const slower = config({ first: { bgp: ads } }, [peer('tor', { holdTimeMs: 9000, password: 'secret' })])
    const two = planner.update({ ...first, config: slower })
    expect(two.advertisementsFor('node-a', 'each')).toBe(list)
    expect(two.changed).toEqual([])
    const wider = config({ first: { bgp: ads } }, [peer('spine'), peer('tor')])
    const three = planner.update({ ...first, config: wider })
    expect(three.advertisementsFor('node-a', 'each')[0]?.options.peers.map(({ peer }) => peer)).toEqual([
      'spine',
      'tor',
    ])
  })

  it('goes beside layer 2 where a pool is announced both ways', () => {
    const both = config({ first: { layer2: [ad()], bgp: ads } }, [peer('tor')])
    const planned = plan({ ...first, config: both })
    const service = planned.services.get('default/web')
    expect(service?.protocols).toEqual(['bgp', 'layer2'])
    expect(service?.announcements.map(({ protocol, node }) => `${protocol} ${node}`)).toEqual([
      ...four.map(name => `bgp ${name}`),
      `layer2 ${service?.owner}`,
    ])
  })
})
