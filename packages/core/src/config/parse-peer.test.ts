import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import type { BFDProfile, BGPPeer, Node, Secret } from '../resources/index.ts'
import { emptySnapshot, type Snapshot } from '../source/snapshot.ts'
import type { Peer } from './config.ts'
import { ConfigParser, parseConfig } from './parse-config.ts'

const metadata = (name: string, labels: Record<string, string> = {}) => ({ name, labels, annotations: {} })
const base = { myASN: 64500, peerASN: 64501, peerAddress: '10.0.0.1' }
/** A peer that is valid but for `spec`, in which null removes a field. */
const peer = (name: string, spec: Record<string, unknown> = {}): BGPPeer => ({
  apiVersion: 'metallb.io/v1beta2',
  kind: 'BGPPeer',
  metadata: metadata(name),
  spec: Object.fromEntries(
    Object.entries({
      ...base,
      peerPort: 179,
      disableMP: false,
      dualStackAddressFamily: false,
      ...spec,
    }).filter(([, value]) => value !== null),
  ) as unknown as BGPPeer['spec'],
})
const bfd = (name: string, spec: BFDProfile['spec'] = {}): BFDProfile => ({
  apiVersion: 'metallb.io/v1beta1',
  kind: 'BFDProfile',
  metadata: metadata(name),
  spec,
})
const base64 = (text: string): string => Buffer.from(text).toString('base64')
const secret = (
  name: string,
  data: Record<string, string>,
  rest: { type?: string; namespace?: string } = {},
): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { ...metadata(name), namespace: rest.namespace ?? 'default' },
  type: rest.type ?? 'kubernetes.io/basic-auth',
  data,
})
const node = (name: string, labels: Record<string, string>): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: metadata(name, labels),
  spec: { unschedulable: false, taints: [] },
  status: { conditions: [], addresses: [] },
})
const parse = (snapshot: Partial<Snapshot>) => parseConfig({ ...emptySnapshot, ...snapshot })
const said = (snapshot: Partial<Snapshot>): string[] =>
  parse(snapshot).problems.map(
    ({ severity, name, field, message }) => `${severity} ${name} ${field}: ${message}`,
  )
const only = (spec: Record<string, unknown>, more: Partial<Snapshot> = {}): Peer => {
  const { config, problems } = parse({ bgpPeers: [peer('tor', spec)], ...more })
  expect(problems).toEqual([])
  return config?.peers[0] as Peer
}
const wrong = (spec: Record<string, unknown>, more: Partial<Snapshot> = {}): string[] =>
  said({ bgpPeers: [peer('tor', spec)], ...more })

