import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Family } from '../address.ts'
import type { Assignment } from '../allocation/index.ts'
import type { EndpointSlice } from '../resources/index.ts'
import type { PeerRoute } from '../speaker/announcer.ts'
import { bgpOracle } from '../testing/bgp-oracle.ts'
import {
  ad,
  assigned,
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
import { describeInvalid, describePlan, type ServiceDocument } from './describe.ts'
import { explain } from './explain.ts'
import { Hasher } from './hash/hasher.ts'
import type { Layer2Announcement, Plan, PlannedAnnouncement } from './plan.ts'
import { type PlanInputs, Planner, plan } from './planner.ts'

/** `node-a speaks, node-b notOwner, …` for a Service. */
function verdicts(planned: Plan, key = 'default/web'): string {
  const planFor = planned.services.get(key)
  return [...planned.nodes.keys()]
    .sort()
    .map(name => {
      const verdict = planFor?.verdict(name)
      return `${name} ${verdict?.speak ? 'speaks' : verdict?.because}`
    })
    .join(', ')
}

const ownerOf = (planned: Plan, key = 'default/web'): string | undefined => planned.services.get(key)?.owner
const isLayer2 = (one: PlannedAnnouncement): one is Layer2Announcement => one.protocol === 'layer2'
const onLayer2 = (planned: Plan, key = 'default/web'): readonly Layer2Announcement[] =>
  planned.services.get(key)?.announcements.filter(isLayer2) ?? []
const places = (planned: Plan, key: string): string[] =>
  onLayer2(planned, key).map(({ address, node }) => `${address} by ${node}`)

describe('who speaks for a Service', () => {
  it('is the first of the succession, and everybody else is told that another was elected', () => {
    const planned = plan(inputs())
    expect(verdicts(planned)).toBe('node-a speaks, node-b notOwner, node-c notOwner, node-d notOwner')
    expect(planned.services.get('default/web')?.succession()).toEqual([
      'node-a',
      'node-d',
      'node-c',
      'node-b',
    ])
    expect(planned.advertisementsFor('node-a', 'one')).toEqual([
      { address: '192.168.1.240', services: ['default/web'], options: { interfaces: 'all' } },
    ])
    expect(planned.advertisementsFor('node-b', 'one')).toEqual([])
  })

  it('is nobody while no endpoint can serve', () => {
    const waiting = plan(inputs({ slices: [slice('web', [{ node: 'node-a', ready: false }])] }))
    expect(verdicts(waiting)).toBe(four.map(name => `${name} noEndpoints`).join(', '))
    expect(plan(inputs({ slices: [] })).services.get('default/web')?.announcements).toEqual([])
    expect(explain(waiting, 'default/web')?.succession).toEqual([])
  })

  it.each([
    ['says nothing about being ready', {}, true],
    ['is ready', { ready: true }, true],
    ['is not ready', { ready: false }, false],
    ['terminates but still serves', { ready: false, serving: true }, true],
    ['neither is ready nor serves', { ready: false, serving: false }, false],
  ])('counts an endpoint that %s', (_, conditions, counts) => {
    const planned = plan(inputs({ slices: [slice('web', [{ node: 'node-c', ...conditions }])] }))
    expect(ownerOf(planned)).toBe(counts ? 'node-a' : undefined)
  })

  it('looks at EndpointSlices of the same name and namespace only', () => {
    expect(ownerOf(plan(inputs({ slices: [slice('web', ['node-a'], 'elsewhere')] })))).toBeUndefined()
    expect(ownerOf(plan(inputs({ slices: [slice('web2', ['node-a'])] })))).toBeUndefined()
    expect(
      ownerOf(plan(inputs({ slices: [slice('web', []), slice('web', ['node-b'], 'default', 2)] }))),
    ).toBe('node-a')
  })

  it('is a node with a local endpoint where externalTrafficPolicy is Local', () => {
    const planned = plan(
      inputs({
        services: [service('web', { local: true })],
        slices: [slice('web', ['node-b', { node: 'node-a', ready: false }, 'node-c'])],
      }),
    )
    expect(verdicts(planned)).toBe(
      'node-a noLocalEndpoints, node-b notOwner, node-c speaks, node-d noLocalEndpoints',
    )
  })

  it('is a node that an advertisement includes', () => {
    const nodes = [
      node('node-a'),
      node('node-b', { zone: 'x' }),
      node('node-c', { zone: 'y' }),
      node('node-d'),
    ]
    const planned = plan(inputs({ nodes, config: config({ first: [ad({ nodes: ['zone=x', 'zone=y'] })] }) }))
    expect(verdicts(planned)).toBe(
      'node-a noMatchingAdvertisement, node-b notOwner, node-c speaks, node-d noMatchingAdvertisement',
    )
  })

  it('is nobody where no advertisement matches the labels of the Service', () => {
    const planned = plan(inputs({ config: config({ first: [ad({ services: ['app=db'] })] }) }))
    expect(verdicts(planned)).toBe(four.map(name => `${name} noMatchingAdvertisement`).join(', '))
  })

  it('is never a node without network or with the exclusion label, unless that label is not heeded', () => {
    const exclude = { 'node.kubernetes.io/exclude-from-external-load-balancers': '' }
    const nodes = [
      node('node-a', exclude),
      node('node-b'),
      node('node-c', {}, { NetworkUnavailable: 'False', Ready: 'False' }),
      node('node-d', {}, { NetworkUnavailable: 'True' }),
    ]
    expect(verdicts(plan(inputs({ nodes })))).toBe(
      'node-a nodeLabeledExcludeBalancers, node-b notOwner, node-c speaks, node-d nodeNetworkUnavailable',
    )
    expect(ownerOf(plan(inputs({ nodes, ignoreExcludeLb: true })))).toBe('node-a')
  })

  it('is a living member', () => {
    const planned = plan(inputs({ alive: ['node-b', 'node-c'] }))
    expect(verdicts(planned)).toBe('node-a notAlive, node-b notOwner, node-c speaks, node-d notAlive')
  })

  it('is no member without a Node object in Kubernetes, as nothing includes it', () => {
    const world: World = { nodes: [node('node-b')], alive: ['node-a', 'node-b'] }
    expect(verdicts(plan(inputs(world)))).toBe('node-a noMatchingAdvertisement, node-b speaks')
  })

  it('can be any member without Kubernetes, which is known by its host name', () => {
    const world: World = { nodes: [], alive: four, standalone: true, slices: [] }
    expect(ownerOf(plan(inputs(world)))).toBe('node-a')
    const onD = config({ first: [ad({ nodes: ['kubernetes.io/hostname=node-d'] })] })
    expect(ownerOf(plan(inputs({ ...world, config: onD })))).toBe('node-d')
    const local = [service('web', { local: true })]
    expect(ownerOf(plan(inputs({ ...world, services: local })))).toBe('node-a')
    expect(ownerOf(plan(inputs({ ...world, services: local, slices: [slice('web', ['node-b'])] })))).toBe(
      'node-b',
    )
  })

  it('prefers nodes by the weights of all matching advertisements that include them', () => {
    const nodes = [
      node('node-a'),
      node('node-b', { disk: 'fast', zone: 'x' }),
      node('node-c', { zone: 'x' }),
      node('node-d', { disk: 'fast', zone: 'y' }),
    ]
    const ads = [
      ad({ name: 'all', prefer: [[10, 'disk=fast']] }),
      // node-d is not in zone x: this advertisement's preference for it does not count.
      ad({ name: 'x', nodes: ['zone=x'], prefer: [[5, '*']] }),
      ad({ name: 'other', services: ['app=db'], prefer: [[100, '*']] }),
    ]
    const planned = plan(inputs({ nodes, config: config({ first: ads }) }))
    expect(
      planned.services
        .get('default/web')
        ?.standings()
        .map(({ node, score }) => `${node} ${score}`),
    ).toEqual(['node-b 15', 'node-d 10', 'node-c 5', 'node-a 0'])
    expect(ownerOf(planned)).toBe('node-b')
  })

  it('is nobody while the Service has no address, and the word says why', () => {
    const verdict = (assignment: Assignment): unknown =>
      plan(inputs({ assigned: { 'default/web': assignment } }))
        .services.get('default/web')
        ?.verdict('node-a')
    const none = { addresses: [], publish: 'nothing' } as const
    const ignored = { code: 'otherClass', message: 'the class is other' } as const
    const full = { code: 'AllocationFailed', message: 'the pool is full' } as const
    expect(verdict({ ...none, state: 'pending', reason: full })).toEqual({
      speak: false,
      because: 'noIPAllocated',
    })
    expect(verdict({ ...none, state: 'ignored', reason: ignored })).toEqual({
      speak: false,
      because: 'otherClass',
    })
    expect(verdict({ ...assigned('10.0.0.1'), pool: 'gone' })).toEqual({
      speak: false,
      because: 'ipNotAllowed',
    })
  })
})

describe('interfaces', () => {
  const nodes = [node('node-a', { zone: 'x' }), node('node-d')]

  it('are those of all advertisements that match the Service and include the node', () => {
    const ads = [
      ad({ name: 'one', interfaces: ['eth1', 'eth0'] }),
      ad({ name: 'two', nodes: ['zone=x'], interfaces: ['eth2', 'eth0'] }),
      ad({ name: 'three', services: ['app=db'] }),
    ]
    const planned = plan(inputs({ nodes, config: config({ first: ads }) }))
    const web = planned.services.get('default/web')
    expect(onLayer2(planned)[0]?.interfaces).toEqual(['eth0', 'eth1', 'eth2'])
    expect(web?.interfaces('node-d')).toEqual(['eth0', 'eth1'])
  })

  it('are all of them as soon as one such advertisement names none', () => {
    const ads = [ad({ name: 'one', interfaces: ['eth0'] }), ad({ name: 'two', nodes: ['zone=x'] })]
    const web = plan(inputs({ nodes, config: config({ first: ads }) })).services.get('default/web')
    expect(web?.interfaces('node-a')).toBe('all')
    expect(web?.interfaces('node-d')).toEqual(['eth0'])
  })

  it('follow a label of the owner without a new election', () => {
    const planner = new Planner()
    const ads = [
      ad({ name: 'one', interfaces: ['eth0'] }),
      ad({ name: 'two', nodes: ['zone=x'], interfaces: ['eth9'] }),
    ]
    const world = inputs({ nodes: [node('node-a'), node('node-d')], config: config({ first: ads }) })
    expect(onLayer2(planner.update(world))[0]?.interfaces).toEqual(['eth0'])
    const after = planner.update({ ...world, snapshot: { ...world.snapshot, nodes } })
    expect(onLayer2(after)[0]?.interfaces).toEqual(['eth0', 'eth9'])
    expect(after.changed).toEqual(['default/web'])
  })
})

describe('an address that several Services share', () => {
  const share = { 'metallb.io/allow-shared-ip': 'key' }
  const two: World = {
    services: [service('b', { annotations: share }), service('a', { annotations: share })],
    slices: [slice('a', ['node-a']), slice('b', ['node-b'])],
    assigned: { 'default/b': assigned('192.168.1.240'), 'default/a': assigned('192.168.1.240') },
  }

  it('is announced once, for all of them', () => {
    expect(plan(inputs(two)).advertisementsFor('node-a', 'one')).toEqual([
      { address: '192.168.1.240', services: ['default/a', 'default/b'], options: { interfaces: 'all' } },
    ])
  })

  it('stays while one of them can be served', () => {
    const planned = plan(inputs({ ...two, slices: [slice('b', ['node-b'])] }))
    expect(planned.advertisementsFor('node-a', 'one')[0]?.services).toEqual(['default/b'])
    expect(planned.services.get('default/a')?.announcements).toEqual([])
    expect(planned.addresses.get('192.168.1.240')?.services).toEqual(['default/a', 'default/b'])
  })

  it('is not announced on layer 2 through an advertisement with serviceSelectors, whatever the value of the annotation', () => {
    for (const name of ['metallb.io/allow-shared-ip', 'metallb.universe.tf/allow-shared-ip']) {
      const services = [service('web', { labels: { app: 'web' }, annotations: { [name]: '' } })]
      const planned = plan(inputs({ services, config: config({ first: [ad({ services: ['app=web'] })] }) }))
      expect(verdicts(planned)).toBe(four.map(node => `${node} sharedIPWithServiceSelector`).join(', '))
    }
  })

  // MetalLB elects per Service by its first address: here 10.20.30.1 for the pair and fc00:… for the other.
  const pairAndSingle: World = {
    services: [service('a-single'), service('pair')],
    slices: [slice('pair', ['node-a']), slice('a-single', ['node-a'])],
    assigned: {
      'default/pair': assigned('10.20.30.1', 'fc00:f853:ccd:e799::1'),
      'default/a-single': assigned('fc00:f853:ccd:e799::1'),
    },
  }

  it('is announced by one node also where the elections of its Services disagree: the pair stays together', () => {
    const planned = plan(inputs(pairAndSingle))
    expect(places(planned, 'default/pair')).toEqual([
      '10.20.30.1 by node-b',
      'fc00:f853:ccd:e799::1 by node-b',
    ])
    expect(places(planned, 'default/a-single')).toEqual(['fc00:f853:ccd:e799::1 by node-b'])
    expect(verdicts(planned, 'default/a-single')).toContain('node-b speaks, node-c notOwner, node-d notOwner')
    expect(ownerOf(planned, 'default/a-single')).toBe('node-d')
    expect(planned.addresses.get('fc00:f853:ccd:e799::1')?.decidedBy).toBe('default/pair')
  })

  it('falls to the election that is left when the deciding Service can no longer be served', () => {
    const planned = plan(inputs({ ...pairAndSingle, slices: [slice('a-single', ['node-a'])] }))
    expect(places(planned, 'default/a-single')).toEqual(['fc00:f853:ccd:e799::1 by node-d'])
  })
})

describe('a pair of addresses', () => {
  it('is announced by the node elected for the first of them', () => {
    const planned = plan(
      inputs({ assigned: { 'default/web': assigned('fc00:f853:ccd:e799::1', '10.20.30.1') } }),
    )
    expect(places(planned, 'default/web')).toEqual([
      '10.20.30.1 by node-d',
      'fc00:f853:ccd:e799::1 by node-d',
    ])
    expect(planned.advertisementsFor('node-d', 'one').map(({ address }) => address)).toEqual([
      '10.20.30.1',
      'fc00:f853:ccd:e799::1',
    ])
  })
})

describe('the description of a plan', () => {
  it('lists Services by namespace and name, with every node that announces and every one that does not', () => {
    const message = 'it is of type ClusterIP'
    const document = describePlan(
      plan(
        inputs({
          services: [service('web'), service('z', { namespace: 'a' })],
          nodes: [node('node-b'), node('node-a')],
          alive: ['node-a'],
          assigned: {
            'default/web': assigned('192.168.1.240'),
            'a/z': {
              state: 'ignored',
              addresses: [],
              publish: 'nothing',
              reason: { code: 'notLoadBalancer', message },
            },
          },
        }),
      ),
    )
    expect(document).toEqual({
      services: [
        {
          namespace: 'a',
          name: 'z',
          state: 'ignored',
          addresses: [],
          pool: null,
          reason: { code: 'notLoadBalancer', message },
          announcements: [],
          silent: [],
        },
        {
          namespace: 'default',
          name: 'web',
          state: 'assigned',
          addresses: ['192.168.1.240'],
          pool: 'first',
          reason: null,
          announcements: [
            { protocol: 'layer2', address: '192.168.1.240', node: 'node-a', interfaces: 'all' },
          ],
          silent: [{ protocol: 'layer2', node: 'node-b', because: 'notAlive' }],
        },
      ],
      pools: [],
      problems: [],
    })
  })

  it('has nothing silent to list for a protocol that does not advertise the pool', () => {
    const document = describePlan(plan(inputs({ config: config({ first: [] }) })))
    expect(document.services[0]).toMatchObject({ state: 'assigned', announcements: [], silent: [] })
  })

  it('has only problems to show for an invalid configuration', () => {
    const problem = { severity: 'error', kind: 'IPAddressPool', name: 'p', field: '', message: 'no' } as const
    expect(describeInvalid([problem])).toEqual({ services: [], pools: [], problems: [problem] })
  })
})

describe('an explanation', () => {
  it('tells which questions each node was asked and what puts a candidate before the next', () => {
    const nodes = [
      node('node-a', {}, { NetworkUnavailable: 'True' }),
      node('node-b', { disk: 'fast' }),
      node('node-c'),
      node('node-d'),
    ]
    const told = explain(
      plan(inputs({ nodes, config: config({ first: [ad({ prefer: [[7, 'disk=fast']] })] }) })),
      'default/web',
    )
    expect(told?.succession.map(({ node, score, aheadBy }) => [node, score, aheadBy])).toEqual([
      ['node-b', 7, 'score'],
      ['node-d', 0, 'digest'],
      ['node-c', 0, undefined],
    ])
    expect(told?.nodes[0]).toEqual({
      protocol: 'layer2',
      node: 'node-a',
      verdict: { speak: false, because: 'nodeNetworkUnavailable' },
      meaning: {
        sentence: 'the node has the condition NetworkUnavailable',
        advice: 'look at its network plugin',
      },
      gates: [
        { gate: 'notAlive', passed: true },
        { gate: 'heldDown', passed: true },
        { gate: 'noEndpoints', passed: true },
        { gate: 'sharedIPWithServiceSelector', passed: true },
        { gate: 'noMatchingAdvertisement', passed: true },
        { gate: 'nodeNetworkUnavailable', passed: false },
      ],
    })
    expect(told?.nodes[1]?.gates.at(-1)).toEqual({ gate: 'notOwner', passed: true })
    expect(told?.nodes[2]?.gates.at(-1)).toEqual({ gate: 'notOwner', passed: false })
  })

  it('knows nothing of a Service that does not exist', () => {
    expect(explain(plan(inputs()), 'default/none')).toBeUndefined()
  })
})

describe('the planner, from one plan to the next', () => {
  it('gives the same plan for the same inputs, and the same lists to those whom a change does not concern', () => {
    const planner = new Planner()
    const world: World = {
      services: [service('web'), service('db')],
      slices: [slice('web', ['node-a']), slice('db', ['node-a'])],
      assigned: { 'default/web': assigned('192.168.1.240'), 'default/db': assigned('192.168.1.241') },
    }
    const first = inputs(world)
    const one = planner.update(first)
    expect(one.changed).toEqual(['default/db', 'default/web'])
    const two = planner.update(first)
    expect(two.changed).toEqual([])
    expect(planner.update({ ...first })).toBe(two)

    const [a, d] = ['node-a', 'node-d'].map(name => two.advertisementsFor(name, 'one'))
    const endpointSlices = [first.snapshot.endpointSlices[0] as EndpointSlice]
    const three = planner.update({ ...first, snapshot: { ...first.snapshot, endpointSlices } })
    expect(three.changed).toEqual(['default/db'])
    expect(three.advertisementsFor('node-a', 'one')).toBe(a)
    expect(three.advertisementsFor('node-d', 'one')).toEqual([])
    // The plan before is as it was.
    expect(two.advertisementsFor('node-d', 'one')).toBe(d)
    expect(ownerOf(two, 'default/db')).toBe('node-d')
  })

  it('does not mind an allocation that changes in place', () => {
    const planner = new Planner()
    const first = inputs()
    planner.update(first)
    const live = first.allocation.services as Map<string, Assignment>
    live.set('default/web', assigned('10.20.30.2'))
    expect(places(planner.update({ ...first, allocation: { ...first.allocation } }), 'default/web')).toEqual([
      '10.20.30.2 by node-c',
    ])
  })

  it('notices members that come and go in a live set', () => {
    const planner = new Planner()
    const alive = new Set(four)
    const world = { ...inputs(), alive }
    expect(ownerOf(planner.update(world))).toBe('node-a')
    alive.delete('node-a')
    expect(ownerOf(planner.update(world))).toBe('node-d')
  })

  it('moves only to the newcomer when a node joins, and only what the lost node had when one leaves', () => {
    const names = Array.from({ length: 9 }, (_, i) => `host-${i}`)
    const keys = Array.from({ length: 300 }, (_, i) => `s${i}`)
    const world = inputs({
      nodes: names.map(name => node(name)),
      services: keys.map(name => service(name)),
      slices: keys.map(name => slice(name, ['host-0'])),
      assigned: Object.fromEntries(
        keys.map((name, i) => [`default/${name}`, assigned(`10.0.${i >> 8}.${i & 255}`)]),
      ),
    })
    const planner = new Planner(new Hasher(0))
    const owners = (alive: readonly string[]): (string | undefined)[] => {
      const planned = planner.update({ ...world, alive: new Set(alive) })
      const fresh = plan({ ...world, alive: new Set(alive) })
      for (const name of names)
        expect(planned.advertisementsFor(name, 'one')).toEqual(fresh.advertisementsFor(name, 'one'))
      return keys.map(name => ownerOf(planned, `default/${name}`))
    }
    const eight = owners(names.slice(0, 8))
    const nine = owners(names)
    expect(nine).toContain('host-8')
    expect(nine.filter((owner, i) => owner !== eight[i] && owner !== 'host-8')).toEqual([])
    const without = owners(names.filter(name => name !== 'host-3'))
    expect(
      without.map((owner, i) => (nine[i] === 'host-3' ? owner !== 'host-3' : owner === nine[i])),
    ).not.toContain(false)
    expect(owners(names)).toEqual(nine)
    // So much at once that lists are sorted anew.
    expect(new Set(owners(['host-1', 'host-2']))).toEqual(new Set(['host-1', 'host-2']))
    expect(new Set(owners(['host-2']))).toEqual(new Set(['host-2']))
    expect(owners([])).toEqual(keys.map(() => undefined))
    expect(owners(names)).toEqual(nine)
  })
})

// A small world in which everything can change.
const nodeNames = ['n1', 'n2', 'n3', 'n4', 'n5', 'n6']
const serviceNames = ['s1', 's2', 's3', 's4']
const vips = ['10.0.0.1', '10.0.0.2', 'fd00::1', 'fd00::2']
const flags = fc.boolean()
const some = (texts: readonly string[]): fc.Arbitrary<string[]> => fc.subarray([...texts])

const anyNode = fc
  .tuple(fc.constantFrom(...nodeNames), fc.constantFrom('x', 'y'), fc.constantFrom('True', 'False'), flags)
  .map(([name, zone, down, excluded]) => {
    const label = excluded ? { 'node.kubernetes.io/exclude-from-external-load-balancers': '' } : {}
    return node(name, { zone, ...label }, { NetworkUnavailable: down })
  })
const anyService = fc
  .tuple(fc.constantFrom(...serviceNames), flags, flags, fc.constantFrom('web', 'db'))
  .map(([name, local, shared, app]) =>
    service(name, {
      local,
      labels: { app },
      annotations: shared ? { 'metallb.io/allow-shared-ip': 'k' } : {},
    }),
  )
const anySlice = fc
  .tuple(
    fc.constantFrom(...serviceNames),
    some(nodeNames),
    flags,
    fc.constantFrom<string[]>([], ['10.9.0.1']),
  )
  .map(([name, hosts, ready, addresses]) =>
    slice(
      name,
      hosts.map(host => ({ node: host, ready, addresses })),
    ),
  )
const anyAd = fc
  .record({
    name: fc.constantFrom('ad1', 'ad2', 'ad3'),
    nodes: fc.subarray(['zone=x', 'zone=y']),
    services: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.constant(['app=web'])),
    interfaces: some(['eth0', 'eth1']),
    prefer: fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom('*', 'zone=x')), {
      maxLength: 2,
    }),
  })
  .map(ad)
