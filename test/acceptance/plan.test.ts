import { describe, expect, it } from 'vitest'
import { type Planned, planOf } from './carillon.ts'
import {
  dual,
  endpoint,
  l2,
  type Manifest,
  namespace,
  node,
  pinned,
  pool,
  service,
  slice,
  v4,
  v6,
} from './manifests.ts'

/** What a Service got, in a few words: `10.0.0.1 from a`, `pending NoPools`, `ignored otherClass`, `10.0.0.1 from a but AllocationFailed`. */
function words({ state, addresses, pool, reason }: Planned['services'][number]): string {
  const code = reason?.code ?? ''
  if (state !== 'assigned') return `${state} ${code}`
  return `${addresses.join(' ')} from ${pool}${code === '' ? '' : ` but ${code}`}`
}

const got = ({ services }: Planned): Readonly<Record<string, string>> =>
  Object.fromEntries(
    services.map(one => [
      one.namespace === 'default' ? one.name : `${one.namespace}/${one.name}`,
      words(one),
    ]),
  )

type Row = readonly [
  story: string,
  manifests: readonly Manifest[],
  expected: Readonly<Record<string, string>>,
  ...flags: string[],
]

function stories(rows: readonly Row[]): void {
  for (const [story, manifests, expected, ...flags] of rows) {
    it(story, async () => {
      const plan = await planOf(manifests, ...flags)
      expect(plan.problems.filter(({ severity }) => severity === 'error')).toEqual([])
      expect(got(plan)).toEqual(expected)
      expect(plan.code).toBe(0)
    })
  }
}

const web = (more: Parameters<typeof service>[1] = {}): Manifest => service('web', more)
const asks = (loadBalancerIPs: string, more: object = {}): Manifest =>
  web({ asks: { loadBalancerIPs }, ...more })
const eight = pool('a', ['10.0.0.0/29'])
const twoStacks = pool('both', ['10.0.0.1-10.0.0.2', 'fc00::1-fc00::2'])
const small = (name: string, n: number, spec: object = {}): Manifest => pool(name, [`10.0.${n}.1/32`], spec)
const local = { externalTrafficPolicy: 'Local', selector: { app: 'x' } }

describe('which Services are ours', () => {
  stories([
    ['a LoadBalancer gets an address', [eight, web()], { web: '10.0.0.0 from a' }],
    [
      'a ClusterIP gets none',
      [eight, web({ spec: { type: 'ClusterIP' } })],
      { web: 'ignored notLoadBalancer' },
    ],
    [
      'a NodePort gets none',
      [eight, web({ spec: { type: 'NodePort' } })],
      { web: 'ignored notLoadBalancer' },
    ],
    [
      'an ExternalName gets none',
      [eight, web({ spec: { type: 'ExternalName' } })],
      { web: 'ignored notLoadBalancer' },
    ],
    ['no type is ClusterIP', [eight, web({ spec: { type: undefined } })], { web: 'ignored notLoadBalancer' }],
    [
      'one of another class is left alone',
      [eight, web({ spec: { loadBalancerClass: 'x' } })],
      { web: 'ignored otherClass' },
    ],
    [
      'our class alone is served',
      [eight, web({ spec: { loadBalancerClass: 'x' } })],
      { web: '10.0.0.0 from a' },
      '--lb-class',
      'x',
    ],
    [
      'with a class, those without one are left alone',
      [eight, web()],
      { web: 'ignored otherClass' },
      '--lb-class',
      'x',
    ],
    [
      'classes are compared exactly',
      [eight, web({ spec: { loadBalancerClass: 'X' } })],
      { web: 'ignored otherClass' },
      '--lb-class',
      'x',
    ],
    [
      'type is looked at before class',
      [eight, web({ spec: { type: 'NodePort', loadBalancerClass: 'x' } })],
      { web: 'ignored notLoadBalancer' },
    ],
    [
      'the address of another class is not ours to protect',
      [small('a', 0), web({ spec: { loadBalancerClass: 'x' }, has: ['10.0.0.1'] }), service('new')],
      { web: 'ignored otherClass', new: '10.0.0.1 from a' },
    ],
    [
      'Services of one name in two namespaces are two',
      [eight, web(), web({ namespace: 'other' })],
      { web: '10.0.0.0 from a', 'other/web': '10.0.0.1 from a' },
    ],
  ])
})

describe('why a Service stays pending', () => {
  stories([
    ['no pool at all', [web()], { web: 'pending NoPools' }],
    ['no cluster IP', [eight, web({ clusterIPs: [] })], { web: 'pending NoClusterIPs' }],
    ['headless', [eight, web({ clusterIPs: ['None'] })], { web: 'pending NoClusterIPs' }],
    ['a cluster IP that is none', [eight, web({ clusterIPs: ['what'] })], { web: 'pending NoClusterIPs' }],
    [
      'no pool that gives addresses unasked',
      [pool('a', ['10.0.0.0/29'], { autoAssign: false }), web()],
      { web: 'pending AllocationFailed' },
    ],
    [
      'pool full',
      [small('a', 0), service('first', { has: ['10.0.0.1'] }), web()],
      { first: '10.0.0.1 from a', web: 'pending AllocationFailed' },
    ],
    [
      'unknown pool requested',
      [eight, web({ asks: { 'address-pool': 'b' } })],
      { web: 'pending AllocationFailed' },
    ],
    ['requested address outside the pools', [eight, asks('10.1.0.1')], { web: 'pending AllocationFailed' }],
    [
      'requested addresses in two pools',
      [eight, pool('b', ['fc00::/120']), asks('10.0.0.1,fc00::1', { clusterIPs: dual })],
      { web: 'pending AllocationFailed' },
    ],
    [
      'requested address excluded by avoidBuggyIPs',
      [pool('a', ['10.0.0.0/29'], { avoidBuggyIPs: true }), asks('10.0.0.0')],
      { web: 'pending AllocationFailed' },
    ],
    [
      'the pool of the requested address does not admit the namespace',
      [pinned('a', ['10.0.0.0/29'], { namespaces: ['other'] }), asks('10.0.0.1')],
      { web: 'pending AllocationFailed' },
    ],
    [
      'family of the request is not the family of the Service',
      [eight, asks('10.0.0.1', { clusterIPs: v6 })],
      { web: 'pending FamilyMismatch' },
    ],
    ['IPv6 requested for an IPv4 Service', [twoStacks, asks('fc00::1')], { web: 'pending FamilyMismatch' }],
    [
      'two addresses requested for a single-stack Service',
      [twoStacks, asks('10.0.0.1,fc00::1')],
      { web: 'pending FamilyMismatch' },
    ],
    [
      'one address requested for a dual-stack Service',
      [twoStacks, asks('10.0.0.1', { clusterIPs: dual })],
      { web: 'pending FamilyMismatch' },
    ],
    [
      'even with PreferDualStack',
      [twoStacks, asks('10.0.0.1', { clusterIPs: dual, spec: { ipFamilyPolicy: 'PreferDualStack' } })],
      { web: 'pending FamilyMismatch' },
    ],
    [
      'requested address in use',
      [eight, service('first', { has: ['10.0.0.1'] }), asks('10.0.0.1')],
      { first: '10.0.0.1 from a', web: 'pending AllocationFailed' },
    ],
    [
      'RequireDualStack with one cluster IP',
      [twoStacks, web({ spec: { ipFamilyPolicy: 'RequireDualStack' } })],
      { web: 'pending NotEnoughClusterIPs' },
    ],
    [
      'no pool with both families',
      [
        eight,
        pool('b', ['fc00::/120']),
        web({ clusterIPs: dual, spec: { ipFamilyPolicy: 'RequireDualStack' } }),
      ],
      { web: 'pending AllocationFailed' },
    ],
    ['no pool of the family', [eight, web({ clusterIPs: v6 })], { web: 'pending AllocationFailed' }],
    [
      'both ways of asking at once',
      [eight, asks('10.0.0.1', { spec: { loadBalancerIP: '10.0.0.1' } })],
      { web: 'pending LoadBalancerFailed' },
    ],
    ['nonsense requested', [eight, asks('ten')], { web: 'pending LoadBalancerFailed' }],
    ['a trailing comma', [eight, asks('10.0.0.1,')], { web: 'pending LoadBalancerFailed' }],
    [
      'three addresses requested',
      [eight, asks('10.0.0.1,fc00::1,10.0.0.2')],
      { web: 'pending LoadBalancerFailed' },
    ],
    [
      'two of one family requested',
      [eight, asks('10.0.0.1,10.0.0.2', { clusterIPs: dual })],
      { web: 'pending LoadBalancerFailed' },
    ],
    ['a CIDR requested', [eight, asks('10.0.0.1/32')], { web: 'pending LoadBalancerFailed' }],
    ['leading zeros requested', [eight, asks('10.0.0.01')], { web: 'pending LoadBalancerFailed' }],
    [
      'a zone requested',
      [twoStacks, asks('fc00::1%eth0', { clusterIPs: v6 })],
      { web: 'pending LoadBalancerFailed' },
    ],
    [
      'nonsense in spec.loadBalancerIP',
      [eight, web({ spec: { loadBalancerIP: 'ten' } })],
      { web: 'pending LoadBalancerFailed' },
    ],
    [
      'the pool asked for is not that of the address asked for',
      [
        eight,
        small('b', 1),
        asks('10.0.1.1', { asks: { loadBalancerIPs: '10.0.1.1', 'address-pool': 'a' } }),
      ],
      { web: 'pending AllocationFailed' },
    ],
    ['an advertisement is not needed for an address', [eight, web()], { web: '10.0.0.0 from a' }],
    [
      'no selector of the pool admits the labels',
      [pinned('a', ['10.0.0.0/29'], { serviceSelectors: [{ matchLabels: { a: 'b' } }] }), web()],
      { web: 'pending AllocationFailed' },
    ],
    [
      'no cluster IP is told before a malformed request',
      [eight, asks('ten', { clusterIPs: [] })],
      { web: 'pending NoClusterIPs' },
    ],
    ['no pool is told before no cluster IP', [web({ clusterIPs: [] })], { web: 'pending NoPools' }],
  ])
})

