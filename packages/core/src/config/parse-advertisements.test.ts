import { describe, expect, it } from 'vitest'
import type { BGPAdvertisement, Community, IPAddressPool, L2Advertisement, Node } from '../resources/index.ts'
import { emptySnapshot, type Snapshot } from '../source/snapshot.ts'
import { parseConfig } from './parse-config.ts'

const metadata = (name: string, labels: Record<string, string> = {}) => ({ name, labels, annotations: {} })
const pool = (name: string, address: string, ...more: string[]): IPAddressPool => ({
  apiVersion: 'metallb.io/v1beta1',
  kind: 'IPAddressPool',
  metadata: metadata(name, { pool: name }),
  spec: { addresses: [address, ...more], autoAssign: true, avoidBuggyIPs: false },
})
const l2 = (name: string, spec: L2Advertisement['spec'] = {}): L2Advertisement => ({
  apiVersion: 'metallb.io/v1beta1',
  kind: 'L2Advertisement',
  metadata: metadata(name),
  spec,
})
const bgp = (name: string, spec: Partial<BGPAdvertisement['spec']> = {}): BGPAdvertisement => ({
  apiVersion: 'metallb.io/v1beta1',
  kind: 'BGPAdvertisement',
  metadata: metadata(name),
  spec: { aggregationLength: 32, aggregationLengthV6: 128, ...spec },
})
const community = (name: string, ...communities: { name: string; value: string }[]): Community => ({
  apiVersion: 'metallb.io/v1beta1',
  kind: 'Community',
  metadata: metadata(name),
  spec: { communities },
})
const node = (name: string, labels: Record<string, string>): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: metadata(name, labels),
  spec: { unschedulable: false, taints: [] },
  status: { conditions: [], addresses: [] },
})
const pools = [pool('a', '10.0.0.0/24'), pool('b', '10.0.1.0/24'), pool('six', 'fc00::/112')]
const parse = (snapshot: Partial<Snapshot>) => parseConfig({ ...emptySnapshot, pools, ...snapshot })
const said = (snapshot: Partial<Snapshot>): string[] =>
  parse(snapshot).problems.map(
    ({ severity, kind, name, field, message }) => `${severity} ${kind} ${name} ${field}: ${message}`,
  )
const on = (label: string) => ({ matchLabels: { 'kubernetes.io/hostname': label } })
const selecting = (snapshot: Partial<Snapshot>): Record<string, string[]> => {
  const { config } = parse(snapshot)
  const ads = config?.pools.map(({ name, l2Advertisements, bgpAdvertisements }) => {
    return [name, [...l2Advertisements, ...bgpAdvertisements].map(ad => ad.name)] as const
  })
  return Object.fromEntries(ads ?? [])
}

describe('an advertisement', () => {
  it('selects every pool when it selects none', () => {
    expect(selecting({ l2Advertisements: [l2('x')], bgpAdvertisements: [bgp('y')] })).toEqual({
      a: ['x', 'y'],
      b: ['x', 'y'],
      six: ['x', 'y'],
    })
  })

  it('selects pools by name and by label, each once, in name order', () => {
    const spec = { ipAddressPools: ['b', 'a'], ipAddressPoolSelectors: [{ matchLabels: { pool: 'a' } }] }
    expect(
      selecting({ l2Advertisements: [l2('z', spec), l2('x', spec)], bgpAdvertisements: [bgp('y', spec)] }),
    ).toEqual({
      a: ['x', 'z', 'y'],
      b: ['x', 'z', 'y'],
      six: [],
    })
  })

  it('may name a pool or a peer that does not exist yet, with a warning', () => {
    const snapshot = {
      l2Advertisements: [l2('x', { ipAddressPools: ['a', 'gone'] })],
      bgpAdvertisements: [bgp('y', { ipAddressPools: ['later'], peers: ['tor'] })],
    }
    expect(said(snapshot)).toEqual([
      'warning BGPAdvertisement y spec.ipAddressPools[0]: there is no IPAddressPool "later": create it, or remove the name',
      'warning BGPAdvertisement y spec.peers[0]: there is no BGPPeer "tor": create it, or remove the name',
      'warning L2Advertisement x spec.ipAddressPools[1]: there is no IPAddressPool "gone": create it, or remove the name',
    ])
    expect(selecting(snapshot)).toEqual({ a: ['x'], b: [], six: [] })
  })

  it('says nothing twice', () => {
    const twice = [on('n'), on('n')]
    const spec = {
      ipAddressPools: ['a', 'a'],
      ipAddressPoolSelectors: twice,
      nodeSelectors: twice,
      serviceSelectors: twice,
    }
    const fields = [
      'ipAddressPoolSelectors[1]',
      'ipAddressPools[1]',
      'nodeSelectors[1]',
      'serviceSelectors[1]',
    ]
    const { problems } = parse({ l2Advertisements: [l2('x', spec)] })
    expect(problems.map(({ field }) => field)).toEqual(fields.map(field => `spec.${field}`))
    const { problems: more } = parse({
      bgpAdvertisements: [bgp('y', { ...spec, communities: ['1:1', '1:1'], peers: ['p', 'p'] })],
    })
    expect(more.filter(({ severity }) => severity === 'error').map(({ field }) => field)).toEqual([
      'spec.communities[1]',
      ...fields.slice(0, 3).map(field => `spec.${field}`),
      'spec.peers[1]',
      'spec.serviceSelectors[1]',
    ])
  })
})