describe('a BGP peer', () => {
  it('needs two AS numbers and an address, and has a default for the rest', () => {
    expect(only({})).toEqual({
      name: 'tor',
      myAsn: 64500,
      peerAsn: 64501,
      peerAddress: '10.0.0.1',
      peerPort: 179,
      nodeSelectors: [],
      gracefulRestart: false,
      ebgpMultiHop: false,
      dualStackAddressFamily: false,
      passive: false,
    })
  })

  it('may be found on an interface, in any AS of a kind, in a VRF, with routes of both families', () => {
    expect(
      only({
        peerASN: null,
        dynamicASN: 'external',
        localASN: 64999,
        peerAddress: null,
        interface: 'eth1',
        vrf: 'red',
        dualStackAddressFamily: true,
        enableGracefulRestart: true,
        routerID: '10.9.9.9',
      }),
    ).toMatchObject({
      dynamicAsn: 'external',
      localAsn: 64999,
      interface: 'eth1',
      vrf: 'red',
      dualStackAddressFamily: true,
      gracefulRestart: true,
      routerId: '10.9.9.9',
    })
  })

  it('has its addresses in canonical form', () => {
    const { peerAddress, sourceAddress } = only({
      peerAddress: '2001:DB8:0::1',
      sourceAddress: '2001:db8::0:2',
    })
    expect([peerAddress, sourceAddress]).toEqual(['2001:db8::1', '2001:db8::2'])
  })

  it('takes empty text for an absent field', () => {
    expect(
      only({ interface: '', sourceAddress: '', vrf: '', routerID: '', password: '', bfdProfile: '' }),
    ).toEqual(only({}))
  })

  it('has port 179 where a v1beta1 object says 0', () => {
    expect(only({ peerPort: 0 }).peerPort).toBe(179)
  })

  const mistakes: [Record<string, unknown>, string][] = [
    [{ myASN: 0 }, 'myASN: 0 is not an AS number: it must be from 1 to 4294967295'],
    [{ peerASN: 2 ** 32 }, 'peerASN: 4294967296 is not an AS number: it must be from 1 to 4294967295'],
    [{ localASN: 0 }, 'localASN: 0 is not an AS number: it must be from 1 to 4294967295'],
    [
      { peerASN: 0 },
      'peerASN: is missing: give the AS number of the peer, or dynamicASN (internal or external)',
    ],
    [{ dynamicASN: 'internal' }, 'dynamicASN: peerASN and dynamicASN exclude each other: remove one of them'],
    [
      { peerASN: null, dynamicASN: 'both' },
      'dynamicASN: "both" is no kind of peer: use internal or external',
    ],
    [
      { peerAddress: null },
      'peerAddress: is missing: give the address of the peer, or the interface to find it on',
    ],
    [{ interface: 'eth0' }, 'interface: peerAddress and interface exclude each other: remove one of them'],
    [{ peerAddress: 'router' }, 'peerAddress: "router" is not an IP address'],
    [{ sourceAddress: '10.0.0' }, 'sourceAddress: "10.0.0" is not an IP address'],
    [{ routerID: 'one' }, 'routerID: "one" is not an IP address'],
    [{ routerID: '0.0.0.0' }, 'routerID: 0.0.0.0 is no BGP identifier: give another one, or leave it out'],
    [
      { routerID: '2001:db8::1' },
      'routerID: 2001:db8::1 is an IPv6 address, and a BGP identifier has 4 bytes: write it as an IPv4 address, or leave it out',
    ],
    [{ peerPort: 70000 }, 'peerPort: 70000 is no TCP port: it must be from 1 to 65535'],
    [
      { peerASN: 64500, ebgpMultiHop: true },
      'ebgpMultiHop: is for peers in another AS, and peerASN is myASN: remove it, since sessions within an AS may be multi-hop anyway',
    ],
    [{ nodeSelectors: [{}, {}] }, 'nodeSelectors[1]: is the same as [0]: remove one of them'],
  ]
  it.each(mistakes)('is refused with %j', (spec, message) => {
    expect(wrong(spec)).toEqual([`error tor spec.${message}`])
  })

  it('names all its mistakes at once', () => {
    expect(
      wrong({ myASN: 0, peerASN: null, peerAddress: 'x', holdTime: '1s', routerID: '::1' }),
    ).toHaveLength(5)
  })

  it('is warned about what it cannot use', () => {
    expect(wrong({ disableMP: true })).toEqual([
      'warning tor spec.disableMP: is deprecated and has no effect: remove it',
    ])
    expect(wrong({ sourceAddress: 'fc00::1' })).toEqual([
      'warning tor spec.sourceAddress: fc00::1 cannot reach 10.0.0.1, which is of the other family: the session will not come up',
    ])
  })
})