describe('what a Service may ask for', () => {
  stories([
    ['an address', [eight, asks('10.0.0.5')], { web: '10.0.0.5 from a' }],
    [
      'an address by spec.loadBalancerIP',
      [eight, web({ spec: { loadBalancerIP: '10.0.0.5' } })],
      { web: '10.0.0.5 from a' },
    ],
    [
      'with spaces around',
      [twoStacks, asks(' 10.0.0.2 , fc00::2 ', { clusterIPs: dual })],
      { web: '10.0.0.2 fc00::2 from both' },
    ],
    [
      'in another spelling',
      [twoStacks, asks('FC00:0::0002', { clusterIPs: v6 })],
      { web: 'fc00::2 from both' },
    ],
    [
      'by the old prefix',
      [eight, web({ asks: { 'metallb.universe.tf/loadBalancerIPs': '10.0.0.5' } })],
      { web: '10.0.0.5 from a' },
    ],
    [
      'the new prefix wins',
      [
        eight,
        asks('10.0.0.5', {
          asks: { loadBalancerIPs: '10.0.0.5', 'metallb.universe.tf/loadBalancerIPs': '10.0.0.6' },
        }),
      ],
      { web: '10.0.0.5 from a' },
    ],
    [
      'the new prefix wins even when it is empty',
      [eight, web({ asks: { loadBalancerIPs: '', 'metallb.universe.tf/loadBalancerIPs': '10.0.0.6' } })],
      { web: '10.0.0.0 from a' },
    ],
    ['an empty request is none', [eight, asks('')], { web: '10.0.0.0 from a' }],
    ['an empty pool is none', [eight, web({ asks: { 'address-pool': '' } })], { web: '10.0.0.0 from a' }],
    [
      'an empty spec.loadBalancerIP is none',
      [eight, web({ spec: { loadBalancerIP: '' } })],
      { web: '10.0.0.0 from a' },
    ],
    ['a pool', [eight, small('b', 1), web({ asks: { 'address-pool': 'b' } })], { web: '10.0.1.1 from b' }],
    [
      'a pool by the old prefix',
      [eight, small('b', 1), web({ asks: { 'metallb.universe.tf/address-pool': 'b' } })],
      { web: '10.0.1.1 from b' },
    ],
    [
      'a pool that gives nothing unasked',
      [eight, small('b', 1, { autoAssign: false }), web({ asks: { 'address-pool': 'b' } })],
      { web: '10.0.1.1 from b' },
    ],
    [
      'an address of a pool that gives nothing unasked',
      [eight, small('b', 1, { autoAssign: false }), asks('10.0.1.1')],
      { web: '10.0.1.1 from b' },
    ],
    [
      'a pool that does not admit it refuses also when asked',
      [
        eight,
        pinned('b', ['10.0.1.1/32'], { namespaces: ['other'] }),
        web({ asks: { 'address-pool': 'b' } }),
      ],
      { web: 'pending AllocationFailed' },
    ],
    [
      'address and pool that agree',
      [eight, web({ asks: { loadBalancerIPs: '10.0.0.5', 'address-pool': 'a' } })],
      { web: '10.0.0.5 from a' },
    ],
    [
      'two addresses keep the order of the request',
      [twoStacks, asks('fc00::1,10.0.0.1', { clusterIPs: dual })],
      { web: 'fc00::1 10.0.0.1 from both' },
    ],
    [
      'network and broadcast addresses are addresses',
      [pool('a', ['10.0.0.0/30']), service('s1'), service('s2'), service('s3'), service('s4')],
      { s1: '10.0.0.0 from a', s2: '10.0.0.1 from a', s3: '10.0.0.2 from a', s4: '10.0.0.3 from a' },
    ],
    [
      'who asks for an address goes before who takes any',
      [small('a', 0), service('any'), service('asker', { asks: { loadBalancerIPs: '10.0.0.1' } })],
      { any: 'pending AllocationFailed', asker: '10.0.0.1 from a' },
    ],
  ])
})

