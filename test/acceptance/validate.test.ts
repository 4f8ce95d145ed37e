import type { Problem } from '@carillon/core'
import { describe, expect, it } from 'vitest'
import { asYaml, over } from './carillon.ts'
import {
  bfd,
  bgp,
  community,
  l2,
  type Manifest,
  node,
  oldPeer,
  peer,
  pinned,
  pool,
  secret,
} from './manifests.ts'

interface Verdict {
  readonly valid: boolean
  readonly problems: readonly Problem[]
}

/** Every error, as `Kind/name field`. */
async function errors(manifests: readonly Manifest[]): Promise<readonly string[]> {
  const { code, out } = await over({ 'all.yaml': asYaml(manifests) }, 'validate', '--json')
  const { valid, problems } = JSON.parse(out) as Verdict
  const found = problems.filter(({ severity }) => severity === 'error')
  expect(valid).toBe(found.length === 0)
  expect(code).toBe(valid ? 0 : 1)
  return found.map(({ kind, name, field }) => `${kind}/${name} ${field}`)
}

type Row = readonly [story: string, manifests: readonly Manifest[], ...errors: string[]]

function verdicts(rows: readonly Row[]): void {
  for (const [story, manifests, ...expected] of rows) {
    it(`${story}: ${expected.length === 0 ? 'valid' : expected.join(', ')}`, async () => {
      expect(await errors(manifests)).toEqual(expected)
    })
  }
}

const p = (...addresses: readonly string[]): readonly Manifest[] => [pool('p', addresses)]
const bad = 'IPAddressPool/p spec.addresses[0]'
const label = { matchLabels: { a: 'b' } }
const expression = { matchExpressions: [{ key: 'a', operator: 'In', values: ['b', 'c'] }] }
const twice = (operator: string, values: readonly string[]): object => ({
  matchExpressions: [{ key: 'a', operator, values }],
})

