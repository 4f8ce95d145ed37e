import { describe, expect, it } from 'vitest'
import { asYaml, carillon, over, type Planned, planOf } from './carillon.ts'
import {
  bgp,
  community,
  dual,
  endpoint,
  l2,
  type Manifest,
  node,
  oldPeer,
  peer,
  pool,
  service,
  slice,
  v6,
} from './manifests.ts'

/** Who tells whom of what by BGP, and why the others are silent, in a few words. */
function voices({ services }: Planned, name = 'web'): string {
  const one = services.find(candidate => candidate.name === name)
  const speaks = one?.announcements.flatMap(found => {
    if (found.protocol !== 'bgp') return []
    const pref = found.localPref === 0 ? '' : ` pref=${found.localPref}`
    const communities = found.communities.length === 0 ? '' : ` ${found.communities.join(',')}`
    return `${found.prefix}@${found.node}>${found.peer}${pref}${communities}`
  })
  const silent = one?.silent.flatMap(({ protocol, node, because }) =>
    protocol === 'bgp' ? `${node}:${because}` : [],
  )
  return [...(speaks ?? []), ...(silent ?? [])].join('; ')
}

type Row = readonly [story: string, manifests: readonly Manifest[], expected: string, ...flags: string[]]

function stories(rows: readonly Row[]): void {
  for (const [story, manifests, expected, ...flags] of rows) {
    it(story, async () => {
      const plan = await planOf(manifests, ...flags)
      expect(plan.problems.filter(({ severity }) => severity === 'error')).toEqual([])
      expect(voices(plan)).toBe(expected)
      expect(plan.code).toBe(0)
    })
  }
}

const vip = '10.20.30.1'
const here = pool('p', ['10.20.30.0/24', 'fc00::/120'])
const at = (address: string, more: Parameters<typeof service>[1] = {}): Manifest =>
  service('web', { ...more, asks: { loadBalancerIPs: address, ...more.asks } })
const web = at(vip)
const served = slice('web', [endpoint('a')])
const [a, b, c] = ['a', 'b', 'c'].map(n => node(n, { labels: { n } })) as [Manifest, Manifest, Manifest]
const on = (...names: readonly string[]): object => ({
  nodeSelectors: names.map(n => ({ matchLabels: { n } })),
})
const app = (name: string): object => ({ serviceSelectors: [{ matchLabels: { app: name } }] })
const exclude = { 'node.kubernetes.io/exclude-from-external-load-balancers': '' }
const all = (word: string): string => ['a', 'b'].map(name => `${name}:${word}`).join('; ')
const both = `${vip}/32@a>tor; ${vip}/32@b>tor`