describe('the order of pools', () => {
  const rule = (priority?: number, more: object = {}): object => ({
    ...(priority === undefined ? {} : { priority }),
    namespaces: ['default'],
    ...more,
  })
  stories([
    [
      'the first by name, where nothing ranks them',
      [small('b', 1), small('a', 0), web()],
      { web: '10.0.0.1 from a' },
    ],
    [
      'a pinned pool before one that is not',
      [small('a', 0), pinned('b', ['10.0.1.1/32'], rule()), web()],
      { web: '10.0.1.1 from b' },
    ],
    [
      'a lower priority before a higher one',
      [pinned('a', ['10.0.0.1/32'], rule(20)), pinned('b', ['10.0.1.1/32'], rule(10)), web()],
      { web: '10.0.1.1 from b' },
    ],
    [
      'priority 0 is last',
      [pinned('a', ['10.0.0.1/32'], rule(0)), pinned('b', ['10.0.1.1/32'], rule(100)), web()],
      { web: '10.0.1.1 from b' },
    ],
    [
      'no priority is last',
      [pinned('a', ['10.0.0.1/32'], rule()), pinned('b', ['10.0.1.1/32'], rule(100)), web()],
      { web: '10.0.1.1 from b' },
    ],
    [
      'a negative priority is before all',
      [pinned('a', ['10.0.0.1/32'], rule(1)), pinned('b', ['10.0.1.1/32'], rule(-1)), web()],
      { web: '10.0.1.1 from b' },
    ],
    [
      'equal priorities by name',
      [pinned('b', ['10.0.1.1/32'], rule(5)), pinned('a', ['10.0.0.1/32'], rule(5)), web()],
      { web: '10.0.0.1 from a' },
    ],
    [
      'two priorities 0 by name',
      [pinned('b', ['10.0.1.1/32'], rule(0)), pinned('a', ['10.0.0.1/32'], rule()), web()],
      { web: '10.0.0.1 from a' },
    ],
    [
      'the next pinned pool when the first is full',
      [
        pinned('a', ['10.0.0.1/32'], rule(1)),
        pinned('b', ['10.0.1.1/32'], rule(2)),
        service('first', { has: ['10.0.0.1'] }),
        web(),
      ],
      { first: '10.0.0.1 from a', web: '10.0.1.1 from b' },
    ],
    [
      'an open pool when the pinned ones are full',
      [small('z', 9), pinned('b', ['10.0.1.1/32'], rule()), service('first', { has: ['10.0.1.1'] }), web()],
      { first: '10.0.1.1 from b', web: '10.0.9.1 from z' },
    ],
    [
      'a pinned pool that does not match is no way out',
      [
        small('a', 0),
        pinned('b', ['10.0.1.1/32'], { namespaces: ['other'] }),
        service('first', { has: ['10.0.0.1'] }),
        web(),
      ],
      { first: '10.0.0.1 from a', web: 'pending AllocationFailed' },
    ],
    [
      'pinned without autoAssign is only for who asks',
      [pinned('b', ['10.0.1.1/32'], rule(), { autoAssign: false }), web()],
      { web: 'pending AllocationFailed' },
    ],
    [
      'by labels of the namespace',
      [
        small('a', 0),
        namespace('default', { team: 'x' }),
        pinned('b', ['10.0.1.1/32'], { namespaceSelectors: [{ matchLabels: { team: 'x' } }] }),
        web(),
      ],
      { web: '10.0.1.1 from b' },
    ],
    [
      'a namespaceSelector that matches nothing admits nobody',
      [
        small('a', 0),
        namespace('default'),
        pinned('b', ['10.0.1.1/32'], { namespaceSelectors: [{ matchLabels: { team: 'x' } }] }),
        asks('10.0.1.1'),
      ],
      { web: 'pending AllocationFailed' },
    ],
    [
      'names and labels of namespaces are united',
      [
        namespace('default', { team: 'x' }),
        pinned('b', ['10.0.1.1/32'], {
          namespaces: ['other'],
          namespaceSelectors: [{ matchLabels: { team: 'x' } }],
        }),
        web(),
      ],
      { web: '10.0.1.1 from b' },
    ],
    [
      'a namespaceSelector that is empty matches each Namespace',
      [
        namespace('default'),
        small('a', 0),
        pinned('b', ['10.0.1.1/32'], { namespaceSelectors: [{}] }),
        web(),
      ],
      { web: '10.0.1.1 from b' },
    ],
    [
      'by labels of the Service, one of several',
      [
        small('a', 0),
        pinned('b', ['10.0.1.1/32'], {
          serviceSelectors: [{ matchLabels: { a: 'no' } }, { matchLabels: { a: 'b' } }],
        }),
        web({ labels: { a: 'b' } }),
      ],
      { web: '10.0.1.1 from b' },
    ],
    [
      'namespace and labels must both match',
      [
        small('a', 0),
        pinned('b', ['10.0.1.1/32'], {
          namespaces: ['default'],
          serviceSelectors: [{ matchLabels: { a: 'b' } }],
        }),
        web(),
      ],
      { web: '10.0.0.1 from a' },
    ],
    [
      'pinned to everything is still pinned',
      [small('a', 0), pinned('b', ['10.0.1.1/32'], {}), web()],
      { web: '10.0.1.1 from b' },
    ],
    [
      'a priority alone is pinned to everything',
      [pinned('a', ['10.0.0.1/32'], { priority: 2 }), pinned('b', ['10.0.1.1/32'], { priority: 1 }), web()],
      { web: '10.0.1.1 from b' },
    ],
    [
      'ranges in the order of the pool, not of their numbers',
      [pool('a', ['10.0.5.0/30', '10.0.1.0/30']), web()],
      { web: '10.0.5.0 from a' },
    ],
    [
      'the lowest address that is free',
      [eight, service('s0', { has: ['10.0.0.0'] }), service('s2', { has: ['10.0.0.2'] }), web()],
      { s0: '10.0.0.0 from a', s2: '10.0.0.2 from a', web: '10.0.0.1 from a' },
    ],
    [
      'a range is walked from its start',
      [pool('a', ['10.0.0.6 - 10.0.0.9']), web()],
      { web: '10.0.0.6 from a' },
    ],
    [
      'the host bits of a CIDR do not matter',
      [pool('a', ['10.0.0.77/24']), web()],
      { web: '10.0.0.0 from a' },
    ],
    [
      'matchExpressions In',
      [
        small('a', 0),
        pinned('b', ['10.0.1.1/32'], {
          serviceSelectors: [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['b', 'c'] }] }],
        }),
        web({ labels: { a: 'c' } }),
      ],
      { web: '10.0.1.1 from b' },
    ],
    [
      'matchExpressions NotIn matches who has no such label',
      [
        small('a', 0),
        pinned('b', ['10.0.1.1/32'], {
          serviceSelectors: [{ matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['b'] }] }],
        }),
        web(),
      ],
      { web: '10.0.1.1 from b' },
    ],
    [
      'matchExpressions Exists',
      [
        small('a', 0),
        pinned('b', ['10.0.1.1/32'], {
          serviceSelectors: [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }],
        }),
        web({ labels: { a: '' } }),
      ],
      { web: '10.0.1.1 from b' },
    ],
    [
      'matchExpressions DoesNotExist',
      [
        small('a', 0),
        pinned('b', ['10.0.1.1/32'], {
          serviceSelectors: [{ matchExpressions: [{ key: 'a', operator: 'DoesNotExist' }] }],
        }),
        web({ labels: { a: '' } }),
      ],
      { web: '10.0.0.1 from a' },
    ],
  ])
})

describe('both families', () => {
  const prefer = { ipFamilyPolicy: 'PreferDualStack' }
  const require = { ipFamilyPolicy: 'RequireDualStack' }
  const six = pool('six', ['fc00:6::1/128'])
  stories([
    ['IPv4 alone, from a pool of both', [twoStacks, web()], { web: '10.0.0.1 from both' }],
    ['IPv6 alone, from a pool of both', [twoStacks, web({ clusterIPs: v6 })], { web: 'fc00::1 from both' }],
    [
      'both of one pool, IPv4 first',
      [twoStacks, web({ clusterIPs: dual, spec: require })],
      { web: '10.0.0.1 fc00::1 from both' },
    ],
    [
      'IPv4 first also where IPv6 is primary',
      [twoStacks, web({ clusterIPs: [...v6, ...v4], spec: { ...require, ipFamilies: ['IPv6', 'IPv4'] } })],
      { web: '10.0.0.1 fc00::1 from both' },
    ],
    [
      'two cluster IPs without a policy need both',
      [small('a', 4), web({ clusterIPs: dual })],
      { web: 'pending AllocationFailed' },
    ],
    [
      'never of two pools',
      [small('a', 4), six, web({ clusterIPs: dual, spec: require })],
      { web: 'pending AllocationFailed' },
    ],
    [
      'RequireDualStack passes over a pool that has one of them left',
      [
        pool('a', ['10.0.4.1/32', 'fc00:4::1/128']),
        twoStacks,
        service('first', { clusterIPs: v6, has: ['fc00:4::1'] }),
        web({ clusterIPs: dual, spec: require }),
      ],
      { first: 'fc00:4::1 from a', web: '10.0.0.1 fc00::1 from both' },
    ],
    [
      'PreferDualStack takes the pool that has both, although another is first',
      [small('a', 4), twoStacks, web({ clusterIPs: dual, spec: prefer })],
      { web: '10.0.0.1 fc00::1 from both' },
    ],
    [
      'PreferDualStack makes do with the primary family',
      [small('a', 4), six, web({ clusterIPs: dual, spec: prefer })],
      { web: '10.0.4.1 from a' },
    ],
    [
      'PreferDualStack with IPv6 primary',
      [small('a', 4), six, web({ clusterIPs: dual, spec: { ...prefer, ipFamilies: ['IPv6', 'IPv4'] } })],
      { web: 'fc00:6::1 from six' },
    ],
    [
      'PreferDualStack makes do with the other family',
      [six, web({ clusterIPs: dual, spec: prefer })],
      { web: 'fc00:6::1 from six' },
    ],
    [
      'PreferDualStack on one cluster IP is single-stack',
      [twoStacks, web({ spec: prefer })],
      { web: '10.0.0.1 from both' },
    ],
    [
      'PreferDualStack on one cluster IP does not complete',
      [twoStacks, web({ spec: prefer, has: ['10.0.0.2'] })],
      { web: '10.0.0.2 from both' },
    ],
    [
      'PreferDualStack completes from the same pool, behind what it has',
      [twoStacks, web({ clusterIPs: dual, spec: prefer, has: ['fc00::2'] })],
      { web: 'fc00::2 10.0.0.1 from both' },
    ],
    [
      'PreferDualStack does not complete from another pool',
      [small('a', 4), twoStacks, web({ clusterIPs: dual, spec: prefer, has: ['10.0.4.1'] })],
      { web: '10.0.4.1 from a' },
    ],
    [
      'PreferDualStack keeps both',
      [twoStacks, web({ clusterIPs: dual, spec: prefer, has: ['10.0.0.2', 'fc00::2'] })],
      { web: '10.0.0.2 fc00::2 from both' },
    ],
    [
      'a status with IPv6 first stays in that order',
      [twoStacks, web({ clusterIPs: dual, spec: require, has: ['fc00::2', '10.0.0.2'] })],
      { web: 'fc00::2 10.0.0.2 from both' },
    ],
    [
      'two cluster IPs of one family',
      [twoStacks, web({ clusterIPs: ['10.96.0.1', '10.96.0.2'] })],
      { web: 'pending NoClusterIPs' },
    ],
    [
      'one that was dual-stack goes on with the family it still has',
      [twoStacks, web({ has: ['10.0.0.2', 'fc00::2'] })],
      { web: '10.0.0.2 from both' },
    ],
    [
      'one that changed its family gets an address of the new one',
      [twoStacks, web({ clusterIPs: v6, has: ['10.0.0.2'] })],
      { web: 'fc00::1 from both' },
    ],
    [
      'RequireDualStack on one cluster IP gives up what it has',
      [twoStacks, web({ spec: require, has: ['10.0.0.2'] })],
      { web: 'pending NotEnoughClusterIPs' },
    ],
    [
      'spec.clusterIP alone says the family',
      [twoStacks, web({ spec: { clusterIPs: undefined, clusterIP: 'fd00::1' } })],
      { web: 'fc00::1 from both' },
    ],
  ])
})