const anyAssignment: fc.Arbitrary<Assignment> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.shuffledSubarray(vips, { minLength: 1, maxLength: 2 }).map(list => assigned(...list)),
  },
  fc.constant<Assignment>({ state: 'pending', addresses: [], publish: 'nothing' }),
)

const anyBgpAd = fc
  .record({
    name: fc.constantFrom('bgp1', 'bgp2', 'bgp3'),
    nodes: fc.subarray(['zone=x', 'zone=y']),
    services: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, fc.constant(['app=web'])),
    aggregationLength: fc.constantFrom(24, 32, 32),
    aggregationLengthV6: fc.constantFrom(64, 128, 128),
    localPref: fc.constantFrom(0, 0, 0, 100),
    communities: some(['large:1:2:3', '65000:1', '65000:2']),
    peers: fc.oneof(fc.constant([]), some(['p1', 'p2', 'p3'])),
  })
  .map(bgpAd)
const anyPeer = fc
  .tuple(
    fc.constantFrom('p1', 'p2', 'p3'),
    fc.constantFrom<PeerSpec>({}, { peerAddress: 'fd00::9' }, { interface: 'eth0' }),
    fc.subarray(['zone=x', 'zone=y']),
    flags,
  )
  .map(([name, spec, nodes, dualStackAddressFamily]) =>
    peer(name, { ...spec, nodes, dualStackAddressFamily }),
  )