describe('which nodes announce by BGP', () => {
  const local = { spec: { externalTrafficPolicy: 'Local' } }
  stories([
    ['every node, once an endpoint can serve somewhere', [here, bgp(), peer(), a, b, web, served], both],
    ['nobody without endpoints', [here, bgp(), peer(), a, b, web], all('noEndpoints')],
    [
      'an endpoint without an address does not count, though it does on layer 2',
      [here, bgp(), peer(), a, b, web, slice('web', [{ addresses: [], nodeName: 'a', conditions: {} }])],
      all('noEndpoints'),
    ],
    [
      'an endpoint that is not ready but serving counts',
      [here, bgp(), peer(), a, b, web, slice('web', [endpoint('c', { ready: false, serving: true })])],
      both,
    ],
    [
      'with the policy Local those that have an endpoint',
      [here, bgp(), peer(), a, b, at(vip, local), served],
      `${vip}/32@a>tor; b:noLocalEndpoints`,
    ],
    [
      'with the policy Local and none anywhere the reason is the same for all',
      [here, bgp(), peer(), a, b, at(vip, local)],
      all('noLocalEndpoints'),
    ],
    [
      'a node that no advertisement of the pool includes is no owner',
      [here, bgp(on('a')), peer(), a, b, web, served],
      `${vip}/32@a>tor; b:notOwner`,
    ],
    [
      'a node whose advertisements do not match the Service',
      [here, bgp(on('a')), bgp({ ...on('b'), ...app('db') }, 'db'), peer(), a, b, c, web, served],
      `${vip}/32@a>tor; b:noMatchingAdvertisement; c:notOwner`,
    ],
    [
      'an advertisement that selects the Service',
      [here, bgp(app('web')), peer(), a, b, at(vip, { labels: { app: 'web' } }), served],
      both,
    ],
    [
      'a node without network',
      [
        here,
        bgp(),
        peer(),
        a,
        node('b', { conditions: [{ type: 'NetworkUnavailable', status: 'True' }] }),
        web,
        served,
      ],
      `${vip}/32@a>tor; b:nodeNetworkUnavailable`,
    ],
    [
      'an excluded node',
      [here, bgp(), peer(), a, node('b', { labels: exclude }), web, served],
      `${vip}/32@a>tor; b:nodeLabeledExcludeBalancers`,
    ],
    [
      'an excluded node, where the label is not heeded',
      [here, bgp(), peer(), a, node('b', { labels: exclude }), web, served],
      both,
      '--ignore-exclude-lb',
    ],
    [
      'no network is told before the label, the label before endpoints',
      [
        here,
        bgp(),
        peer(),
        node('a', { labels: exclude, conditions: [{ type: 'NetworkUnavailable', status: 'True' }] }),
        node('b', { labels: exclude }),
        web,
      ],
      'a:nodeNetworkUnavailable; b:nodeLabeledExcludeBalancers',
    ],
    [
      'a node that is not alive, whatever else is the matter',
      [here, bgp(on('a')), peer(), a, b, web, served],
      `${vip}/32@a>tor; b:notAlive`,
      '--alive',
      'a',
    ],
    [
      'a member without a Node is included nowhere',
      [here, bgp(), peer(), a, web, served],
      `${vip}/32@a>tor; z:notOwner`,
      '--alive',
      'a,z',
    ],
    [
      'without Kubernetes every member, and a Service without EndpointSlices is served',
      [here, bgp(), peer(), at(vip, { clusterIPs: [], ...local })],
      both,
      '--standalone',
      '--alive',
      'a,b',
    ],
    ['no BGPAdvertisement: nobody, and nobody is silent', [here, l2(), peer(), a, b, web, served], ''],
    [
      'an advertisement of another pool',
      [here, pool('q', ['10.1.0.0/24']), bgp({ ipAddressPools: ['q'] }), peer(), a, b, web, served],
      '',
    ],
    [
      'a pool that is named and selected by label is announced once',
      [
        pool('p', ['10.20.30.0/24'], {}, { x: 'y' }),
        bgp({ ipAddressPools: ['p'], ipAddressPoolSelectors: [{ matchLabels: { x: 'y' } }] }),
        peer(),
        a,
        b,
        web,
        served,
      ],
      both,
    ],
    ['a pending Service is announced by nobody', [here, bgp(), peer(), a, b, at('10.99.0.1'), served], ''],
  ])
})