describe('sharing', () => {
  const shared = (name: string, key: string, more: Parameters<typeof service>[1] = {}): Manifest =>
    service(name, { ...more, asks: { 'allow-shared-ip': key, loadBalancerIPs: '10.0.0.1', ...more.asks } })
  const one = small('a', 0)
  const both = { x: '10.0.0.1 from a', y: '10.0.0.1 from a' }
  const refused = { x: '10.0.0.1 from a', y: 'pending AllocationFailed' }
  stories([
    ['same key, other ports', [one, shared('x', 'k'), shared('y', 'k', { ports: ['TCP/443'] })], both],
    [
      'same port number, other protocol',
      [one, shared('x', 'k'), shared('y', 'k', { ports: ['UDP/80'] })],
      both,
    ],
    ['same port', [one, shared('x', 'k'), shared('y', 'k')], refused],
    [
      'one of several ports is the same',
      [
        one,
        shared('x', 'k', { ports: ['TCP/80', 'TCP/81'] }),
        shared('y', 'k', { ports: ['TCP/82', 'TCP/81'] }),
      ],
      refused,
    ],
    [
      'a port without protocol is TCP',
      [one, shared('x', 'k'), shared('y', 'k', { spec: { ports: [{ port: 80 }] } })],
      refused,
    ],
    [
      'nodePort and targetPort do not count',
      [
        one,
        shared('x', 'k', { spec: { ports: [{ port: 80, nodePort: 30000, targetPort: 8080 }] } }),
        shared('y', 'k', { spec: { ports: [{ port: 81, nodePort: 30001, targetPort: 8080 }] } }),
      ],
      both,
    ],
    ['other key', [one, shared('x', 'k'), shared('y', 'l', { ports: ['TCP/443'] })], refused],
    ['no key', [one, shared('x', ''), shared('y', '', { ports: ['TCP/443'] })], refused],
    ['a key on one side only', [one, shared('x', 'k'), shared('y', '', { ports: ['TCP/443'] })], refused],
    [
      'namespaces do not matter',
      [one, shared('x', 'k'), shared('y', 'k', { namespace: 'other', ports: ['TCP/443'] })],
      { x: '10.0.0.1 from a', 'other/y': '10.0.0.1 from a' },
    ],
    [
      'the old prefix is the same key',
      [
        one,
        shared('x', 'k'),
        service('y', {
          asks: { 'metallb.universe.tf/allow-shared-ip': 'k', loadBalancerIPs: '10.0.0.1' },
          ports: ['TCP/443'],
        }),
      ],
      both,
    ],
    [
      'Local with one selector',
      [one, shared('x', 'k', { spec: local }), shared('y', 'k', { ports: ['TCP/443'], spec: local })],
      both,
    ],
    [
      'Local with other selectors',
      [
        one,
        shared('x', 'k', { spec: local }),
        shared('y', 'k', { ports: ['TCP/443'], spec: { ...local, selector: { app: 'y' } } }),
      ],
      refused,
    ],
    [
      'Local and Cluster',
      [one, shared('x', 'k', { spec: local }), shared('y', 'k', { ports: ['TCP/443'] })],
      refused,
    ],
    [
      'Local, the same selector in another order',
      [
        one,
        shared('x', 'k', { spec: { ...local, selector: { a: '1', b: '2' } } }),
        shared('y', 'k', { ports: ['TCP/443'], spec: { ...local, selector: { b: '2', a: '1' } } }),
      ],
      both,
    ],
    [
      'Cluster with other selectors',
      [
        one,
        shared('x', 'k', { spec: { selector: { app: 'x' } } }),
        shared('y', 'k', { ports: ['TCP/443'], spec: { selector: { app: 'y' } } }),
      ],
      both,
    ],
    [
      'three on one address',
      [
        one,
        shared('x', 'k'),
        shared('y', 'k', { ports: ['TCP/443'] }),
        shared('z', 'k', { ports: ['TCP/444'] }),
      ],
      { ...both, z: '10.0.0.1 from a' },
    ],
    [
      'is taken where it comes first',
      [
        pool('a', ['10.0.0.1-10.0.0.2']),
        shared('x', 'k'),
        service('y', { asks: { 'allow-shared-ip': 'k' }, ports: ['TCP/443'] }),
      ],
      both,
    ],
    [
      'is not sought: a lower free address wins',
      [
        pool('a', ['10.0.0.0-10.0.0.2']),
        shared('x', 'k', { has: ['10.0.0.1'] }),
        service('y', { asks: { 'allow-shared-ip': 'k' }, ports: ['TCP/443'] }),
      ],
      { x: '10.0.0.1 from a', y: '10.0.0.0 from a' },
    ],
    [
      'dual-stack Services share both addresses',
      [
        twoStacks,
        ...['x', 'y'].map((name, i) =>
          shared(name, 'k', {
            clusterIPs: dual,
            ports: [`TCP/${i + 1}`],
            asks: { loadBalancerIPs: '10.0.0.1,fc00::1' },
          }),
        ),
      ],
      { x: '10.0.0.1 fc00::1 from both', y: '10.0.0.1 fc00::1 from both' },
    ],
    ['a shared address counts once', [one, shared('x', 'k'), shared('y', 'k', { ports: ['TCP/443'] })], both],
    [
      'two that hold one address without permission: the first keeps it',
      [eight, service('x', { has: ['10.0.0.1'] }), service('y', { has: ['10.0.0.1'] })],
      { x: '10.0.0.1 from a', y: '10.0.0.0 from a' },
    ],
  ])
})