describe('a layer 2 advertisement', () => {
  it('keeps nodes, Services, interfaces and preferences', () => {
    const { config } = parse({
      l2Advertisements: [
        l2('x', {
          nodeSelectors: [on('n1')],
          serviceSelectors: [{ matchLabels: { app: 'web' } }],
          interfaces: ['eth1', 'eth0', 'eth1'],
          preferredNodeSelectors: [
            { weight: 100, preference: on('n1') },
            { weight: 1, preference: {} },
          ],
        }),
      ],
    })
    const ad = config?.pools[0]?.l2Advertisements[0]
    expect(ad?.nodeSelectors.map(({ text }) => text)).toEqual(['kubernetes.io/hostname=n1'])
    expect(ad?.serviceSelectors.map(({ text }) => text)).toEqual(['app=web'])
    expect(ad?.interfaces).toEqual(['eth1', 'eth0'])
    expect(ad?.preferences.map(({ weight, selector }) => [weight, selector.text])).toEqual([
      [100, 'kubernetes.io/hostname=n1'],
      [1, ''],
    ])
  })

  it('weighs preferences from 1 to 100', () => {
    expect(
      said({ l2Advertisements: [l2('x', { preferredNodeSelectors: [{ weight: 101, preference: {} }] })] }),
    ).toEqual([
      'error L2Advertisement x spec.preferredNodeSelectors[0].weight: 101 is no weight: it must be from 1 to 100',
    ])
  })

  it('may be there twice under two names', () => {
    expect(said({ l2Advertisements: [l2('x'), l2('y')] })).toEqual([])
  })
})

describe('a BGP advertisement', () => {
  it('may have the content of another one, and not its name', () => {
    expect(said({ bgpAdvertisements: [bgp('x'), bgp('y')] })).toEqual([])
    expect(said({ bgpAdvertisements: [bgp('x'), bgp('x')] })).toEqual([
      'error BGPAdvertisement x metadata.name: there are several objects of this kind and name: keep one',
    ])
  })

  it.each([
    [{ aggregationLength: 33 }, 'aggregationLength: 33 is no prefix length here: it must be from 1 to 32'],
    [
      { aggregationLengthV6: 129 },
      'aggregationLengthV6: 129 is no prefix length here: it must be from 0 to 128',
    ],
    [{ localPref: -1 }, 'localPref: -1 is no local preference: it must be from 0 to 4294967295'],
  ])('keeps within the bounds of %j', (spec, message) => {
    expect(said({ bgpAdvertisements: [bgp('x', spec)] })).toContain(
      `error BGPAdvertisement x spec.${message}`,
    )
  })

  it('announces single addresses when it selects Services', () => {
    const serviceSelectors = [{ matchLabels: { app: 'web' } }]
    expect(said({ bgpAdvertisements: [bgp('x', { serviceSelectors })] })).toEqual([])
    expect(said({ bgpAdvertisements: [bgp('x', { serviceSelectors, aggregationLength: 24 })] })).toEqual([
      'error BGPAdvertisement x spec.serviceSelectors: needs aggregationLength 32 and aggregationLengthV6 128, because a wider prefix carries other Services too: remove the lengths, or the selectors',
    ])
    expect(
      said({ bgpAdvertisements: [bgp('x', { serviceSelectors, aggregationLengthV6: 120 })] }),
    ).toHaveLength(1)
  })

  it('may not announce more than the widest block of an entry', () => {
    const list = [pool('p', '10.0.0.0/24', '10.0.2.0-10.0.2.10', '10.0.3.0/28', 'fc00::/64')]
    expect(said({ pools: list, bgpAdvertisements: [bgp('x', { aggregationLength: 29 })] })).toEqual([])
    expect(
      said({
        pools: list,
        bgpAdvertisements: [bgp('x', { aggregationLength: 26, aggregationLengthV6: 48 })],
      }),
    ).toEqual([
      'error BGPAdvertisement x spec.aggregationLength: /26 is wider than 10.0.2.0-10.0.2.10 in IPAddressPool "p", whose widest block is a /29 (and than 1 more of its entries): use 29 or more',
      'error BGPAdvertisement x spec.aggregationLengthV6: /48 is wider than fc00::/64 in IPAddressPool "p", whose widest block is a /64: use 64 or more',
    ])
    expect(
      said({ pools: list, bgpAdvertisements: [bgp('x', { aggregationLength: 8, ipAddressPools: ['q'] })] }),
    ).toEqual([expect.stringContaining('warning')])
  })
})

