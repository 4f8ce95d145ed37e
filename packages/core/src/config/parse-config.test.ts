import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type {
  BFDProfile,
  BGPAdvertisement,
  BGPPeer,
  Community,
  IPAddressPool,
  L2Advertisement,
  LabelSelector,
  Node,
  Secret,
} from '../resources/index.ts'
import { emptySnapshot, type Snapshot } from '../source/snapshot.ts'
import { ConfigParser, parseConfig } from './parse-config.ts'
import { compareProblems, type Problem } from './problem.ts'

const metadata = (name: string, labels: Record<string, string> = {}) => ({ name, labels, annotations: {} })
const v1beta1 = 'metallb.io/v1beta1' as const
const pool: IPAddressPool = {
  apiVersion: v1beta1,
  kind: 'IPAddressPool',
  metadata: metadata('first', { a: 'b' }),
  spec: {
    addresses: ['10.0.0.0/24'],
    autoAssign: true,
    avoidBuggyIPs: false,
    serviceAllocation: { namespaces: ['x'], serviceSelectors: [{ matchLabels: { a: 'b' } }] },
  },
}
const ad = (name: string, localPref: number, hostname?: string): BGPAdvertisement => ({
  apiVersion: v1beta1,
  kind: 'BGPAdvertisement',
  metadata: metadata(name),
  spec: {
    aggregationLength: 32,
    aggregationLengthV6: 128,
    localPref,
    ...(hostname && { nodeSelectors: [{ matchLabels: { hostname } }] }),
  },
})
const l2: L2Advertisement = {
  apiVersion: v1beta1,
  kind: 'L2Advertisement',
  metadata: metadata('x'),
  spec: {},
}
const peer: BGPPeer = {
  apiVersion: 'metallb.io/v1beta2',
  kind: 'BGPPeer',
  metadata: metadata('tor'),
  spec: {
    myASN: 1,
    peerASN: 2,
    peerAddress: '10.9.9.9',
    peerPort: 179,
    passwordSecret: { name: 'auth' },
    bfdProfile: 'fast',
    disableMP: false,
    dualStackAddressFamily: false,
  },
}
const bfd: BFDProfile = { apiVersion: v1beta1, kind: 'BFDProfile', metadata: metadata('fast'), spec: {} }
const secret = (name: string): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { ...metadata(name), namespace: 'default' },
  type: 'kubernetes.io/basic-auth',
  data: { password: 'a2V5' },
})
const node = (name: string, ready = 'True'): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: metadata(name, { hostname: name }),
  spec: { unschedulable: false, taints: [] },
  status: { conditions: [{ type: 'Ready', status: ready }], addresses: [] },
})
const whole: Snapshot = {
  ...emptySnapshot,
  pools: [pool],
  l2Advertisements: [l2],
  bgpAdvertisements: [ad('y', 0)],
  bgpPeers: [peer],
  bfdProfiles: [bfd],
  secrets: [secret('auth'), secret('other')],
  nodes: [node('n1')],
}

describe('a configuration', () => {
  it('is there for an empty cluster', () => {
    expect(parseConfig(emptySnapshot)).toEqual({
      config: { pools: [], peers: [], bfdProfiles: new Map() },
      problems: [],
    })
  })

  it('holds every kind', () => {
    const { config, problems } = parseConfig(whole)
    expect(problems).toEqual([])
    expect(config?.pools[0]?.l2Advertisements.map(({ name }) => name)).toEqual(['x'])
    expect(config?.pools[0]?.bgpAdvertisements.map(({ name }) => name)).toEqual(['y'])
    expect(config?.peers[0]?.password).toBe('key')
    expect(config?.bfdProfiles.has('fast')).toBe(true)
  })

  it('is frozen to the last, and leaves the resources as they are', () => {
    const { config } = parseConfig(whole)
    const first = config?.pools[0]
    for (const value of [
      config,
      config?.pools,
      first,
      first?.labels,
      first?.entries[0]?.cidrs[0],
      config?.peers[0],
    ]) {
      expect(Object.isFrozen(value)).toBe(true)
    }
    const profiles = config?.bfdProfiles as Map<string, unknown>
    const namespaces = first?.serviceAllocation?.namespaces as Set<string>
    expect(() => profiles.set('x', 1)).toThrow(TypeError)
    expect(() => profiles.delete('fast')).toThrow(TypeError)
    expect(() => namespaces.add('y')).toThrow(TypeError)
    expect(() => namespaces.clear()).toThrow(TypeError)
    expect(Object.isFrozen(pool.metadata.labels)).toBe(false)
  })
})