describe('what changes do to a Service that has an address', () => {
  const had = (more: Parameters<typeof service>[1] = {}): Manifest => web({ has: ['10.0.0.3'], ...more })
  const other = service('other', { has: ['10.0.0.5'] })
  stories([
    ['nothing changed: it keeps it', [eight, had()], { web: '10.0.0.3 from a' }],
    [
      'it asks for another one that is free',
      [eight, had({ asks: { loadBalancerIPs: '10.0.0.6' } })],
      { web: '10.0.0.6 from a' },
    ],
    [
      'it asks for another one that is taken: it keeps what works',
      [eight, other, had({ asks: { loadBalancerIPs: '10.0.0.5' } })],
      { other: '10.0.0.5 from a', web: '10.0.0.3 from a but AllocationFailed' },
    ],
    [
      'it asks for one outside the pools: it keeps what works',
      [eight, had({ asks: { loadBalancerIPs: '10.1.0.5' } })],
      { web: '10.0.0.3 from a but AllocationFailed' },
    ],
    [
      'its request is malformed: it keeps what works',
      [eight, had({ asks: { loadBalancerIPs: 'x' } })],
      { web: '10.0.0.3 from a but LoadBalancerFailed' },
    ],
    [
      'it asks both ways: it keeps what works',
      [eight, had({ asks: { loadBalancerIPs: '10.0.0.6' }, spec: { loadBalancerIP: '10.0.0.6' } })],
      { web: '10.0.0.3 from a but LoadBalancerFailed' },
    ],
    [
      'it asks for one of the other family: it keeps what works',
      [twoStacks, web({ has: ['10.0.0.2'], asks: { loadBalancerIPs: 'fc00::1' } })],
      { web: '10.0.0.2 from both but FamilyMismatch' },
    ],
    [
      'it asks by spec.loadBalancerIP',
      [eight, had({ spec: { loadBalancerIP: '10.0.0.6' } })],
      { web: '10.0.0.6 from a' },
    ],
    [
      'it asks for what it has, in another order',
      [
        twoStacks,
        web({
          clusterIPs: dual,
          has: ['10.0.0.2', 'fc00::2'],
          asks: { loadBalancerIPs: 'fc00::2,10.0.0.2' },
        }),
      ],
      { web: '10.0.0.2 fc00::2 from both' },
    ],
    [
      'it asks for another pool',
      [eight, small('b', 1), had({ asks: { 'address-pool': 'b' } })],
      { web: '10.0.1.1 from b' },
    ],
    [
      'it asks for another pool that is full: it keeps what works',
      [eight, small('b', 1), service('other', { has: ['10.0.1.1'] }), had({ asks: { 'address-pool': 'b' } })],
      { other: '10.0.1.1 from b', web: '10.0.0.3 from a but AllocationFailed' },
    ],
    [
      'it asks for a pool that does not exist: it keeps what works',
      [eight, had({ asks: { 'address-pool': 'b' } })],
      { web: '10.0.0.3 from a but AllocationFailed' },
    ],
    [
      'it asks for the pool it is in',
      [eight, small('0', 1), had({ asks: { 'address-pool': 'a' } })],
      { web: '10.0.0.3 from a' },
    ],
    [
      'it asks no longer: it keeps it, although others would come first',
      [small('0', 1), eight, had()],
      { web: '10.0.0.3 from a' },
    ],
    [
      'its pool gives nothing unasked any more: it keeps it',
      [pool('a', ['10.0.0.0/29'], { autoAssign: false }), had()],
      { web: '10.0.0.3 from a' },
    ],
    [
      'a pool of better rank appears: it keeps it',
      [eight, pinned('b', ['10.0.1.1/32'], { priority: 1 }), had()],
      { web: '10.0.0.3 from a' },
    ],
    [
      'its key changed and it is alone there',
      [eight, had({ asks: { 'allow-shared-ip': 'new' } })],
      { web: '10.0.0.3 from a' },
    ],
    [
      'its key changed and it is not alone there: another address',
      [
        eight,
        service('other', { has: ['10.0.0.3'], asks: { 'allow-shared-ip': 'k' } }),
        had({ asks: { 'allow-shared-ip': 'new' }, ports: ['TCP/81'] }),
      ],
      { other: '10.0.0.3 from a', web: '10.0.0.0 from a' },
    ],
    [
      'its ports came into conflict: another address',
      [
        eight,
        service('other', { has: ['10.0.0.3'], asks: { 'allow-shared-ip': 'k' } }),
        had({ asks: { 'allow-shared-ip': 'k' } }),
      ],
      { other: '10.0.0.3 from a', web: '10.0.0.0 from a' },
    ],
    [
      'its traffic policy changed on a shared address: another address',
      [
        eight,
        service('other', { has: ['10.0.0.3'], asks: { 'allow-shared-ip': 'k' } }),
        had({ asks: { 'allow-shared-ip': 'k' }, ports: ['TCP/81'], spec: local }),
      ],
      { other: '10.0.0.3 from a', web: '10.0.0.0 from a' },
    ],
    [
      'its traffic policy changed and it is alone there',
      [eight, had({ asks: { 'allow-shared-ip': 'k' }, spec: local })],
      { web: '10.0.0.3 from a' },
    ],
    [
      'it became a ClusterIP: its address is free',
      [small('a', 0), service('first', { has: ['10.0.0.1'], spec: { type: 'ClusterIP' } }), web()],
      { first: 'ignored notLoadBalancer', web: '10.0.0.1 from a' },
    ],
    [
      'its labels changed: an address elsewhere',
      [
        pinned('a', ['10.0.0.0/29'], { serviceSelectors: [{ matchLabels: { a: 'b' } }] }),
        small('b', 1),
        had(),
      ],
      { web: '10.0.1.1 from b' },
    ],
    [
      'its labels changed and there is nothing elsewhere',
      [pinned('a', ['10.0.0.0/29'], { serviceSelectors: [{ matchLabels: { a: 'b' } }] }), had()],
      { web: 'pending AllocationFailed' },
    ],
    [
      'the labels of its namespace changed',
      [
        namespace('default'),
        pinned('a', ['10.0.0.0/29'], { namespaceSelectors: [{ matchLabels: { a: 'b' } }] }),
        small('b', 1),
        had(),
      ],
      { web: '10.0.1.1 from b' },
    ],
    [
      'selectors changed but still match: it keeps it',
      [pinned('a', ['10.0.0.0/29'], { namespaces: ['default', 'more'] }), had()],
      { web: '10.0.0.3 from a' },
    ],
    ['its pool is gone: an address elsewhere', [small('b', 1), had()], { web: '10.0.1.1 from b' }],
    [
      'its pool is gone and there is nothing elsewhere',
      [pool('b', ['fc00::/120']), had()],
      { web: 'pending AllocationFailed' },
    ],
    ['its pool shrank: another address', [pool('a', ['10.0.0.0/31']), had()], { web: '10.0.0.0 from a' }],
    [
      'its pool has another name: it keeps it',
      [pool('renamed', ['10.0.0.0/29']), had()],
      { web: '10.0.0.3 from renamed' },
    ],
    [
      'its address moved to another pool: it keeps it',
      [pool('b', ['10.0.0.3/32']), pool('a', ['10.0.0.0/31']), had()],
      { web: '10.0.0.3 from b' },
    ],
    [
      'avoidBuggyIPs was switched on and it has .0',
      [pool('a', ['10.0.0.0/29'], { avoidBuggyIPs: true }), web({ has: ['10.0.0.0'] })],
      { web: '10.0.0.1 from a' },
    ],
    [
      'avoidBuggyIPs was switched on and it has .255',
      [pool('a', ['10.0.0.248/29'], { avoidBuggyIPs: true }), web({ has: ['10.0.0.255'] })],
      { web: '10.0.0.248 from a' },
    ],
    [
      'avoidBuggyIPs says nothing of IPv6',
      [pool('a', ['fc00::/120'], { avoidBuggyIPs: true }), web({ clusterIPs: v6, has: ['fc00::'] })],
      { web: 'fc00:: from a' },
    ],
    ['all pools are gone', [had()], { web: 'pending NoPools' }],
    ['its cluster IP is gone', [eight, had({ clusterIPs: [] })], { web: 'pending NoClusterIPs' }],
    [
      'its cluster IP cannot be read: it keeps what works',
      [eight, had({ clusterIPs: ['x'] })],
      { web: '10.0.0.3 from a but NoClusterIPs' },
    ],
    ['a status that cannot be read is none', [eight, web({ has: ['x'] })], { web: '10.0.0.0 from a' }],
    [
      'a host name in the status is not an address',
      [
        eight,
        { ...web(), status: { loadBalancer: { ingress: [{ hostname: 'a.example' }, { ip: '10.0.0.3' }] } } },
      ],
      { web: '10.0.0.3 from a' },
    ],
    [
      'it has an address for the first time: holders go first',
      [small('a', 0), service('aaa'), web({ has: ['10.0.0.1'] })],
      { aaa: 'pending AllocationFailed', web: '10.0.0.1 from a' },
    ],
    [
      'the status may spell the address differently',
      [twoStacks, web({ clusterIPs: v6, has: ['FC00:0:0::2'] })],
      { web: 'fc00::2 from both' },
    ],
    [
      'two Services swap their addresses',
      [
        eight,
        service('x', { has: ['10.0.0.1'], asks: { loadBalancerIPs: '10.0.0.2' } }),
        service('y', { has: ['10.0.0.2'], asks: { loadBalancerIPs: '10.0.0.1' } }),
      ],
      { x: '10.0.0.1 from a but AllocationFailed', y: '10.0.0.2 from a but AllocationFailed' },
    ],
  ])
})