const anyConfig = fc
  .record({
    layer2: fc.uniqueArray(anyAd, { maxLength: 3, selector: ({ name }) => name }),
    bgp: fc.uniqueArray(anyBgpAd, { maxLength: 3, selector: ({ name }) => name }),
    peers: fc.uniqueArray(anyPeer, { maxLength: 3, selector: ({ name }) => name }),
    families: fc.constantFrom<readonly Family[]>([4], [4, 6]),
  })
  .map(({ layer2, bgp, peers, families }) => config({ first: { layer2, bgp, families } }, peers))

type Edit = (world: PlanInputs) => PlanInputs

function upsert<Item extends { readonly metadata: { readonly name: string } }>(
  list: readonly Item[],
  item: Item,
): Item[] {
  const rest = list.filter(other => other.metadata.name !== item.metadata.name)
  const at = list.findIndex(other => other.metadata.name === item.metadata.name)
  return at < 0 ? [...rest, item] : rest.toSpliced(at, 0, item)
}

const inSnapshot = (edit: (snapshot: PlanInputs['snapshot']) => Partial<PlanInputs['snapshot']>): Edit => {
  return world => ({ ...world, snapshot: { ...world.snapshot, ...edit(world.snapshot) } })
}

const anyEdit: fc.Arbitrary<Edit> = fc.oneof(
  anyNode.map(item => inSnapshot(({ nodes }) => ({ nodes: upsert(nodes, item) }))),
  anyService.map(item => inSnapshot(({ services }) => ({ services: upsert(services, item) }))),
  anySlice.map(item =>
    inSnapshot(({ endpointSlices }) => ({ endpointSlices: upsert(endpointSlices, item) })),
  ),
  fc
    .constantFrom(...nodeNames)
    .map(name =>
      inSnapshot(({ nodes }) => ({ nodes: nodes.filter(({ metadata }) => metadata.name !== name) })),
    ),
  fc
    .constantFrom(...serviceNames)
    .map(name =>
      inSnapshot(({ services }) => ({ services: services.filter(({ metadata }) => metadata.name !== name) })),
    ),
  fc.tuple(fc.constantFrom(...serviceNames), anyAssignment).map(
    ([name, assignment]): Edit =>
      world => ({
        ...world,
        allocation: {
          ...world.allocation,
          services: new Map([...world.allocation.services, [`default/${name}`, assignment]]),
        },
      }),
  ),
  anyConfig.map(
    (chosen): Edit =>
      world => ({ ...world, config: chosen }),
  ),
  fc.option(some(nodeNames), { nil: undefined }).map(
    (alive): Edit =>
      world => ({ ...world, alive: alive && new Set(alive) }),
  ),
  some(nodeNames).map(
    (held): Edit =>
      world => ({ ...world, held: new Set(held) }),
  ),
  flags.map(
    (standalone): Edit =>
      world => ({ ...world, standalone }),
  ),
  flags.map(
    (ignoreExcludeLb): Edit =>
      world => ({ ...world, ignoreExcludeLb }),
  ),
)