describe('timers of a peer', () => {
  const times = (spec: Record<string, unknown>) => {
    const { holdTimeMs, keepaliveTimeMs, connectTimeMs } = only(spec)
    return [holdTimeMs, keepaliveTimeMs, connectTimeMs]
  }

  it('follow from one another', () => {
    expect(times({})).toEqual([undefined, undefined, undefined])
    expect(times({ holdTime: '90s' })).toEqual([90_000, 30_000, undefined])
    expect(times({ keepaliveTime: '10s' })).toEqual([30_000, 10_000, undefined])
    expect(times({ holdTime: '1m30s', keepaliveTime: '5s', connectTime: '1m' })).toEqual([
      90_000, 5000, 60_000,
    ])
    expect(times({ holdTime: '0s' })).toEqual([0, 0, undefined])
    expect(times({ holdTime: '3.9s' })).toEqual([3000, 1300, undefined])
    expect(times({ holdTime: '3s', keepaliveTime: '3s' })).toEqual([3000, 3000, undefined])
    // Less than a second is no hold time on the wire, and then there are no keepalives.
    expect(times({ holdTime: '500ms' })).toEqual([0, 0, undefined])
  })

  it.each([
    [{ holdTime: '2s' }, 'holdTime: 2s is too short: the hold time must be 0s for none, or at least 3s'],
    [
      { holdTime: '2.999s' },
      'holdTime: 2.999s is too short: the hold time must be 0s for none, or at least 3s',
    ],
    [
      { keepaliveTime: '700ms' },
      'keepaliveTime: 700ms makes a hold time of 2.1s, three times as long, which is too short: the hold time must be 0s for none, or at least 3s',
    ],
    [{ holdTime: '24h' }, 'holdTime: 24h is too long: the hold time can be at most 65535s'],
    [
      { holdTime: '9s', keepaliveTime: '10s' },
      'keepaliveTime: 10s is longer than the hold time of 9s: a third of it is usual',
    ],
    [
      { holdTime: '0s', keepaliveTime: '1s' },
      'keepaliveTime: 1s is longer than the hold time of 0s: a third of it is usual',
    ],
    [{ holdTime: '-9s' }, 'holdTime: -9s is negative'],
    [{ holdTime: '90' }, 'holdTime: "90" is not a duration: write a number and a unit, such as 90s'],
    [
      { connectTime: '1500ms' },
      'connectTime: 1500ms will not do: it must be whole seconds, from 1s to 65535s',
    ],
    [{ connectTime: '0s' }, 'connectTime: 0s will not do: it must be whole seconds, from 1s to 65535s'],
  ])('are refused with %j', (spec, message) => {
    expect(wrong(spec)).toEqual([`error tor spec.${message}`])
  })
})

describe('the password of a peer', () => {
  const named = { passwordSecret: { name: 'tor-auth', namespace: 'elsewhere' } }

  it('is in the object or in a Secret, whose namespace is that of the peer whatever the reference says', () => {
    expect(only({ password: 'plain' }).password).toBe('plain')
    expect(only(named, { secrets: [secret('tor-auth', { password: base64('grün') })] }).password).toBe('grün')
    const secrets = [
      secret('tor-auth', { password: base64('theirs') }, { namespace: 'elsewhere' }),
      secret('tor-auth', { password: base64('ours') }),
    ]
    expect(only(named, { secrets }).password).toBe('ours')
  })

  it('comes from the only Secret of the name where namespaces are left open', () => {
    const secrets = [secret('tor-auth', { password: base64('key') }, { namespace: 'metallb-system' })]
    expect(only(named, { secrets }).password).toBe('key')
  })

  it('is no password without a name', () => {
    expect(only({ passwordSecret: {} }).password).toBeUndefined()
  })

  const at = 'error tor spec.passwordSecret.name'
  const mistakes: [string, readonly Secret[], string][] = [
    [
      'is missing',
      [],
      `${at}: there is no Secret "tor-auth": create it with type kubernetes.io/basic-auth and key "password"`,
    ],
    [
      'has the wrong type',
      [secret('tor-auth', { password: base64('hunter2') }, { type: 'Opaque' })],
      `${at}: Secret "tor-auth" is of type "Opaque": it must be of type kubernetes.io/basic-auth`,
    ],
    [
      'has no password',
      [secret('tor-auth', { key: base64('hunter2') })],
      `${at}: Secret "tor-auth" has no key "password": put the TCP-MD5 key there`,
    ],
    [
      'has an empty password',
      [secret('tor-auth', { password: '' })],
      `${at}: the password in Secret "tor-auth" is empty: set it, or remove passwordSecret for a session without one`,
    ],
    [
      'is not base64',
      [secret('tor-auth', { password: 'hunter2!' })],
      `${at}: the password in Secret "tor-auth" is not valid base64`,
    ],
    [
      'is not text',
      [secret('tor-auth', { password: '/w==' })],
      `${at}: the password in Secret "tor-auth" is not UTF-8 text`,
    ],
    [
      'is too long',
      [secret('tor-auth', { password: base64('hunter2'.repeat(12)) })],
      `${at}: the password is longer than 80 bytes, which is what TCP-MD5 can take: shorten it`,
    ],
    [
      'cannot be told from another',
      ['b', 'a'].map(namespace => secret('tor-auth', { password: base64('hunter2') }, { namespace })),
      `${at}: there are Secrets "tor-auth" in the namespaces a, b: keep one, or put the one that is meant where the BGPPeer is`,
    ],
  ]
  it.each(mistakes)('is refused when the Secret %s, without being shown', (_, secrets, message) => {
    const problems = wrong(named, { secrets })
    expect(problems).toEqual([message])
    expect(problems.join()).not.toContain('hunter2')
  })

  it('is said once', () => {
    const secrets = [secret('tor-auth', { password: base64('key') })]
    expect(wrong({ ...named, password: 'hunter2' }, { secrets })).toEqual([
      'error tor spec.password: password and passwordSecret exclude each other: keep the Secret',
    ])
  })
})