describe('the figures of pools', () => {
  const figures: readonly (readonly [
    string,
    readonly Manifest[],
    readonly [number, number, number, number],
  ])[] = [
    ['an empty pool', [eight], [0, 0, 8, 0]],
    ['distinct addresses', [eight, service('x'), service('y')], [2, 0, 6, 0]],
    ['both families', [twoStacks, web({ clusterIPs: dual })], [1, 1, 1, 1]],
    [
      'a shared address once',
      [
        eight,
        ...['1', '2'].map(n =>
          service(`s${n}`, {
            ports: [`TCP/${n}`],
            asks: { 'allow-shared-ip': 'k', loadBalancerIPs: '10.0.0.1' },
          }),
        ),
      ],
      [1, 0, 7, 0],
    ],
    [
      'avoidBuggyIPs takes two of a /24',
      [pool('a', ['10.0.0.0/24'], { avoidBuggyIPs: true })],
      [0, 0, 254, 0],
    ],
    ['and eight of a /22', [pool('a', ['10.0.0.0/22'], { avoidBuggyIPs: true })], [0, 0, 1016, 0]],
    ['and the edge of a small block', [pool('a', ['10.0.0.0/29'], { avoidBuggyIPs: true })], [0, 0, 7, 0]],
    ['and the other edge', [pool('a', ['10.0.0.248/29'], { avoidBuggyIPs: true })], [0, 0, 7, 0]],
    [
      'and none of a block in the middle',
      [pool('a', ['10.0.0.8/29'], { avoidBuggyIPs: true })],
      [0, 0, 8, 0],
    ],
    [
      'and those inside a range',
      [pool('a', ['10.0.0.250-10.0.1.5'], { avoidBuggyIPs: true })],
      [0, 0, 10, 0],
    ],
    ['and a single .0', [pool('a', ['10.0.0.0/32'], { avoidBuggyIPs: true })], [0, 0, 0, 0]],
    ['and nothing of IPv6', [pool('a', ['fc00::/120'], { avoidBuggyIPs: true })], [0, 0, 0, 256]],
    ['a huge IPv6 block is capped', [pool('a', ['fc00::/64'])], [0, 0, 0, Number.MAX_SAFE_INTEGER]],
    [
      'two huge IPv6 blocks are capped',
      [pool('a', ['fc00::/32', 'fc01::/32'])],
      [0, 0, 0, Number.MAX_SAFE_INTEGER],
    ],
    ['a block just below the cap is exact', [pool('a', ['fc00::/76'])], [0, 0, 0, 2 ** 52]],
    ['the whole of IPv4', [pool('a', ['0.0.0.0/0'])], [0, 0, 2 ** 32, 0]],
    [
      'a Service of another class does not count',
      [eight, web({ has: ['10.0.0.1'], spec: { loadBalancerClass: 'x' } })],
      [0, 0, 8, 0],
    ],
  ]
  it.each(figures)('%s', async (_, manifests, [assignedIPv4, assignedIPv6, availableIPv4, availableIPv6]) => {
    const { pools } = await planOf(manifests)
    expect(pools).toEqual([
      { name: pools[0]?.name, assignedIPv4, assignedIPv6, availableIPv4, availableIPv6 },
    ])
  })

  it('come in the order of names', async () => {
    const { pools } = await planOf([small('b', 1), small('a', 2), small('a-b', 3)])
    expect(pools.map(({ name }) => name)).toEqual(['a', 'a-b', 'b'])
  })
})

const four = ['node-a', 'node-b', 'node-c', 'node-d'].map(name => node(name))
const vip = '10.20.30.1'
const here = pool('p', ['10.20.30.0/24', '192.168.1.240/31', 'fc00:f853:ccd:e799::/120'])
const at = (address: string, more: Parameters<typeof service>[1] = {}): Manifest =>
  service('web', { ...more, asks: { loadBalancerIPs: address, ...more.asks } })
const served = slice('web', [endpoint('node-a')])

/** Who announces on layer 2 and where, and why the others are silent, in a few words. */
function voices({ services }: Planned, name = 'web'): string {
  const one = services.find(candidate => candidate.name === name)
  const speaks = one?.announcements.flatMap(found => {
    if (found.protocol !== 'layer2') return []
    const { address, node, interfaces } = found
    return `${address}@${node}${interfaces === 'all' ? '' : `[${interfaces.join(',')}]`}`
  })
  const silent = one?.silent.map(({ node, because }) => `${node.replace('node-', '')}:${because}`)
  return [...(speaks ?? []), ...(silent ?? [])].join(' ')
}