describe('pools', () => {
  verdicts([
    ['a CIDR', p('10.0.0.0/24')],
    ['a CIDR with host bits', p('10.0.0.7/24')],
    ['a range', p('10.0.0.1-10.0.0.9')],
    ['a range with spaces', p(' 10.0.0.1 - 10.0.0.9 ')],
    ['a range of one', p('10.0.0.1-10.0.0.1')],
    ['IPv6', p('fc00::/64', 'fc01::1-fc01::ffff')],
    ['no addresses', p(), 'IPAddressPool/p spec.addresses'],
    ['an address without mask', p('10.0.0.1'), bad],
    ['an empty entry', p(''), bad],
    ['a mask too long', p('10.0.0.0/33'), bad],
    ['an IPv6 mask too long', p('fc00::/129'), bad],
    ['a mask that is no number', p('10.0.0.0/x'), bad],
    ['a negative mask', p('10.0.0.0/-1'), bad],
    ['an octet above 255', p('10.0.0.256/24'), bad],
    ['leading zeros', p('010.0.0.0/24'), bad],
    ['a range backwards', p('10.0.0.9-10.0.0.1'), bad],
    ['a range of two families', p('10.0.0.1-fc00::1'), bad],
    ['a range with three ends', p('10.0.0.1-10.0.0.2-10.0.0.3'), bad],
    ['half a range', p('10.0.0.1-'), bad],
    ['a range with the short end of some tools', p('10.0.0.1-9'), bad],
    ['a zone', p('fe80::1%eth0/128'), bad],
    [
      'an overlap inside one pool',
      p('10.0.0.0/24', '10.0.0.5-10.0.0.6'),
      'IPAddressPool/p spec.addresses[1]',
    ],
    ['the same CIDR twice', p('10.0.0.0/24', '10.0.0.0/24'), 'IPAddressPool/p spec.addresses[1]'],
    [
      'an overlap of two pools',
      [pool('q', ['10.0.0.128/25']), pool('p', ['10.0.0.0/24'])],
      'IPAddressPool/q spec.addresses[0]',
    ],
    ['neighbours do not overlap', [pool('q', ['10.0.0.128/25']), pool('p', ['10.0.0.0/25'])]],
    [
      'two pools of one name',
      [pool('p', ['10.0.0.0/24']), pool('p', ['10.0.1.0/24'])],
      'IPAddressPool/p metadata.name',
    ],
    ['addresses of the wrong type', [pool('p', [5] as unknown as string[])], bad],
    [
      'addresses that are no list',
      [pool('p', '10.0.0.0/24' as unknown as string[])],
      'IPAddressPool/p spec.addresses',
    ],
    [
      'autoAssign that is no boolean',
      [pool('p', ['10.0.0.0/24'], { autoAssign: 'yes' })],
      'IPAddressPool/p spec.autoAssign',
    ],
    [
      'no spec',
      [{ apiVersion: 'metallb.io/v1beta1', kind: 'IPAddressPool', metadata: { name: 'p' } }],
      'IPAddressPool/p spec.addresses',
    ],
    [
      'no name',
      [
        {
          apiVersion: 'metallb.io/v1beta1',
          kind: 'IPAddressPool',
          metadata: {},
          spec: { addresses: ['10.0.0.0/24'] },
        },
      ],
      'IPAddressPool/ metadata.name',
    ],
    ['empty serviceAllocation', [pinned('p', ['10.0.0.0/24'], {})]],
    ['a negative priority', [pinned('p', ['10.0.0.0/24'], { priority: -1 })]],
    [
      'a fractional priority',
      [pinned('p', ['10.0.0.0/24'], { priority: 1.5 })],
      'IPAddressPool/p spec.serviceAllocation.priority',
    ],
    [
      'a namespace twice',
      [pinned('p', ['10.0.0.0/24'], { namespaces: ['a', 'a'] })],
      'IPAddressPool/p spec.serviceAllocation.namespaces[1]',
    ],
    [
      'a namespaceSelector twice',
      [pinned('p', ['10.0.0.0/24'], { namespaceSelectors: [label, label] })],
      'IPAddressPool/p spec.serviceAllocation.namespaceSelectors[1]',
    ],
    [
      'a serviceSelector twice',
      [pinned('p', ['10.0.0.0/24'], { serviceSelectors: [label, label] })],
      'IPAddressPool/p spec.serviceAllocation.serviceSelectors[1]',
    ],
    [
      'two problems are told at once',
      [pool('p', ['x', '10.0.0.0/24', 'y'])],
      bad,
      'IPAddressPool/p spec.addresses[2]',
    ],
  ])
})

const base = pool('p', ['10.0.0.0/24'])
const basis6 = pool('p6', ['fc00::/120'])

describe('selectors', () => {
  const of = (...nodeSelectors: readonly object[]): readonly Manifest[] => [base, l2({ nodeSelectors })]
  const at = (rest: string): string => `L2Advertisement/l2 spec.nodeSelectors${rest}`
  verdicts([
    ['labels and expressions', of(label, expression)],
    ['an empty one', of({})],
    ['one twice', of(label, label), at('[1]')],
    [
      'an expression twice',
      of({ matchExpressions: [...expression.matchExpressions, ...expression.matchExpressions] }),
      at('[0].matchExpressions[1]'),
    ],
    ['a value twice', of(twice('In', ['b', 'b'])), at('[0].matchExpressions[0].values[1]')],
    ['In without values', of(twice('In', [])), at('[0].matchExpressions[0].values')],
    ['NotIn without values', of(twice('NotIn', [])), at('[0].matchExpressions[0].values')],
    ['Exists with values', of(twice('Exists', ['b'])), at('[0].matchExpressions[0].values')],
    ['DoesNotExist with values', of(twice('DoesNotExist', ['b'])), at('[0].matchExpressions[0].values')],
    ['an unknown operator', of(twice('Like', ['b'])), at('[0].matchExpressions[0].operator')],
    ['no operator', of({ matchExpressions: [{ key: 'a' }] }), at('[0].matchExpressions[0].operator')],
    ['no key', of({ matchExpressions: [{ operator: 'Exists' }] }), at('[0].matchExpressions[0].key')],
    ['a value that is no text', of({ matchLabels: { a: 1 } }), at('[0].matchLabels.a')],
  ])
})