describe('which peers are told', () => {
  stories([
    ['nobody where there is no peer', [here, bgp(), a, b, web, served], all('noPeer')],
    [
      'every peer, by name',
      [here, bgp(), peer({ peerAddress: '10.9.9.2' }, 'tor-2'), peer({}, 'tor-1'), a, web, served],
      `${vip}/32@a>tor-1; ${vip}/32@a>tor-2`,
    ],
    [
      'only those that the advertisement names',
      [
        here,
        bgp({ peers: ['tor-2', 'nobody'] }),
        peer({ peerAddress: '10.9.9.2' }, 'tor-2'),
        peer({}, 'tor-1'),
        a,
        web,
        served,
      ],
      `${vip}/32@a>tor-2`,
    ],
    [
      'none of those that it names exists',
      [here, bgp({ peers: ['x'] }), peer(), a, b, web, served],
      all('noPeer'),
    ],
    [
      'a peer on the nodes that it selects',
      [here, bgp(), peer(on('a')), a, b, web, served],
      `${vip}/32@a>tor; b:noPeer`,
    ],
    [
      'one peer for each rack',
      [here, bgp(), peer(on('a'), 'rack-1'), peer(on('b'), 'rack-2'), a, b, web, served],
      `${vip}/32@a>rack-1; ${vip}/32@b>rack-2`,
    ],
    ['a peer of the old version', [here, bgp(), oldPeer({ holdTime: '0s' }), a, b, web, served], both],
    [
      'an IPv4 peer does not hear of IPv6',
      [here, bgp(), peer(), a, b, at('fc00::1', { clusterIPs: v6 }), served],
      all('noPeer'),
    ],
    [
      'each family over the sessions that carry it',
      [
        here,
        bgp(),
        peer({}, 'four'),
        peer({ peerAddress: 'fd00::1' }, 'six'),
        a,
        at(`${vip},fc00::1`, { clusterIPs: dual }),
        served,
      ],
      `${vip}/32@a>four; fc00::1/128@a>six`,
    ],
    [
      'both families over one session that carries both',
      [
        here,
        bgp(),
        peer({ dualStackAddressFamily: true }),
        a,
        at(`${vip},fc00::1`, { clusterIPs: dual }),
        served,
      ],
      `${vip}/32@a>tor; fc00::1/128@a>tor`,
    ],
    [
      'both families over an unnumbered session',
      [
        here,
        bgp(),
        peer({ peerAddress: undefined, interface: 'eth0' }),
        a,
        at(`${vip},fc00::1`, { clusterIPs: dual }),
        served,
      ],
      `${vip}/32@a>tor; fc00::1/128@a>tor`,
    ],
    [
      'one of two families is enough for a node to speak',
      [here, bgp(), peer(), a, at(`${vip},fc00::1`, { clusterIPs: dual }), served],
      `${vip}/32@a>tor`,
    ],
  ])
})

describe('what they are told', () => {
  const names = community('names', ['blue', '65000:7'], ['no-export', '65000:8'])
  stories([
    [
      'an aggregate',
      [
        here,
        bgp({ aggregationLength: 26, aggregationLengthV6: 124 }),
        peer({ dualStackAddressFamily: true }),
        a,
        at('10.20.30.77,fc00::1f', { clusterIPs: dual }),
        served,
      ],
      '10.20.30.64/26@a>tor; fc00::10/124@a>tor',
    ],
    [
      'an aggregate and the address itself',
      [here, bgp({}, 'one'), bgp({ aggregationLength: 24 }, 'net'), peer(), a, web, served],
      `10.20.30.0/24@a>tor; ${vip}/32@a>tor`,
    ],
    [
      'communities in numeric order, names resolved, each once',
      [
        here,
        bgp({ communities: ['65000:10', 'blue', 'large:65000:1:2', '65000:9', 'blackhole'] }),
        names,
        peer(),
        a,
        web,
        served,
      ],
      `${vip}/32@a>tor large:65000:1:2,65000:7,65000:9,65000:10,65535:666`,
    ],
    [
      'a name that a Community defines wins over the well-known one',
      [here, bgp({ communities: ['no-export', 'local-as'] }), names, peer(), a, web, served],
      `${vip}/32@a>tor 65000:8,65535:65283`,
    ],
    [
      'what two advertisements say, merged',
      [
        here,
        bgp({ communities: ['65000:2'], localPref: 5 }, 'one'),
        bgp({ communities: ['65000:1', '65000:2'], localPref: 5 }, 'two'),
        peer(),
        a,
        web,
        served,
      ],
      `${vip}/32@a>tor pref=5 65000:1,65000:2`,
    ],
    [
      'to each peer what its advertisements say',
      [
        here,
        bgp({ communities: ['65000:1'] }, 'all'),
        bgp({ communities: ['65000:2'], peers: ['y'] }, 'some'),
        peer({}, 'x'),
        peer({ peerAddress: '10.9.9.2' }, 'y'),
        a,
        web,
        served,
      ],
      `${vip}/32@a>x 65000:1; ${vip}/32@a>y 65000:1,65000:2`,
    ],
    [
      'by each node what includes it',
      [
        here,
        bgp({ ...on('a'), localPref: 200, communities: ['65000:1'] }, 'first'),
        bgp({ ...on('b'), localPref: 100 }, 'second'),
        peer(),
        a,
        b,
        web,
        served,
      ],
      `${vip}/32@a>tor pref=200 65000:1; ${vip}/32@b>tor pref=100`,
    ],
  ])
})