describe('BFD profiles', () => {
  it('have the defaults of FRR', () => {
    const { config } = parse({
      bfdProfiles: [bfd('slow', { receiveInterval: 1000, echoMode: true }), bfd('plain')],
    })
    expect([...(config?.bfdProfiles.keys() ?? [])]).toEqual(['plain', 'slow'])
    expect(config?.bfdProfiles.get('plain')).toEqual({
      name: 'plain',
      receiveIntervalMs: 300,
      transmitIntervalMs: 300,
      detectMultiplier: 3,
      echoIntervalMs: 50,
      echoMode: false,
      passiveMode: false,
      minimumTtl: 254,
    })
    expect(config?.bfdProfiles.get('slow')).toMatchObject({ receiveIntervalMs: 1000, echoMode: true })
  })

  it('keep within what MetalLB admits', () => {
    const spec = {
      receiveInterval: 9,
      transmitInterval: 60_001,
      detectMultiplier: 1,
      echoInterval: 5,
      minimumTtl: 255,
    }
    expect(said({ bfdProfiles: [bfd('bad', spec)] })).toEqual([
      'error bad spec.detectMultiplier: 1 is out of range: it must be from 2 to 255',
      'error bad spec.echoInterval: 5 is out of range: it must be from 10 to 60000',
      'error bad spec.minimumTtl: 255 is out of range: it must be from 1 to 254',
      'error bad spec.receiveInterval: 9 is out of range: it must be from 10 to 60000',
      'error bad spec.transmitInterval: 60001 is out of range: it must be from 10 to 60000',
    ])
  })

  it('must exist where a peer names one', () => {
    expect(only({ bfdProfile: 'fast' }, { bfdProfiles: [bfd('fast')] }).bfdProfile).toBe('fast')
    expect(wrong({ bfdProfile: 'fast' })).toEqual([
      'error tor spec.bfdProfile: there is no BFDProfile "fast": create it, or remove the field',
    ])
  })

  it('echo over one hop only', () => {
    expect(
      wrong({ bfdProfile: 'echo', ebgpMultiHop: true }, { bfdProfiles: [bfd('echo', { echoMode: true })] }),
    ).toEqual([
      'warning tor spec.bfdProfile: BFDProfile "echo" has echoMode, which is not used over several hops (RFC 5883)',
    ])
  })
})

describe('BFD echo', () => {
  const echo = (cidr: string, names: readonly string[] = []): string[] =>
    said({
      bgpPeers: [peer('tor', { bfdProfile: 'echo' })],
      bfdProfiles: [bfd('echo', { echoMode: true })],
      pools: [
        {
          apiVersion: 'metallb.io/v1beta1',
          kind: 'IPAddressPool',
          metadata: metadata('p'),
          spec: { addresses: [cidr], autoAssign: true, avoidBuggyIPs: false },
        },
      ],
      bgpAdvertisements: [
        {
          apiVersion: 'metallb.io/v1beta1',
          kind: 'BGPAdvertisement',
          metadata: metadata('ad'),
          spec: { aggregationLength: 32, aggregationLengthV6: 128, peers: [...names] },
        },
      ],
    }).filter(text => text.startsWith('error'))

  it('is refused towards a peer that is told of IPv6 addresses', () => {
    const refusal =
      'error tor spec.bfdProfile: BFDProfile "echo" has echoMode, and BGPAdvertisement "ad" announces IPv6 addresses of IPAddressPool "p" to this peer: switch echoMode off, or name other peers in the advertisement'
    expect(echo('fc00::/120')).toEqual([refusal])
    expect(echo('fc00::/120', ['tor'])).toEqual([refusal])
  })

  it('is fine with IPv4, and with IPv6 for other peers', () => {
    expect(echo('10.0.0.0/24')).toEqual([])
    expect(echo('fc00::/120', ['other'])).toEqual([])
  })
})