describe('problems', () => {
  const problem = (kind: string, name: string, field: string): Problem => {
    return { severity: 'error', kind, name, field, message: '' }
  }

  it('are ordered by kind, name and field, list items by number', () => {
    const sorted = [
      problem('A', 'a', 'spec.addresses[2]'),
      problem('A', 'a', 'spec.addresses[10]'),
      problem('A', 'b', ''),
      problem('B', 'a', ''),
    ]
    expect(sorted.toReversed().sort(compareProblems)).toEqual(sorted)
  })

  it('of the source come first, and an error among them leaves no configuration', () => {
    const given = [problem('Z', 'z', 'spec'), { ...problem('A', 'a', 'spec'), severity: 'warning' as const }]
    const { config, problems } = parseConfig({
      ...whole,
      bgpPeers: [{ ...peer, spec: { ...peer.spec, myASN: 0 } }],
      problems: given,
    })
    expect(config).toBeUndefined()
    expect(problems.map(({ kind }) => kind)).toEqual(['Z', 'A', 'BGPPeer'])
    const warned = parseConfig({ ...whole, problems: given.slice(1) })
    expect(warned.config).toBeDefined()
    expect(warned.problems).toHaveLength(1)
  })

  it('with an object say nothing about references to it', () => {
    const refers: Snapshot = {
      ...whole,
      bfdProfiles: [],
      secrets: [],
      pools: [],
      l2Advertisements: [{ ...l2, spec: { ipAddressPools: ['first'] } }],
      bgpAdvertisements: [
        { ...ad('y', 0), spec: { ...ad('y', 0).spec, peers: ['tor', 'spine'], communities: ['blue'] } },
      ],
    }
    expect(parseConfig(refers).problems).toHaveLength(5)
    const given = [
      problem('BFDProfile', 'fast', 'spec'),
      problem('Secret', 'auth', 'data'),
      problem('IPAddressPool', 'first', 'spec'),
      problem('BGPPeer', 'spine', 'spec'),
      problem('Community', 'colors', 'spec'),
    ]
    expect(parseConfig({ ...refers, problems: given }).problems).toEqual(given)
  })
})