describe('communities of a BGP advertisement', () => {
  const communitiesOf = (communities: string[], ...objects: Community[]): readonly string[] | string[] => {
    const snapshot = { bgpAdvertisements: [bgp('x', { communities })], communities: objects }
    return parse(snapshot).config?.pools[0]?.bgpAdvertisements[0]?.communities ?? said(snapshot)
  }

  it('are literals, names from Community objects or well-known names; sorted as numbers, each once', () => {
    expect(
      communitiesOf(
        ['large:1:2:3', '65000:10', 'blue', 'no-export', '65000:9', '065000:009'],
        community('c', { name: 'blue', value: '65000:10' }),
      ),
    ).toEqual(['large:1:2:3', '65000:9', '65000:10', '65535:65281'])
  })

  it('prefer a name that is defined to a literal and to a well-known name', () => {
    const objects = community('c', { name: '1:1', value: '2:2' }, { name: 'no-export', value: '3:3' })
    expect(communitiesOf(['1:1', 'no-export'], objects)).toEqual(['2:2', '3:3'])
  })

  it('say which name is not defined, and which literal is none', () => {
    expect(communitiesOf(['1:2', 'red', '70000:1', 'huge:1:2:3'])).toEqual([
      'error BGPAdvertisement x spec.communities[1]: there is no community "red": define it in a Community object, or write the value, such as 65000:1 or large:65000:1:2',
      'error BGPAdvertisement x spec.communities[2]: "70000:1" is not a community: write 65000:1 (two numbers up to 65535) or large:65000:1:2',
      'error BGPAdvertisement x spec.communities[3]: "huge:1:2:3" is not a community: write 65000:1 (two numbers up to 65535) or large:65000:1:2',
    ])
  })

  it('are 63 at most, counted once each', () => {
    const many = Array.from({ length: 63 }, (_, i) => `1:${i}`)
    expect(communitiesOf([...many, '01:0'])).toHaveLength(63)
    expect(communitiesOf([...many, '2:0'])).toEqual([
      'error BGPAdvertisement x spec.communities: has 64 communities: a route can carry 63',
    ])
  })

  it('have one definition over all Community objects, and each value is checked', () => {
    expect(
      said({
        communities: [
          community('d', { name: 'blue', value: '1:3' }, { name: 'green', value: 'no-export' }),
          community('c', { name: 'blue', value: '1:1' }, { name: 'blue', value: '1:2' }),
        ],
        bgpAdvertisements: [bgp('x', { communities: ['green'] })],
      }),
    ).toEqual([
      'error Community c spec.communities[1].name: "blue" is defined already by Community "c" (spec.communities[0]): remove or rename one of them',
      'error Community d spec.communities[0].name: "blue" is defined already by Community "c" (spec.communities[0]): remove or rename one of them',
      'error Community d spec.communities[1].value: "no-export" is not a community: write 65535:65281',
    ])
  })
})

describe('local preferences', () => {
  const two = (
    one: Partial<BGPAdvertisement['spec']>,
    other: Partial<BGPAdvertisement['spec']>,
    nodes: readonly Node[] = [],
  ): string[] =>
    said({
      nodes,
      bgpAdvertisements: [bgp('x', { localPref: 100, ...one }), bgp('y', { localPref: 200, ...other })],
    }).filter(line => line.startsWith('error'))

  it('may not contradict each other on a pool', () => {
    expect(two({}, {})).toEqual([
      'error BGPAdvertisement y spec.localPref: 200 contradicts 100 of BGPAdvertisement "x" for the same routes of IPAddressPool "a": set both alike, or set the two apart by peers, nodeSelectors or aggregation length',
    ])
    expect(two({}, { localPref: 100 })).toEqual([])
    expect(two({ ipAddressPools: ['a'] }, { ipAddressPools: ['b'] })).toEqual([])
    expect(two({ peers: ['p'] }, { peers: ['q'] })).toEqual([])
    expect(two({ ipAddressPools: ['a'] }, { aggregationLength: 28 })).toEqual([])
  })

  it('are looked at again when the Services are known, for advertisements that select some', () => {
    expect(two({ serviceSelectors: [{}] }, {})).toEqual([])
  })

  it('may differ from node to node', () => {
    const apart = [
      { nodeSelectors: [{ matchLabels: { rack: '1' } }] },
      { nodeSelectors: [{ matchLabels: { edge: '' } }] },
    ] as const
    const nodes = [node('n1', { rack: '1' }), node('n2', { edge: '' })]
    expect(two(...apart, nodes)).toEqual([])
    expect(two(...apart, [...nodes, node('n3', { rack: '1', edge: '' })])).toHaveLength(1)
    expect(two(apart[0], {}, nodes)).toHaveLength(1)
    // Nothing is selected by either, so there is nothing to contradict.
    expect(two(...apart, [node('n4', {})])).toEqual([])
  })

  it('without Nodes to look at conflict unless the selectors exclude each other', () => {
    expect(two({ nodeSelectors: [on('n1')] }, { nodeSelectors: [on('n2'), on('n3')] })).toEqual([])
    expect(two({ nodeSelectors: [on('n1')] }, { nodeSelectors: [on('n2'), on('n1')] })).toHaveLength(1)
    expect(
      two({ nodeSelectors: [on('n1')] }, { nodeSelectors: [{ matchLabels: { rack: '1' } }] }),
    ).toHaveLength(1)
  })
})