describe('two peers', () => {
  const two = (
    one: Record<string, unknown>,
    other: Record<string, unknown>,
    nodes: readonly Node[] = [],
  ): string[] => said({ nodes, bgpPeers: [peer('b', other), peer('a', one)] })
  const rack = (name: string) => ({ nodeSelectors: [{ matchLabels: { rack: name } }] })

  it('cannot be one session of one node', () => {
    expect(two({}, { myASN: 64999, peerAddress: '10.0.0.1' })).toEqual([
      'error b spec.peerAddress: BGPPeer "a" is a session with 10.0.0.1 port 179 too, on the same nodes: remove one, or set them apart by nodeSelectors, vrf or sourceAddress',
    ])
    const onInterface = { peerAddress: null, interface: 'eth1' }
    expect(two(onInterface, onInterface)).toEqual([expect.stringContaining('the peer on eth1')])
  })

  it('may differ in port, VRF or source address, or be on different nodes', () => {
    expect(two({}, { peerPort: 1790 })).toEqual([])
    expect(two({}, { vrf: 'red' })).toEqual([])
    expect(two({}, { sourceAddress: '10.0.0.9' })).toEqual([])
    expect(two(rack('1'), rack('2'))).toEqual([])
    expect(two(rack('1'), rack('2'), [node('n1', { rack: '1' }), node('n2', { rack: '2' })])).toEqual([])
    expect(two(rack('1'), {}, [node('n1', { rack: '1' })])).toHaveLength(1)
  })

  it('that wait for a router at one address need one password, or only one of them is let in', () => {
    const wait = (port: number, spec: Record<string, unknown> = {}) => ({ peerPort: port, ...spec })
    const passive = { annotations: { 'carillon.io/bgp-passive': 'true' } }
    const both = (one: Record<string, unknown>, other: Record<string, unknown>): string[] =>
      said({
        bgpPeers: [peer('a', wait(179, one)), peer('b', wait(1790, other))].map(object => ({
          ...object,
          metadata: { ...object.metadata, ...passive },
        })),
      })
    expect(both({ password: 'x' }, { password: 'y' })).toEqual([
      'warning b spec.peerAddress: BGPPeer "a" is at 10.0.0.1 too, with another password, and both wait for the router to connect: only "a" can be let in, since a listener has one key for each address; give both the same password, or let one dial',
    ])
    expect(both({ password: 'x' }, {})).toHaveLength(1)
    expect(both({ password: 'x' }, { password: 'x' })).toEqual([])
    expect(both({ password: 'x' }, { password: 'y', vrf: 'red' })).toEqual([])
    expect(both({ password: 'x' }, { password: 'y', peerAddress: '10.0.0.2' })).toEqual([])
    expect(two({ password: 'x' }, { password: 'y', peerPort: 1790 })).toEqual([])
  })

  it('may have different AS numbers and identifiers on one node', () => {
    expect(
      two({ routerID: '1.1.1.1' }, { peerAddress: '10.0.0.2', myASN: 64999, routerID: '2.2.2.2' }),
    ).toEqual([])
  })

  it('have different names', () => {
    expect(said({ bgpPeers: [peer('a'), peer('a', { peerAddress: '10.0.0.2' })] })).toEqual([
      'error a metadata.name: there are several objects of this kind and name: keep one',
    ])
  })
})