describe('a parser', () => {
  it('gives the same result while nothing that it read has changed', () => {
    const parser = new ConfigParser()
    const first = parser.parse(whole)
    expect(parser.parse({ ...whole })).toBe(first)
    expect(parser.parse({ ...whole, services: [], endpointSlices: [], namespaces: [] })).toBe(first)
    expect(parser.parse({ ...whole, pools: [...whole.pools] })).toBe(first)
    expect(parser.parse({ ...whole, pools: [{ ...pool }] })).not.toBe(first)
  })

  it('looks only at the Secrets that peers name', () => {
    const parser = new ConfigParser()
    const first = parser.parse(whole)
    const [auth] = whole.secrets as [Secret, Secret]
    expect(parser.parse({ ...whole, secrets: [auth, secret('other'), secret('more')] })).toBe(first)
    const changed = parser.parse({ ...whole, secrets: [{ ...auth, data: { password: 'bmV3' } }] })
    expect(changed.config?.peers[0]?.password).toBe('new')
    expect(parser.parse({ ...whole, secrets: [] }).config).toBeUndefined()
  })

  it('looks at Nodes only where they decide something, and then at labels only', () => {
    const parser = new ConfigParser()
    const plain = parser.parse(whole)
    expect(parser.parse({ ...whole, nodes: [node('n1'), node('n2')] })).toBe(plain)

    const split = {
      ...whole,
      bgpAdvertisements: [ad('y', 100, 'n1'), ad('z', 200, 'n2')],
      nodes: [node('n1'), node('n2')],
    }
    const first = parser.parse(split)
    expect(first.config).toBeDefined()
    expect(parser.parse({ ...split, nodes: [node('n1', 'False'), node('n2')] })).toBe(first)
    const both = { ...node('n3'), metadata: metadata('n3', { hostname: 'n1' }) }
    expect(parser.parse({ ...split, nodes: [node('n1'), node('n2'), both] })).not.toBe(first)
  })

  it('keeps the configuration, or the parts of it, that an edit leaves equal', () => {
    const parser = new ConfigParser()
    const first = parser.parse(whole).config
    const touched = { ...pool, metadata: { ...pool.metadata, annotations: { touched: 'yes' } } }
    expect(parser.parse({ ...whole, pools: [touched] }).config).toBe(first)

    const other: IPAddressPool = {
      ...pool,
      metadata: metadata('second'),
      spec: { ...pool.spec, addresses: ['10.0.1.0/24'] },
    }
    const more = parser.parse({ ...whole, pools: [touched, other], bfdProfiles: [{ ...bfd }] }).config
    expect(more).not.toBe(first)
    expect(more?.pools[0]).toBe(first?.pools[0])
    expect(more?.peers).toBe(first?.peers)
    expect(more?.bfdProfiles).toBe(first?.bfdProfiles)

    const relabelled = { ...pool, metadata: metadata('first', { text: 'a', matches: 'b' }) }
    const edited = parser.parse({ ...whole, pools: [relabelled] }).config
    expect(edited?.pools[0]).not.toBe(first?.pools[0])
    const again = { ...pool, metadata: metadata('first', { text: 'a', matches: 'c' }) }
    expect(parser.parse({ ...whole, pools: [again] }).config?.pools[0]?.labels).toEqual({
      text: 'a',
      matches: 'c',
    })
  })

  it('comes back to the last valid configuration after an invalid one', () => {
    const parser = new ConfigParser()
    const first = parser.parse(whole).config
    expect(parser.parse({ ...whole, bfdProfiles: [] }).config).toBeUndefined()
    expect(parser.parse({ ...whole }).config).toBe(first)
  })

  it('gives what a parser without a past gives', () => {
    const parser = new ConfigParser()
    fc.assert(
      fc.property(
        fc.record({
          addresses: fc.subarray(['10.0.0.0/24', '10.0.1.0/24', 'fc00::/64'], { minLength: 1 }),
          labels: fc.subarray(['a', 'b']),
          localPref: fc.constantFrom(0, 100),
          peers: fc.subarray([peer]),
          interfaces: fc.subarray(['eth0', 'eth1']),
          selected: fc.constantFrom('n1', 'n2'),
        }),
        ({ addresses, labels, localPref, peers, interfaces, selected }) => {
          const snapshot: Snapshot = {
            ...whole,
            pools: [
              {
                ...pool,
                metadata: metadata('first', Object.fromEntries(labels.map(label => [label, '']))),
                spec: { ...pool.spec, addresses },
              },
            ],
            bgpAdvertisements: [ad('y', localPref, selected)],
            bgpPeers: peers,
            l2Advertisements: [{ ...l2, spec: { interfaces } }],
          }
          const plain = (config: unknown): string =>
            JSON.stringify(config, (_, value) => {
              if (typeof value === 'bigint') return `${value}n`
              return value instanceof Map || value instanceof Set ? [...value] : value
            })
          expect(plain(parser.parse(snapshot))).toBe(plain(parseConfig(snapshot)))
        },
      ),
    )
  })

  it('keeps an invalid result too', () => {
    const parser = new ConfigParser()
    const broken = { ...whole, bfdProfiles: [] }
    expect(parser.parse(broken)).toBe(parser.parse({ ...broken, services: [] }))
  })
})