describe('local preferences that contradict each other', () => {
  const labelled = at(vip, { labels: { app: 'web' } })
  const one = (spec: object = {}): Manifest => bgp({ localPref: 100, ...app('web'), ...spec }, 'one')
  const two = (spec: object = {}): Manifest => bgp({ localPref: 200, ...spec }, 'two')
  stories([
    [
      'silence the nodes',
      [here, one(), two(), peer(), a, b, labelled, served],
      all('conflictingAdvertisements'),
    ],
    [
      'silence only the nodes on which they meet',
      [here, one(on('a')), two(), peer(), a, b, labelled, served],
      `${vip}/32@b>tor pref=200; a:conflictingAdvertisements`,
    ],
    [
      'do not concern a Service that only one of them selects',
      [here, one(), two(), peer(), a, b, web, served],
      `${vip}/32@a>tor pref=200; ${vip}/32@b>tor pref=200`,
    ],
    [
      'do not when they tell different peers',
      [
        here,
        one({ peers: ['x'] }),
        two({ peers: ['y'] }),
        peer({}, 'x'),
        peer({ peerAddress: '10.9.9.2' }, 'y'),
        a,
        labelled,
        served,
      ],
      `${vip}/32@a>x pref=100; ${vip}/32@a>y pref=200`,
    ],
    [
      'do when one leaves its preference open',
      [here, one(), two({ localPref: 0 }), peer(), a, b, labelled, served],
      all('conflictingAdvertisements'),
    ],
    [
      'are told before what is wrong with the node',
      [here, one(), two(), peer(), node('a', { labels: exclude }), labelled, served],
      'a:conflictingAdvertisements',
    ],
    [
      'between two Services on one address are settled: the higher one holds, and both are announced',
      [
        here,
        one(),
        bgp({ localPref: 300, communities: ['65000:3'], ...app('db') }, 'three'),
        peer(),
        a,
        at(vip, { labels: { app: 'web' }, asks: { 'allow-shared-ip': 'k' }, ports: ['TCP/80'] }),
        service('db', {
          labels: { app: 'db' },
          asks: { loadBalancerIPs: vip, 'allow-shared-ip': 'k' },
          ports: ['TCP/81'],
        }),
        served,
        slice('db', [endpoint('a')]),
      ],
      `${vip}/32@a>tor pref=300 65000:3`,
    ],
  ])
})

describe('the plan as a document', () => {
  it('sorts announcements by protocol, prefix, node and peer, and lists layer 2 beside BGP', async () => {
    const { services } = await planOf([here, l2(), bgp(), peer(), a, b, web, served])
    expect(services[0]?.announcements).toEqual([
      { protocol: 'bgp', prefix: `${vip}/32`, node: 'a', peer: 'tor', localPref: 0, communities: [] },
      { protocol: 'bgp', prefix: `${vip}/32`, node: 'b', peer: 'tor', localPref: 0, communities: [] },
      { protocol: 'layer2', address: vip, node: expect.stringMatching(/^[ab]$/), interfaces: 'all' },
    ])
    expect(services[0]?.silent).toMatchObject([{ protocol: 'layer2', because: 'notOwner' }])
  })

  it('is a table for people, too', async () => {
    const files = { 'all.yaml': asYaml([here, bgp({ peers: ['tor'] }), peer(), a, b, c, web, served]) }
    const { out } = await over(files, 'plan')
    expect(out).toMatch(/^default\/web +assigned +10\.20\.30\.1 +p +bgp a, b, c to tor$/m)
    const nobody = { 'all.yaml': asYaml([here, bgp({ peers: ['x'] }), peer(), a, b, web, served]) }
    const silent = await over(nobody, 'plan')
    expect(silent.out).toMatch(/nobody: noPeer \(2\)$/m)
    expect(silent.out).toMatch(/^noPeer: the node has no BGP session that would carry the routes; look at /m)
  })

  it('asks for a peer and its file together', async () => {
    const answer = await carillon('run', '--manifests', '.', '--bgp-password-file', 'secret')
    expect(answer).toMatchObject({ code: 2, err: expect.stringMatching(/wants PEER=FILE/) })
    expect(answer.err).not.toContain('secret')
  })
})