describe('layer 2 advertisements', () => {
  const at = (field: string): string => `L2Advertisement/l2 spec.${field}`
  verdicts([
    ['nothing said', [base, l2()]],
    [
      'no spec at all',
      [base, { apiVersion: 'metallb.io/v1beta1', kind: 'L2Advertisement', metadata: { name: 'l2' } }],
    ],
    [
      'a null spec',
      [
        base,
        { apiVersion: 'metallb.io/v1beta1', kind: 'L2Advertisement', metadata: { name: 'l2' }, spec: null },
      ],
    ],
    ['a pool that does not exist', [base, l2({ ipAddressPools: ['p', 'no'] })]],
    ['a pool twice', [base, l2({ ipAddressPools: ['p', 'p'] })], at('ipAddressPools[1]')],
    [
      'a pool selector twice',
      [base, l2({ ipAddressPoolSelectors: [label, label] })],
      at('ipAddressPoolSelectors[1]'),
    ],
    ['a service selector twice', [base, l2({ serviceSelectors: [label, label] })], at('serviceSelectors[1]')],
    ['two advertisements that say the same', [base, l2({}, 'a'), l2({}, 'b')]],
    [
      'weight 1 and 100',
      [
        base,
        l2({
          preferredNodeSelectors: [
            { weight: 1, preference: label },
            { weight: 100, preference: {} },
          ],
        }),
      ],
    ],
    [
      'weight 0',
      [base, l2({ preferredNodeSelectors: [{ weight: 0, preference: label }] })],
      at('preferredNodeSelectors[0].weight'),
    ],
    [
      'weight 101',
      [base, l2({ preferredNodeSelectors: [{ weight: 101, preference: label }] })],
      at('preferredNodeSelectors[0].weight'),
    ],
    [
      'no weight',
      [base, l2({ preferredNodeSelectors: [{ preference: label }] })],
      at('preferredNodeSelectors[0].weight'),
    ],
    [
      'no preference',
      [base, l2({ preferredNodeSelectors: [{ weight: 1 }] })],
      at('preferredNodeSelectors[0].preference'),
    ],
    ['interfaces are not looked at', [base, l2({ interfaces: ['eth*', 'eth*'] })]],
  ])
})