const initial = inputs({
  nodes: nodeNames.map(name => node(name, { zone: 'x' })),
  services: serviceNames.map(name => service(name)),
  slices: serviceNames.map(name => slice(name, ['n1', 'n2'])),
  assigned: Object.fromEntries(
    serviceNames.map((name, i) => [`default/${name}`, assigned(vips[i] as string)]),
  ),
  config: config({ first: { layer2: [ad()], bgp: [bgpAd()] } }, [peer('p1')]),
})

/** All that can be asked of a plan. */
function everything(planned: Plan): unknown {
  const keys = [...planned.services.keys()].sort()
  return {
    document: describePlan(planned),
    explained: keys.map(key => explain(planned, key)),
    lists: nodeNames.map(name => planned.advertisementsFor(name, 'one')),
    routes: nodeNames.map(name => planned.advertisementsFor(name, 'each')),
  }
}

/** What of a Service is reported when it changes. */
const look = (entry: ServiceDocument | undefined): unknown =>
  entry && { ...entry, silent: [], announcements: entry.announcements.filter(isLayer2) }

describe('over any sequence of edits', () => {
  // Shared, as compiling the kernel takes longer than all it has to do here.
  const vectors = new Hasher(0)

  it('the planner says what a fresh one says, and names what changed', () => {
    fc.assert(
      fc.property(fc.array(fc.array(anyEdit, { minLength: 1, maxLength: 3 }), { maxLength: 12 }), rounds => {
        const planner = new Planner(vectors)
        let world = initial
        const before = planner.update(world)
        let shown = new Map(
          describePlan(before).services.map(entry => [`${entry.namespace}/${entry.name}`, entry]),
        )
        for (const name of nodeNames) {
          before.advertisementsFor(name, 'one')
          before.advertisementsFor(name, 'each')
        }
        for (const edits of rounds) {
          for (const edit of edits) world = edit(world)
          const after = planner.update(world)
          expect(everything(after)).toEqual(everything(plan(world)))
          const next = new Map(
            describePlan(after).services.map(entry => [`${entry.namespace}/${entry.name}`, entry]),
          )
          for (const key of new Set([...shown.keys(), ...next.keys()])) {
            if (JSON.stringify(look(shown.get(key))) !== JSON.stringify(look(next.get(key))))
              expect(after.changed).toContain(key)
          }
          shown = next
        }
      }),
      { numRuns: 200 },
    )
  })

  it('BGP announces what the rules say, node by node, and each node is handed its part of that', () => {
    fc.assert(
      fc.property(fc.array(anyEdit, { maxLength: 12 }), edits => {
        const world = edits.reduce((so, edit) => edit(so), initial)
        const planned = plan(world)
        const expected = bgpOracle(world)
        const sums = new Map<string, { readonly route: PeerRoute; readonly services: string[] }>()
        for (const { namespace, name, announcements, silent } of describePlan(planned).services) {
          const key = `${namespace}/${name}`
          expect({
            announcements: announcements.filter(({ protocol }) => protocol === 'bgp'),
            silent: silent
              .filter(({ protocol }) => protocol === 'bgp')
              .map(({ node, because }) => `${node} ${because}`),
          }).toEqual(expected.get(key))
          for (const one of expected.get(key)?.announcements ?? []) {
            const { prefix, node, peer, localPref, communities } = one
            const id = `${node} ${prefix} ${peer}`
            const sum = sums.get(id) ?? { route: { peer, localPref, communities }, services: [] }
            sums.set(id, sum)
            sum.services.push(key)
          }
        }
        for (const node of nodeNames) {
          const routes = planned
            .advertisementsFor(node, 'each')
            .flatMap(({ address, services, options }) =>
              options.peers.map(route => [`${node} ${address} ${route.peer}`, { route, services }] as const),
            )
          expect(routes.map(([id]) => id).sort()).toEqual(
            [...sums.keys()].filter(id => id.startsWith(`${node} `)).sort(),
          )
          for (const [id, { route, services }] of routes) {
            expect(route).toEqual(sums.get(id)?.route)
            expect(services).toEqual(expect.arrayContaining(sums.get(id)?.services ?? []))
          }
        }
      }),
      { numRuns: 300 },
    )
  })

  it('the owner heads the succession, and no address has two nodes', () => {
    fc.assert(
      fc.property(fc.array(anyEdit, { maxLength: 12 }), edits => {
        const planned = plan(edits.reduce((world, edit) => edit(world), initial))
        const nodes = new Map<string, string>()
        for (const service of planned.services.values()) {
          expect(service.owner).toBe(service.succession()[0])
          for (const { address, node } of service.announcements.filter(isLayer2)) {
            expect(nodes.get(address) ?? node).toBe(node)
            nodes.set(address, node)
          }
        }
      }),
    )
  })

  it('two nodes that list the same objects in another order find the same plan', () => {
    fc.assert(
      fc.property(fc.array(anyEdit, { maxLength: 12 }), edits => {
        const world = edits.reduce((so, edit) => edit(so), initial)
        const { snapshot, allocation } = world
        const mirrored: PlanInputs = {
          ...world,
          alive: world.alive && new Set([...world.alive].reverse()),
          allocation: { ...allocation, services: new Map([...allocation.services].reverse()) },
          snapshot: {
            ...snapshot,
            nodes: snapshot.nodes.toReversed(),
            services: snapshot.services.toReversed(),
            endpointSlices: snapshot.endpointSlices.toReversed(),
          },
        }
        expect(everything(plan(mirrored))).toEqual(everything(plan(world)))
      }),
    )
  })
})