describe('who announces on layer 2', () => {
  type Voices = readonly [string, readonly Manifest[], string, ...string[]]
  const silentAll = (because: string): string => ['a', 'b', 'c', 'd'].map(n => `${n}:${because}`).join(' ')
  const only = (...names: readonly string[]): object => ({
    nodeSelectors: names.map(name => ({ matchLabels: { n: name } })),
  })
  const labelled = ['a', 'b', 'c', 'd'].map(n => node(`node-${n}`, { labels: { n } }))
  const prefers = (...pairs: readonly (readonly [number, string])[]): object => ({
    preferredNodeSelectors: pairs.map(([weight, n]) => ({ weight, preference: { matchLabels: { n } } })),
  })
  const localWeb = at(vip, { spec: { externalTrafficPolicy: 'Local' } })
  const rows: readonly Voices[] = [
    [
      '10.20.30.1 belongs to node-b',
      [here, l2(), ...four, at(vip), served],
      `${vip}@node-b a:notOwner c:notOwner d:notOwner`,
    ],
    [
      '10.20.30.2 belongs to node-c',
      [here, l2(), ...four, at('10.20.30.2'), served],
      '10.20.30.2@node-c a:notOwner b:notOwner d:notOwner',
    ],
    [
      '192.168.1.240 belongs to node-a',
      [here, l2(), ...four, at('192.168.1.240'), served],
      '192.168.1.240@node-a b:notOwner c:notOwner d:notOwner',
    ],
    [
      '192.168.1.241 belongs to node-d',
      [here, l2(), ...four, at('192.168.1.241'), served],
      '192.168.1.241@node-d a:notOwner b:notOwner c:notOwner',
    ],
    [
      'an IPv6 address in its canonical text belongs to node-d',
      [here, l2(), ...four, at('FC00:F853:0CCD:E799:0::1', { clusterIPs: v6 }), served],
      'fc00:f853:ccd:e799::1@node-d a:notOwner b:notOwner c:notOwner',
    ],
    [
      'the next in line when the owner is dead',
      [here, l2(), ...four, at(vip), served],
      `${vip}@node-c a:notOwner b:notAlive d:notOwner`,
      '--alive',
      'node-a,node-c,node-d',
    ],
    [
      'nobody is alive that we know',
      [here, l2(), ...four, at(vip), served],
      silentAll('notAlive'),
      '--alive',
      '',
    ],
    [
      'a member without a Node is included nowhere',
      [here, l2(), node('node-a'), at(vip), served],
      `${vip}@node-a z:noMatchingAdvertisement`,
      '--alive',
      'node-a,node-z',
    ],
    [
      'iris1 and iris2',
      [here, l2(), node('iris1'), node('iris2'), at(vip), served],
      `${vip}@iris2 iris1:notOwner`,
    ],
    ['no endpoints', [here, l2(), ...four, at(vip)], silentAll('noEndpoints')],
    [
      'an endpoint that is not ready',
      [here, l2(), ...four, at(vip), slice('web', [endpoint('node-a', { ready: false })])],
      silentAll('noEndpoints'),
    ],
    [
      'an endpoint that is not ready but serving',
      [
        here,
        l2(),
        node('node-a'),
        at(vip),
        slice('web', [endpoint('node-a', { ready: false, serving: true, terminating: true })]),
      ],
      `${vip}@node-a`,
    ],
    [
      'an endpoint that says nothing is ready',
      [here, l2(), node('node-a'), at(vip), slice('web', [endpoint('node-a', {})])],
      `${vip}@node-a`,
    ],
    [
      'an endpoint that is ready but not serving counts',
      [
        here,
        l2(),
        node('node-a'),
        at(vip),
        slice('web', [endpoint('node-a', { ready: true, serving: false })]),
      ],
      `${vip}@node-a`,
    ],
    [
      'an endpoint without addresses counts',
      [here, l2(), node('node-a'), at(vip), slice('web', [{ addresses: [], conditions: {} }])],
      `${vip}@node-a`,
    ],
    [
      'endpoints of another namespace do not count',
      [here, l2(), node('node-a'), at(vip), slice('web', [endpoint('node-a')], { namespace: 'other' })],
      'a:noEndpoints',
    ],
    [
      'one slice of several is enough',
      [
        here,
        l2(),
        node('node-a'),
        at(vip),
        slice('web', [endpoint('node-a', { ready: false })]),
        slice('web', [endpoint('node-a')], { name: 'web-2' }),
      ],
      `${vip}@node-a`,
    ],
    ['no advertisement at all: nobody, and nobody is silent', [here, ...four, at(vip), served], ''],
    [
      'an advertisement of another pool',
      [here, small('q', 1), l2({ ipAddressPools: ['q'] }), ...four, at(vip), served],
      '',
    ],
    [
      'a pool by name',
      [here, l2({ ipAddressPools: ['p', 'unknown'] }), node('node-a'), at(vip), served],
      `${vip}@node-a`,
    ],
    [
      'a pool by label',
      [
        pool('p', ['10.20.30.0/24'], {}, { x: 'y' }),
        l2({ ipAddressPoolSelectors: [{ matchLabels: { x: 'y' } }] }),
        node('node-a'),
        at(vip),
        served,
      ],
      `${vip}@node-a`,
    ],
    [
      'a pool by name or label',
      [
        here,
        l2({ ipAddressPools: ['p'], ipAddressPoolSelectors: [{ matchLabels: { x: 'y' } }] }),
        node('node-a'),
        at(vip),
        served,
      ],
      `${vip}@node-a`,
    ],
    [
      'nodes by label',
      [here, l2(only('a', 'd')), ...labelled, at(vip), served],
      `${vip}@node-a b:noMatchingAdvertisement c:noMatchingAdvertisement d:notOwner`,
    ],
    [
      'nodes of two advertisements',
      [here, l2(only('a')), l2(only('c'), 'l3'), ...labelled, at(vip), served],
      `${vip}@node-c a:notOwner b:noMatchingAdvertisement d:noMatchingAdvertisement`,
    ],
    [
      'Services by label',
      [
        here,
        l2({ serviceSelectors: [{ matchLabels: { a: 'b' } }] }),
        node('node-a'),
        at(vip, { labels: { a: 'b' } }),
        served,
      ],
      `${vip}@node-a`,
    ],
    [
      'Services by label that do not match',
      [here, l2({ serviceSelectors: [{ matchLabels: { a: 'b' } }] }), node('node-a'), at(vip), served],
      'a:noMatchingAdvertisement',
    ],
    [
      'a shared Service and an advertisement with serviceSelectors',
      [
        here,
        l2({ serviceSelectors: [{ matchLabels: { a: 'b' } }] }),
        node('node-a'),
        at(vip, { labels: { a: 'b' }, asks: { 'allow-shared-ip': 'k' } }),
        served,
      ],
      'a:sharedIPWithServiceSelector',
    ],
    [
      'even with an empty key',
      [
        here,
        l2({ serviceSelectors: [{ matchLabels: { a: 'b' } }] }),
        node('node-a'),
        at(vip, { labels: { a: 'b' }, asks: { 'allow-shared-ip': '' } }),
        served,
      ],
      'a:sharedIPWithServiceSelector',
    ],
    [
      'even if another advertisement has none',
      [
        here,
        l2({}, 'l3'),
        l2({ serviceSelectors: [{ matchLabels: { a: 'b' } }] }),
        node('node-a'),
        at(vip, { labels: { a: 'b' }, asks: { 'allow-shared-ip': 'k' } }),
        served,
      ],
      'a:sharedIPWithServiceSelector',
    ],
    [
      'not where its selectors do not match',
      [
        here,
        l2({}, 'l3'),
        l2({ serviceSelectors: [{ matchLabels: { a: 'b' } }] }),
        node('node-a'),
        at(vip, { asks: { 'allow-shared-ip': 'k' } }),
        served,
      ],
      `${vip}@node-a`,
    ],
    [
      'no endpoints is told before sharing',
      [here, l2({ serviceSelectors: [{}] }), node('node-a'), at(vip, { asks: { 'allow-shared-ip': 'k' } })],
      'a:noEndpoints',
    ],
    [
      'a node without network',
      [
        here,
        l2(),
        node('node-a'),
        node('node-b', { conditions: [{ type: 'NetworkUnavailable', status: 'True' }] }),
        at(vip),
        served,
      ],
      `${vip}@node-a b:nodeNetworkUnavailable`,
    ],
    [
      'a node whose network is fine',
      [
        here,
        l2(),
        node('node-a'),
        node('node-b', { conditions: [{ type: 'NetworkUnavailable', status: 'False' }] }),
        at(vip),
        served,
      ],
      `${vip}@node-b a:notOwner`,
    ],
    [
      'NotReady and cordoned nodes take part',
      [
        here,
        l2(),
        node('node-a'),
        {
          ...node('node-b', { conditions: [{ type: 'Ready', status: 'False' }] }),
          spec: { unschedulable: true },
        },
        at(vip),
        served,
      ],
      `${vip}@node-b a:notOwner`,
    ],
    [
      'a node that is labelled out',
      [
        here,
        l2(),
        node('node-a'),
        node('node-b', { labels: { 'node.kubernetes.io/exclude-from-external-load-balancers': 'false' } }),
        at(vip),
        served,
      ],
      `${vip}@node-a b:nodeLabeledExcludeBalancers`,
    ],
    [
      'the label is not heeded',
      [
        here,
        l2(),
        node('node-a'),
        node('node-b', { labels: { 'node.kubernetes.io/exclude-from-external-load-balancers': '' } }),
        at(vip),
        served,
      ],
      `${vip}@node-b a:notOwner`,
      '--ignore-exclude-lb',
    ],
    [
      'Local: only nodes with an endpoint',
      [here, l2(), ...four, localWeb, slice('web', [endpoint('node-a'), endpoint('node-d')])],
      `${vip}@node-a b:noLocalEndpoints c:noLocalEndpoints d:notOwner`,
    ],
    [
      'Local: an endpoint that cannot serve does not count',
      [
        here,
        l2(),
        ...four,
        localWeb,
        slice('web', [endpoint('node-a', { ready: false }), endpoint('node-d')]),
      ],
      `${vip}@node-d a:noLocalEndpoints b:noLocalEndpoints c:noLocalEndpoints`,
    ],
    [
      'Local: a terminating one that serves counts',
      [here, l2(), ...four, localWeb, slice('web', [endpoint('node-a', { ready: false, serving: true })])],
      `${vip}@node-a b:noLocalEndpoints c:noLocalEndpoints d:noLocalEndpoints`,
    ],
    [
      'Local: endpoints without a node are nowhere',
      [here, l2(), node('node-a'), localWeb, slice('web', [{ addresses: ['10.1.1.1'], conditions: {} }])],
      'a:noLocalEndpoints',
    ],
    [
      'Local: an endpoint on a node that no advertisement includes',
      [here, l2(only('b')), ...labelled, localWeb, slice('web', [endpoint('node-a')])],
      'a:noMatchingAdvertisement b:noLocalEndpoints c:noMatchingAdvertisement d:noMatchingAdvertisement',
    ],
    [
      'a preferred node',
      [here, l2(prefers([1, 'd'])), ...labelled, at(vip), served],
      `${vip}@node-d a:notOwner b:notOwner c:notOwner`,
    ],
    [
      'the higher weight',
      [here, l2(prefers([10, 'd'], [20, 'a'])), ...labelled, at(vip), served],
      `${vip}@node-a b:notOwner c:notOwner d:notOwner`,
    ],
    [
      'weights add up',
      [here, l2(prefers([10, 'd'], [20, 'a'], [15, 'd'])), ...labelled, at(vip), served],
      `${vip}@node-d a:notOwner b:notOwner c:notOwner`,
    ],
    [
      'weights add up over advertisements',
      [
        here,
        l2(prefers([20, 'a'])),
        l2(prefers([15, 'd']), 'l3'),
        l2({ ...prefers([15, 'd']), interfaces: ['eth9'] }, 'l4'),
        ...labelled,
        at(vip),
        served,
      ],
      `${vip}@node-d a:notOwner b:notOwner c:notOwner`,
    ],
    [
      'two identical advertisements with preferences both count',
      [
        here,
        l2(prefers([20, 'a'])),
        l2(prefers([15, 'd']), 'l3'),
        l2(prefers([15, 'd']), 'l4'),
        ...labelled,
        at(vip),
        served,
      ],
      `${vip}@node-d a:notOwner b:notOwner c:notOwner`,
    ],
    [
      'equal scores fall back to the digest',
      [here, l2(prefers([10, 'd'], [10, 'a'])), ...labelled, at(vip), served],
      `${vip}@node-a b:notOwner c:notOwner d:notOwner`,
    ],
    [
      'a preference does not make a node eligible',
      [here, l2({ ...only('a'), ...prefers([100, 'b']) }), ...labelled, at(vip), served],
      `${vip}@node-a b:noMatchingAdvertisement c:noMatchingAdvertisement d:noMatchingAdvertisement`,
    ],
    [
      'a weight counts only where its advertisement includes the node',
      [here, l2({ ...only('a'), ...prefers([100, 'd']) }), l2({}, 'l3'), ...labelled, at(vip), served],
      `${vip}@node-b a:notOwner c:notOwner d:notOwner`,
    ],
    [
      'an empty preference prefers everybody',
      [here, l2({ preferredNodeSelectors: [{ weight: 5, preference: {} }] }), ...labelled, at(vip), served],
      `${vip}@node-b a:notOwner c:notOwner d:notOwner`,
    ],
    [
      'the preference of an advertisement for other Services does not count',
      [
        here,
        l2({}),
        l2({ ...prefers([100, 'd']), serviceSelectors: [{ matchLabels: { a: 'b' } }] }, 'l3'),
        ...labelled,
        at(vip),
        served,
      ],
      `${vip}@node-b a:notOwner c:notOwner d:notOwner`,
    ],
    [
      'a preferred node that is dead',
      [here, l2(prefers([1, 'd'])), ...labelled, at(vip), served],
      `${vip}@node-b a:notOwner c:notOwner d:notAlive`,
      '--alive',
      'node-a,node-b,node-c',
    ],
    [
      'interfaces, sorted',
      [here, l2({ interfaces: ['eth1', 'eth0'] }), node('node-a'), at(vip), served],
      `${vip}@node-a[eth0,eth1]`,
    ],
    [
      'interfaces of several advertisements united',
      [
        here,
        l2({ interfaces: ['eth1'] }),
        l2({ interfaces: ['eth0', 'eth1'] }, 'l3'),
        node('node-a'),
        at(vip),
        served,
      ],
      `${vip}@node-a[eth0,eth1]`,
    ],
    [
      'one advertisement without interfaces means all',
      [here, l2({ interfaces: ['eth1'] }), l2({}, 'l3'), node('node-a'), at(vip), served],
      `${vip}@node-a`,
    ],
    [
      'interfaces of advertisements for other nodes do not count',
      [
        here,
        l2({ ...only('a'), interfaces: ['eth1'] }),
        l2(only('b'), 'l3'),
        node('node-a', { labels: { n: 'a' } }),
        at(vip),
        served,
      ],
      `${vip}@node-a[eth1]`,
    ],
    [
      'both addresses of a pair are announced where the first says',
      [here, l2(), ...four, at(`${vip},fc00:f853:ccd:e799::1`, { clusterIPs: dual }), served],
      `${vip}@node-b fc00:f853:ccd:e799::1@node-b a:notOwner c:notOwner d:notOwner`,
    ],
    [
      'also when the first is the IPv6 one',
      [here, l2(), ...four, at(`fc00:f853:ccd:e799::1,${vip}`, { clusterIPs: dual }), served],
      `${vip}@node-d fc00:f853:ccd:e799::1@node-d a:notOwner b:notOwner c:notOwner`,
    ],
    [
      'the status says which one is first',
      [here, l2(), ...four, web({ has: ['fc00:f853:ccd:e799::1', vip], clusterIPs: dual }), served],
      `${vip}@node-d fc00:f853:ccd:e799::1@node-d a:notOwner b:notOwner c:notOwner`,
    ],
    ['a pending Service is announced nowhere', [here, l2(), ...four, at('10.1.1.1'), served], ''],
    [
      'a Service that keeps its address is announced',
      [here, l2(), node('node-a'), at('10.1.1.1', { has: [vip] }), served],
      `${vip}@node-a`,
    ],
  ]
  for (const [story, manifests, expected, ...flags] of rows) {
    it(story, async () => {
      const plan = await planOf(manifests, ...flags)
      expect(plan.problems.filter(({ severity }) => severity === 'error')).toEqual([])
      expect(voices(plan)).toBe(expected)
    })
  }

  it('puts Services that share an address on one node', async () => {
    const shared = (name: string, port: string): Manifest =>
      service(name, { asks: { loadBalancerIPs: vip, 'allow-shared-ip': 'k' }, ports: [port] })
    const plan = await planOf([
      here,
      l2(),
      ...four,
      shared('x', 'TCP/1'),
      shared('y', 'TCP/2'),
      slice('x', [endpoint('node-a')]),
      slice('y', [endpoint('node-d')]),
    ])
    expect(voices(plan, 'x')).toBe(`${vip}@node-b a:notOwner c:notOwner d:notOwner`)
    expect(voices(plan, 'y')).toBe(voices(plan, 'x'))
  })
})