describe('BGP advertisements', () => {
  const at = (field: string): string => `BGPAdvertisement/bgp spec.${field}`
  const whole = 'BGPAdvertisement/bgp spec'
  verdicts([
    ['nothing said', [base, bgp()]],
    [
      'no spec at all',
      [base, { apiVersion: 'metallb.io/v1beta1', kind: 'BGPAdvertisement', metadata: { name: 'bgp' } }],
    ],
    ['as wide as the pool', [base, bgp({ aggregationLength: 24 })]],
    ['wider than the pool', [base, bgp({ aggregationLength: 23 })], at('aggregationLength')],
    ['length 0', [base, bgp({ aggregationLength: 0 })], at('aggregationLength')],
    ['length 33', [base, bgp({ aggregationLength: 33 })], at('aggregationLength')],
    ['IPv6 length 129', [base, bgp({ aggregationLengthV6: 129 })], at('aggregationLengthV6')],
    ['IPv6 as wide as the pool', [basis6, bgp({ aggregationLengthV6: 120 })]],
    ['IPv6 wider than the pool', [basis6, bgp({ aggregationLengthV6: 119 })], at('aggregationLengthV6')],
    ['IPv6 length is no matter to an IPv4 pool', [base, bgp({ aggregationLengthV6: 1 })]],
    [
      'the widest block of a range counts',
      [pool('p', ['10.0.0.1-10.0.0.9']), bgp({ aggregationLength: 30 })],
    ],
    [
      'wider than the widest block of a range',
      [pool('p', ['10.0.0.1-10.0.0.9']), bgp({ aggregationLength: 29 })],
      at('aggregationLength'),
    ],
    [
      'of a pool that it does not select',
      [
        pool('p', ['10.0.0.0/28']),
        pool('q', ['10.1.0.0/16']),
        bgp({ aggregationLength: 20, ipAddressPools: ['q'] }),
      ],
    ],
    [
      'each entry for itself',
      [pool('p', ['10.0.0.0/16', '10.1.0.0/28']), bgp({ aggregationLength: 24 })],
      at('aggregationLength'),
    ],
    ['serviceSelectors', [base, bgp({ serviceSelectors: [label] })]],
    [
      'serviceSelectors with 32 and 128 said',
      [base, bgp({ serviceSelectors: [label], aggregationLength: 32, aggregationLengthV6: 128 })],
    ],
    [
      'serviceSelectors with another length',
      [base, bgp({ serviceSelectors: [label], aggregationLength: 24 })],
      whole,
    ],
    [
      'serviceSelectors with another IPv6 length',
      [base, bgp({ serviceSelectors: [label], aggregationLengthV6: 64 })],
      whole,
    ],
    ['no serviceSelectors with another length', [base, bgp({ serviceSelectors: [], aggregationLength: 24 })]],
    ['a pool twice', [base, bgp({ ipAddressPools: ['p', 'p'] })], at('ipAddressPools[1]')],
    ['a peer twice', [base, bgp({ peers: ['a', 'a'] })], at('peers[1]')],
    ['a peer that does not exist', [base, bgp({ peers: ['a'] })]],
    ['a community twice', [base, bgp({ communities: ['1:2', '1:2'] })], at('communities[1]')],
    ['a node selector twice', [base, bgp({ nodeSelectors: [label, label] })], at('nodeSelectors[1]')],
    ['two that say the same', [base, bgp({}, 'a'), bgp({}, 'b')]],
    ['one object twice', [base, bgp(), bgp()], 'BGPAdvertisement/bgp metadata.name'],
    ['a literal community', [base, bgp({ communities: ['65535:65281'] })]],
    ['a large community', [base, bgp({ communities: ['large:1:2:4294967295'] })]],
    ['a community above 16 bit', [base, bgp({ communities: ['65536:1'] })], at('communities[0]')],
    [
      'a large community above 32 bit',
      [base, bgp({ communities: ['large:1:2:4294967296'] })],
      at('communities[0]'),
    ],
    ['another marker', [base, bgp({ communities: ['huge:1:2:3'] })], at('communities[0]')],
    ['a name that nobody defines', [base, bgp({ communities: ['blue'] })], at('communities[0]')],
    ['a well-known name', [base, bgp({ communities: ['no-export'] })]],
    [
      'a name that somebody defines',
      [base, community('c', ['no-export', '65535:65281']), bgp({ communities: ['no-export'] })],
    ],
    [
      'a name that looks like a literal',
      [base, community('c', ['1:2', '3:4']), bgp({ communities: ['1:2'] })],
    ],
    [
      'one community by name and by number',
      [base, community('c', ['x', '3:4']), bgp({ communities: ['x', '3:4'] })],
    ],
    [
      '64 communities',
      [base, bgp({ communities: Array.from({ length: 64 }, (_, i) => `1:${i}`) })],
      at('communities'),
    ],
    ['63 communities', [base, bgp({ communities: Array.from({ length: 63 }, (_, i) => `1:${i}`) })]],
    ['localPref of 32 bit', [base, bgp({ localPref: 4294967295 })]],
    ['localPref too large', [base, bgp({ localPref: 4294967296 })], at('localPref')],
    ['a negative localPref', [base, bgp({ localPref: -1 })], at('localPref')],
    ['a wrong type', [base, bgp({ aggregationLength: '24' })], at('aggregationLength')],
  ])
})