describe('what annotations add to a peer', () => {
  const annotated = (annotations: Record<string, string>, spec: Record<string, unknown> = {}) => {
    const object = peer('tor', spec)
    return parse({ bgpPeers: [{ ...object, metadata: { ...object.metadata, annotations } }] })
  }
  const extras = (annotations: Record<string, string>): Partial<Peer> => {
    const { config, problems } = annotated(annotations)
    expect(problems).toEqual([])
    const [{ passive, ttlSecurity } = only({})] = config?.peers ?? []
    return { passive, ...(ttlSecurity !== undefined && { ttlSecurity }) }
  }

  it('is that it waits to be called, and how many hops away it may be', () => {
    expect(extras({})).toEqual({ passive: false })
    expect(extras({ 'carillon.io/bgp-passive': 'false' })).toEqual({ passive: false })
    expect(
      extras({
        'carillon.io/bgp-passive': 'true',
        'carillon.io/bgp-ttl-security': '254',
        'example.com/bgp-passive': 'maybe',
      }),
    ).toEqual({ passive: true, ttlSecurity: 254 })
  })

  it.each([
    ['carillon.io/bgp-passive', 'yes', '"yes" will not do: it must be "true" or "false"'],
    ['carillon.io/bgp-passive', '', '"" will not do: it must be "true" or "false"'],
    ...['0', '255', '-1', '1.5', 'on', ''].map(text => [
      'carillon.io/bgp-ttl-security',
      text,
      `"${text}" is no number of hops: it must be from 1, for a peer on the same network, to 254`,
    ]),
  ])('%s: %j is an error that says what may be written', (name, text, message) => {
    expect(annotated({ [name]: text }).problems).toEqual([
      { severity: 'error', kind: 'BGPPeer', name: 'tor', field: `metadata.annotations["${name}"]`, message },
    ])
  })

  it('is nothing where the name is misspelt, which is warned about', () => {
    const { config, problems } = annotated({ 'carillon.io/bgp-pasive': 'true' })
    expect(config?.peers[0]?.passive).toBe(false)
    expect(problems).toMatchObject([
      {
        severity: 'warning',
        field: 'metadata.annotations["carillon.io/bgp-pasive"]',
        message:
          'there is no annotation "carillon.io/bgp-pasive" (did you mean "carillon.io/bgp-passive"?): it has no effect',
      },
    ])
  })

  it('says how far away a peer is once: ttl-security leaves no room for ebgpMultiHop', () => {
    expect(annotated({ 'carillon.io/bgp-ttl-security': '2' }, { ebgpMultiHop: true }).problems).toMatchObject(
      [{ severity: 'error', message: expect.stringContaining('exclude each other') }],
    )
  })

  it('leaves the peer the same object when other annotations come and go', () => {
    const parser = new ConfigParser()
    const [one, other] = [{}, { 'kubectl.kubernetes.io/last-applied-configuration': '{}' }].map(
      annotations => {
        const object = peer('tor')
        const bgpPeers = [{ ...object, metadata: { ...object.metadata, annotations } }]
        return parser.parse({ ...emptySnapshot, bgpPeers }).config?.peers[0]
      },
    )
    expect(one?.name).toBe('tor')
    expect(other).toBe(one)
  })
})

describe('the password of a peer that is given beside the resources', () => {
  const given = (spec: Record<string, unknown>, password: string, name = 'tor') =>
    new ConfigParser().parse({
      ...emptySnapshot,
      passwords: new Map([[name, password]]),
      bgpPeers: [peer('tor', spec)],
    })

  it('is used as one that stands in the resource', () => {
    expect(given({}, 'a key').config?.peers[0]?.password).toBe('a key')
  })

  it('must not be given twice, nor be longer than TCP-MD5 can take, and no message shows it', () => {
    const problems = [
      ...given({ password: 'other' }, 'a key').problems,
      ...given({ passwordSecret: { name: 's' } }, 'a key').problems,
      ...given({}, 'k'.repeat(81)).problems,
    ]
    expect(problems.map(({ severity, field }) => `${severity} ${field}`)).toEqual([
      'error spec.password',
      'error spec.passwordSecret.name',
      'error spec.password',
    ])
    expect(JSON.stringify(problems)).not.toMatch(/a key|kkk/)
  })

  it('for a peer that does not exist is warned about', () => {
    const { config, problems } = given({}, 'a key', 'tro')
    expect(config?.peers[0]).not.toHaveProperty('password')
    expect(problems).toEqual([
      {
        severity: 'warning',
        kind: 'BGPPeer',
        name: 'tro',
        field: '',
        message:
          'there is no BGPPeer "tro" (did you mean "tor"?): a password file is given for it, which is not used',
      },
    ])
  })
})