describe('without Kubernetes', () => {
  const bare = (spec: object = {}, more: Parameters<typeof service>[1] = {}): Manifest =>
    web({ clusterIPs: [], spec, ...more })
  const six = pool('six', ['fc00:6::1/128'])
  const rows: readonly Row[] = [
    ['IPv4 where the pool has any', [twoStacks, bare()], { web: '10.0.0.1 from both' }],
    ['IPv6 where the pool has nothing else', [six, bare()], { web: 'fc00:6::1 from six' }],
    [
      'the families of the manifest',
      [twoStacks, bare({ ipFamilies: ['IPv6'] })],
      { web: 'fc00::1 from both' },
    ],
    [
      'both families of the manifest',
      [twoStacks, bare({ ipFamilies: ['IPv4', 'IPv6'] })],
      { web: '10.0.0.1 fc00::1 from both' },
    ],
    [
      'RequireDualStack',
      [twoStacks, bare({ ipFamilyPolicy: 'RequireDualStack' })],
      { web: '10.0.0.1 fc00::1 from both' },
    ],
    [
      'PreferDualStack',
      [twoStacks, bare({ ipFamilyPolicy: 'PreferDualStack' })],
      { web: '10.0.0.1 fc00::1 from both' },
    ],
    [
      'PreferDualStack where there is one family',
      [six, bare({ ipFamilyPolicy: 'PreferDualStack' })],
      { web: 'fc00:6::1 from six' },
    ],
    [
      'the families of the addresses asked for',
      [twoStacks, bare({}, { asks: { loadBalancerIPs: 'fc00::2' } })],
      { web: 'fc00::2 from both' },
    ],
    [
      'both asked for',
      [twoStacks, bare({}, { asks: { loadBalancerIPs: '10.0.0.2,fc00::2' } })],
      { web: '10.0.0.2 fc00::2 from both' },
    ],
    [
      'ipFamilies come before the addresses asked for',
      [twoStacks, bare({ ipFamilies: ['IPv4'] }, { asks: { loadBalancerIPs: 'fc00::2' } })],
      { web: 'pending FamilyMismatch' },
    ],
    [
      'cluster IPs that are there say the family',
      [twoStacks, web({ clusterIPs: v6 })],
      { web: 'fc00::1 from both' },
    ],
    [
      'an address in the status is kept',
      [twoStacks, bare({}, { has: ['fc00::2'] })],
      { web: 'fc00::2 from both' },
    ],
  ]
  stories(rows.map(([story, manifests, expected]) => [story, manifests, expected, '--standalone']))

  it('a Service without EndpointSlices is served everywhere', async () => {
    expect(voices(await planOf([here, l2(), ...four, at(vip)], '--standalone'))).toBe(
      `${vip}@node-b a:notOwner c:notOwner d:notOwner`,
    )
  })
  it('also with policy Local', async () => {
    const plan = await planOf(
      [here, l2(), ...four, at(vip, { spec: { externalTrafficPolicy: 'Local' } })],
      '--standalone',
    )
    expect(voices(plan)).toBe(`${vip}@node-b a:notOwner c:notOwner d:notOwner`)
  })
  it('EndpointSlices that are there count', async () => {
    const plan = await planOf(
      [here, l2(), node('node-a'), at(vip), slice('web', [endpoint('node-a', { ready: false })])],
      '--standalone',
    )
    expect(voices(plan)).toBe('a:noEndpoints')
  })
  it('a member without a Node object has its host name as a label', async () => {
    const selected = l2({ nodeSelectors: [{ matchLabels: { 'kubernetes.io/hostname': 'node-c' } }] })
    const plan = await planOf([here, selected, at(vip)], '--standalone', '--alive', 'node-b,node-c')
    expect(voices(plan)).toBe(`${vip}@node-c b:noMatchingAdvertisement`)
  })
  it('a Node object says for itself', async () => {
    const selected = l2({ nodeSelectors: [{ matchLabels: { 'kubernetes.io/hostname': 'node-c' } }] })
    const plan = await planOf([here, selected, node('node-c'), at(vip)], '--standalone', '--alive', 'node-c')
    expect(voices(plan)).toBe('c:noMatchingAdvertisement')
  })
})