describe('preferences that conflict', () => {
  const both = pool('p', ['10.0.0.0/24', 'fc00::/120'])
  const a = (spec: object = {}): Manifest => bgp({ localPref: 100, ...spec }, 'a')
  const b = (spec: object = {}): Manifest => bgp({ localPref: 200, ...spec }, 'b')
  const conflict = 'BGPAdvertisement/b spec.localPref'
  const nodes = [node('n1', { labels: { n: '1' } }), node('n2', { labels: { n: '2' } })]
  const on = (n: string): object => ({ nodeSelectors: [{ matchLabels: { n } }] })
  verdicts([
    ['two on one pool', [base, a(), b()], conflict],
    ['the same preference', [base, a(), b({ localPref: 100, communities: ['1:2'] })]],
    ['none and one', [base, bgp({}, 'a'), b()], conflict],
    ['IPv4 pool, other lengths', [base, a({ aggregationLength: 24 }), b()]],
    ['IPv4 pool, other IPv6 lengths only', [base, a({ aggregationLengthV6: 64 }), b()], conflict],
    ['IPv6 pool, other lengths', [basis6, a({ aggregationLengthV6: 124 }), b()]],
    ['IPv6 pool, other IPv4 lengths only', [basis6, a({ aggregationLength: 24 }), b()], conflict],
    ['both families, one length differs', [both, a({ aggregationLength: 24 }), b()], conflict],
    [
      'both families, both lengths differ',
      [both, a({ aggregationLength: 24, aggregationLengthV6: 124 }), b()],
    ],
    ['other peers', [base, a({ peers: ['x'] }), b({ peers: ['y'] })]],
    ['a common peer', [base, a({ peers: ['x', 'z'] }), b({ peers: ['y', 'z'] })], conflict],
    ['peers and all peers', [base, a({ peers: ['x'] }), b()], conflict],
    ['other nodes', [base, ...nodes, a(on('1')), b(on('2'))]],
    ['a common node', [base, ...nodes, a(on('1')), b()], conflict],
    [
      'other pools',
      [base, pool('q', ['10.1.0.0/24']), a({ ipAddressPools: ['p'] }), b({ ipAddressPools: ['q'] })],
    ],
    ['serviceSelectors wait for the Service', [base, a({ serviceSelectors: [label] }), b()]],
  ])
})