describe('any resources whatever', () => {
  const name = fc.constantFrom('a', 'b', 'c')
  const text = fc.oneof(
    fc.constantFrom(
      '',
      'a',
      '10.0.0.0/24',
      '10.0.0.5-10.0.0.9',
      '::/0',
      '0.0.0.0/0',
      '1:2',
      'large:1:2:3',
      'no-export',
      '30s',
      '-1s',
      '::1',
    ),
    fc.string({ maxLength: 12 }),
  )
  const texts = fc.array(text, { maxLength: 4 })
  const number = fc.oneof(fc.integer(), fc.constantFrom(0, 1, 24, 32, 128, 64500))
  const optional = <T extends Record<string, fc.Arbitrary<unknown>>>(fields: T) =>
    fc.record(fields, { requiredKeys: [] })
  const selector = optional({
    matchLabels: fc.dictionary(text, text, { maxKeys: 2 }),
    matchExpressions: fc.array(
      fc.record({
        key: text,
        operator: fc.constantFrom('In', 'NotIn', 'Exists', 'DoesNotExist', 'Like'),
        values: texts,
      }),
      { maxLength: 2 },
    ),
  })
  const selectors = fc.array(selector, { maxLength: 2 })
  const object = (kind: string, spec: fc.Arbitrary<object>) =>
    fc.array(
      fc
        .record({ name, labels: fc.dictionary(text, text, { maxKeys: 2 }), spec })
        .map(({ name: n, labels, spec: s }) => ({
          apiVersion: v1beta1,
          kind,
          metadata: metadata(n, labels),
          spec: s,
        })),
      { maxLength: 3 },
    )
  const adFields = {
    ipAddressPools: fc.array(name, { maxLength: 2 }),
    ipAddressPoolSelectors: selectors,
    nodeSelectors: selectors,
    serviceSelectors: selectors,
  }
  const snapshots = fc
    .record({
      pools: object(
        'IPAddressPool',
        fc
          .tuple(
            texts,
            optional({
              serviceAllocation: optional({
                priority: number,
                namespaces: texts,
                namespaceSelectors: selectors,
                serviceSelectors: selectors,
              }),
            }),
          )
          .map(([addresses, rest]) => ({ addresses, autoAssign: true, avoidBuggyIPs: false, ...rest })),
      ),
      l2Advertisements: object(
        'L2Advertisement',
        optional({
          ...adFields,
          interfaces: texts,
          preferredNodeSelectors: fc.array(fc.record({ weight: number, preference: selector }), {
            maxLength: 2,
          }),
        }),
      ),
      bgpAdvertisements: object(
        'BGPAdvertisement',
        fc
          .tuple(
            number,
            number,
            optional({ ...adFields, localPref: number, communities: texts, peers: fc.array(name) }),
          )
          .map(([aggregationLength, aggregationLengthV6, rest]) => ({
            aggregationLength,
            aggregationLengthV6,
            ...rest,
          })),
      ),
      bgpPeers: object(
        'BGPPeer',
        fc
          .tuple(
            number,
            optional({
              peerASN: number,
              localASN: number,
              dynamicASN: fc.constantFrom('internal', 'external'),
              peerAddress: text,
              interface: text,
              sourceAddress: text,
              holdTime: text,
              keepaliveTime: text,
              connectTime: text,
              routerID: text,
              nodeSelectors: selectors,
              password: text,
              passwordSecret: optional({ name, namespace: text }),
              bfdProfile: name,
              ebgpMultiHop: fc.boolean(),
            }),
          )
          .map(([myASN, rest]) => ({
            myASN,
            peerPort: 179,
            disableMP: false,
            dualStackAddressFamily: false,
            ...rest,
          })),
      ),
      bfdProfiles: object(
        'BFDProfile',
        optional({ receiveInterval: number, echoMode: fc.boolean(), minimumTtl: number }),
      ),
      communities: object(
        'Community',
        optional({ communities: fc.array(optional({ name: text, value: text }), { maxLength: 3 }) }),
      ),
      secrets: fc.array(
        fc
          .record({ name, namespace: name, data: fc.dictionary(fc.constantFrom('password', 'x'), text) })
          .map(s => ({
            ...secret(s.name),
            metadata: { ...metadata(s.name), namespace: s.namespace },
            data: s.data,
          })),
        { maxLength: 3 },
      ),
    })
    .map(lists => ({ ...emptySnapshot, ...lists }) as unknown as Snapshot)

  it('give a configuration or an error, never an exception, and the same for every order of the lists', () => {
    fc.assert(
      fc.property(snapshots, snapshot => {
        const { config, problems } = parseConfig(snapshot)
        expect(problems.some(({ severity }) => severity === 'error')).toBe(config === undefined)
        expect(problems).toEqual([...problems].sort(compareProblems))
        for (const problem of problems) expect(problem.field).not.toBe('')
        const reversed = Object.fromEntries(
          Object.entries(snapshot).map(([key, list]) => [key, [...list].reverse()]),
        )
        const names = Object.values(snapshot).map(list =>
          list.map((o: { metadata?: { name: string } }) => o.metadata?.name),
        )
        if (names.every(list => new Set(list).size === list.length)) {
          expect(parseConfig(reversed as unknown as Snapshot).problems).toEqual(problems)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('with a broken selector cause no problem beyond it', () => {
    const one: LabelSelector = { matchExpressions: [{ key: 'a', operator: 'Like' }] }
    const broken: L2Advertisement = { ...l2, spec: { ipAddressPoolSelectors: [one], nodeSelectors: [one] } }
    const community: Community = { apiVersion: v1beta1, kind: 'Community', metadata: metadata('c'), spec: {} }
    const { problems } = parseConfig({ ...whole, l2Advertisements: [broken], communities: [community] })
    expect(problems.map(({ kind, field }) => `${kind} ${field}`)).toEqual([
      'L2Advertisement spec.ipAddressPoolSelectors[0].matchExpressions[0].operator',
      'L2Advertisement spec.nodeSelectors[0].matchExpressions[0].operator',
    ])
  })
})