describe('peers', () => {
  /** A peer with annotations of ours, written without their prefix. */
  const annotated = (annotations: Readonly<Record<string, string>>, spec: object = {}): Manifest => ({
    ...peer(spec),
    metadata: {
      name: 'tor',
      annotations: Object.fromEntries(
        Object.entries(annotations).map(([name, value]) => [`carillon.io/${name}`, value]),
      ),
    },
  })
  const at = (field: string): string => `BGPPeer/tor spec.${field}`
  verdicts([
    ['a peer', [peer()]],
    ['myASN 0', [peer({ myASN: 0 })], at('myASN')],
    ['no myASN', [peer({ myASN: undefined })], at('myASN')],
    ['myASN too large', [peer({ myASN: 4294967296 })], at('myASN')],
    ['the largest ASNs', [peer({ myASN: 4294967295, peerASN: 4294967294 })]],
    ['no peerASN', [peer({ peerASN: undefined })], at('peerASN')],
    ['peerASN 0 and dynamicASN', [peer({ peerASN: 0, dynamicASN: 'external' })]],
    ['dynamicASN', [peer({ peerASN: undefined, dynamicASN: 'internal' })]],
    ['both', [peer({ dynamicASN: 'external' })], at('dynamicASN')],
    ['dynamicASN of another word', [peer({ peerASN: undefined, dynamicASN: 'auto' })], at('dynamicASN')],
    ['multihop in one AS', [peer({ peerASN: 64512, ebgpMultiHop: true })], at('ebgpMultiHop')],
    ['multihop to another AS', [peer({ ebgpMultiHop: true })]],
    ['a passive peer', [annotated({ 'bgp-passive': 'true' })]],
    [
      'passive in another word',
      [annotated({ 'bgp-passive': 'yes' })],
      'BGPPeer/tor metadata.annotations["carillon.io/bgp-passive"]',
    ],
    ['a peer at most two hops away', [annotated({ 'bgp-ttl-security': '2' })]],
    [
      'a peer 255 hops away',
      [annotated({ 'bgp-ttl-security': '255' })],
      'BGPPeer/tor metadata.annotations["carillon.io/bgp-ttl-security"]',
    ],
    [
      'ttl-security and ebgpMultiHop',
      [annotated({ 'bgp-ttl-security': '2' }, { ebgpMultiHop: true })],
      'BGPPeer/tor metadata.annotations["carillon.io/bgp-ttl-security"]',
    ],
    ['interface', [peer({ peerAddress: undefined, interface: 'eth0' })]],
    ['interface and address', [peer({ interface: 'eth0' })], at('interface')],
    ['neither', [peer({ peerAddress: undefined })], at('peerAddress')],
    ['an address that is none', [peer({ peerAddress: 'tor.example' })], at('peerAddress')],
    ['an IPv6 address', [peer({ peerAddress: 'fc00::1' })]],
    ['a routerID that is none', [peer({ routerID: 'x' })], at('routerID')],
    ['a sourceAddress that is none', [peer({ sourceAddress: 'eth0' })], at('sourceAddress')],
    ['port 1', [peer({ peerPort: 1 })]],
    ['port 0', [peer({ peerPort: 0 })], at('peerPort')],
    ['port 16385', [peer({ peerPort: 16385 })], at('peerPort')],
    ['hold time 0', [peer({ holdTime: '0s', keepaliveTime: '0s' })]],
    ['hold time 3 s', [peer({ holdTime: '3s' })]],
    ['hold time 2.9 s', [peer({ holdTime: '2.9s' })], at('holdTime')],
    ['hold time 500 ms is 0 in whole seconds', [peer({ holdTime: '500ms' })]],
    ['hold time 1m30s', [peer({ holdTime: '1m30s' })]],
    ['hold time without unit', [peer({ holdTime: '90' })], at('holdTime')],
    ['keepalive above hold', [peer({ holdTime: '3s', keepaliveTime: '4s' })], at('keepaliveTime')],
    ['keepalive as long as hold', [peer({ holdTime: '3s', keepaliveTime: '3s' })]],
    ['keepalive alone', [peer({ keepaliveTime: '30s' })]],
    ['connectTime 1 s', [peer({ connectTime: '1s' })]],
    ['connectTime 0', [peer({ connectTime: '0s' })], at('connectTime')],
    ['connectTime with a fraction', [peer({ connectTime: '1500ms' })], at('connectTime')],
    ['connectTime 65536 s', [peer({ connectTime: '65536s' })], at('connectTime')],
    ['localASN', [peer({ localASN: 1 })]],
    ['localASN 0', [peer({ localASN: 0 })], at('localASN')],
    ['password', [peer({ password: 'x' })]],
    [
      'password and passwordSecret',
      [
        peer({ password: 'x', passwordSecret: { name: 's' } }),
        secret('s', 'kubernetes.io/basic-auth', { password: 'eA==' }),
      ],
      at('password'),
    ],
    [
      'passwordSecret',
      [
        peer({ passwordSecret: { name: 's' } }),
        secret('s', 'kubernetes.io/basic-auth', { password: 'eA==' }),
      ],
    ],
    ['a Secret that does not exist', [peer({ passwordSecret: { name: 's' } })], at('passwordSecret.name')],
    [
      'a Secret of another type',
      [peer({ passwordSecret: { name: 's' } }), secret('s', 'Opaque', { password: 'eA==' })],
      at('passwordSecret.name'),
    ],
    [
      'a Secret without password',
      [peer({ passwordSecret: { name: 's' } }), secret('s', 'kubernetes.io/basic-auth', {})],
      at('passwordSecret.name'),
    ],
    ['bfdProfile', [peer({ bfdProfile: 'fast' }), bfd('fast')]],
    ['a bfdProfile that does not exist', [peer({ bfdProfile: 'fast' })], at('bfdProfile')],
    ['a node selector twice', [peer({ nodeSelectors: [label, label] })], at('nodeSelectors[1]')],
    [
      'what FRR alone has',
      [
        peer({
          vrf: 'red',
          enableGracefulRestart: true,
          dualStackAddressFamily: true,
          disableMP: true,
          connectTime: '5s',
          localASN: 7,
        }),
      ],
    ],
    ['two peers of one name', [peer(), peer()], 'BGPPeer/tor metadata.name'],
    ['v1beta1', [oldPeer()]],
    ['v1beta1 with explicit zero timers', [oldPeer({ holdTime: '0s', keepaliveTime: '0s' })]],
    ['v1beta1 with port 0', [oldPeer({ peerPort: 0 })]],
    ['v1beta1 without peerASN', [oldPeer({ peerASN: undefined })], at('peerASN')],
    ['v1beta1 without peerAddress', [oldPeer({ peerAddress: undefined })], at('peerAddress')],
    [
      'v1beta1 node selectors want values',
      [oldPeer({ nodeSelectors: [{ matchExpressions: [{ key: 'a', operator: 'In', values: [] }] }] })],
      at('nodeSelectors[0].matchExpressions[0].values'),
    ],
    ['the same name in both versions', [oldPeer(), peer()], 'BGPPeer/tor metadata.name'],
  ])
})

describe('peers on one node', () => {
  const second = (spec: object): readonly Manifest[] => [
    peer({}, 'a'),
    peer({ peerAddress: '10.9.9.2', ...spec }, 'b'),
  ]
  verdicts([
    ['two', second({})],
    ['one address twice', second({ peerAddress: '10.9.9.1' }), 'BGPPeer/b spec.peerAddress'],
    ['one address in two VRFs', second({ peerAddress: '10.9.9.1', vrf: 'red' })],
    ['another routerID', second({ routerID: '1.1.1.1' })],
    ['another myASN', second({ myASN: 64999 })],
    ['another myASN in another VRF', second({ myASN: 64999, vrf: 'red' })],
    [
      'on different nodes',
      [
        node('n1', { labels: { n: '1' } }),
        node('n2', { labels: { n: '2' } }),
        peer({ nodeSelectors: [{ matchLabels: { n: '1' } }] }, 'a'),
        peer({ myASN: 64999, routerID: '1.1.1.1', nodeSelectors: [{ matchLabels: { n: '2' } }] }, 'b'),
      ],
    ],
  ])
})

describe('BFD profiles and communities', () => {
  const at = (field: string): string => `BFDProfile/x spec.${field}`
  const bounds = (field: string, low: number, high: number): readonly Row[] => [
    [`${field} ${low}`, [bfd('x', { [field]: low })]],
    [`${field} ${high}`, [bfd('x', { [field]: high })]],
    [`${field} ${low - 1}`, [bfd('x', { [field]: low - 1 })], at(field)],
    [`${field} ${high + 1}`, [bfd('x', { [field]: high + 1 })], at(field)],
  ]
  const echo = [peer({ bfdProfile: 'x' }), bfd('x', { echoMode: true })]
  verdicts([
    ...['receiveInterval', 'transmitInterval', 'echoInterval'].flatMap(field => bounds(field, 10, 60000)),
    ...bounds('detectMultiplier', 2, 255),
    ...bounds('minimumTtl', 1, 254),
    ['two profiles of one name', [bfd('x'), bfd('x')], 'BFDProfile/x metadata.name'],
    ['echo with IPv4', [base, ...echo, bgp()]],
    ['echo with IPv6', [basis6, ...echo, bgp()], 'BGPPeer/tor spec.bfdProfile'],
    ['echo with IPv6 of other peers', [basis6, ...echo, bgp({ peers: ['other'] })]],
    ['echo with IPv6 by name', [basis6, ...echo, bgp({ peers: ['tor'] })], 'BGPPeer/tor spec.bfdProfile'],
    ['no echo with IPv6', [basis6, peer({ bfdProfile: 'x' }), bfd('x', { echoMode: false }), bgp()]],
    [
      'echo with an IPv6 pool that is not advertised',
      [base, basis6, ...echo, bgp({ ipAddressPools: ['p'] })],
    ],
    ['a community', [community('c', ['x', '1:2'], ['y', 'large:1:2:3'])]],
    [
      'a community value that is none',
      [community('c', ['x', 'one'])],
      'Community/c spec.communities[0].value',
    ],
    [
      'a community name twice',
      [community('c', ['x', '1:2'], ['x', '1:3'])],
      'Community/c spec.communities[1].name',
    ],
    [
      'a community name in two objects',
      [community('c', ['x', '1:2']), community('d', ['x', '1:3'])],
      'Community/d spec.communities[0].name',
    ],
  ])
})
