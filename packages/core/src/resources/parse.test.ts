import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ParsedResource, parseResource } from './parse.ts'
import type { Service } from './service.ts'
import type { BGPAdvertisement, BGPPeer, IPAddressPool } from './types.generated.ts'

const object = (kind: string, spec: unknown, apiVersion = 'metallb.io/v1beta1') => ({
  apiVersion,
  kind,
  metadata: { name: 'first', namespace: 'metallb-system' },
  ...(spec === undefined ? {} : { spec }),
})
const peer = (spec: object) =>
  object('BGPPeer', { myASN: 64512, peerASN: 64513, peerAddress: '192.0.2.1', ...spec }, 'metallb.io/v1beta2')

function parsed(value: unknown): ParsedResource {
  const result = parseResource(value)
  if (!result) throw new Error('the kind is not known')
  return result
}

function read<T>(value: unknown): T {
  const { resource, problems } = parsed(value)
  expect(problems).toEqual([])
  return resource as T
}

const complaints = (value: unknown): string[] =>
  parsed(value).problems.map(({ severity, field, message }) => `${severity} ${field}: ${message}`)

describe('a valid object', () => {
  it('has its defaults filled in', () => {
    const pool = read<IPAddressPool>(object('IPAddressPool', { addresses: ['192.0.2.0/24'] }))
    expect(pool.spec).toEqual({ addresses: ['192.0.2.0/24'], autoAssign: true, avoidBuggyIPs: false })
    const ad = read<BGPAdvertisement>(object('BGPAdvertisement', undefined))
    expect(ad.spec).toEqual({ aggregationLength: 32, aggregationLengthV6: 128 })
    expect(read<BGPPeer>(peer({})).spec).toMatchObject({
      peerPort: 179,
      disableMP: false,
      dualStackAddressFamily: false,
    })
  })

  it('keeps of its metadata what Carillon needs', () => {
    const pool = read<IPAddressPool>({
      ...object('IPAddressPool', { addresses: [] }),
      metadata: {
        name: 'first',
        namespace: 'metallb-system',
        labels: null,
        annotations: { note: 'mine' },
        uid: 'a1',
        resourceVersion: '7',
        generation: 2,
        creationTimestamp: null,
        managedFields: [{}],
        finalizers: ['x'],
      },
    })
    expect(pool.metadata).toEqual({
      name: 'first',
      namespace: 'metallb-system',
      labels: {},
      annotations: { note: 'mine' },
      uid: 'a1',
      resourceVersion: '7',
      generation: 2,
    })
  })

  it('takes a null field for an absent one, as the API server does', () => {
    const spec = {
      addresses: [],
      autoAssign: null,
      serviceAllocation: { namespaces: null, serviceSelectors: [{ matchLabels: { a: null } }] },
    }
    expect(read<IPAddressPool>(object('IPAddressPool', spec)).spec).toEqual({
      addresses: [],
      autoAssign: true,
      avoidBuggyIPs: false,
      serviceAllocation: { serviceSelectors: [{ matchLabels: {} }] },
    })
    read(object('L2Advertisement', null))
  })

  it('shares nothing with what it was read from', () => {
    const given = object('IPAddressPool', { addresses: ['192.0.2.0/24'] })
    const pool = read<IPAddressPool>(given)
    ;(given.spec as { addresses: string[] }).addresses[0] = 'changed'
    expect(pool.spec.addresses).toEqual(['192.0.2.0/24'])
  })

  it.each([
    [
      'a pool with everything',
      object('IPAddressPool', {
        addresses: ['192.0.2.0/24', '192.0.2.1-192.0.2.9'],
        serviceAllocation: {
          priority: -1,
          namespaces: ['a'],
          namespaceSelectors: [{}],
          serviceSelectors: [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }],
        },
      }),
    ],
    [
      'a pool without addresses, which only the configuration refuses',
      object('IPAddressPool', { addresses: [] }),
    ],
    [
      'a selector with an operator that only the configuration refuses',
      object('L2Advertisement', {
        nodeSelectors: [{ matchExpressions: [{ key: 'a', operator: 'Near' }] }],
      }),
    ],
    ['an advertisement without a spec', object('L2Advertisement', undefined)],
    [
      'weights from 1 to 100',
      object('L2Advertisement', {
        preferredNodeSelectors: [
          { weight: 1, preference: {} },
          { weight: 100, preference: {} },
        ],
      }),
    ],
    [
      'an aggregation length that only the configuration refuses',
      object('BGPAdvertisement', {
        aggregationLength: 64,
        aggregationLengthV6: 0,
      }),
    ],
    [
      'selected Services with whole addresses',
      object('BGPAdvertisement', {
        aggregationLength: 32,
        serviceSelectors: [{}],
      }),
    ],
    [
      'no selected Services and a short prefix',
      object('BGPAdvertisement', {
        aggregationLength: 24,
        serviceSelectors: [],
      }),
    ],
    ['the largest AS numbers', peer({ myASN: 4294967295, peerASN: 4294967295, localASN: 4294967295 })],
    [
      'a peer without an AS number, which only the configuration refuses',
      object('BGPPeer', { myASN: 0 }, 'metallb.io/v1beta2'),
    ],
    ['a hold time that only the configuration refuses', peer({ holdTime: '1s', keepaliveTime: '-5m' })],
    ['the shortest and longest connect time', peer({ connectTime: '18h12m15s' })],
    [
      'both kinds of password, which only the configuration refuses',
      peer({ password: 'x', passwordSecret: { name: 'y' } }),
    ],
    [
      'a BFD profile at its limits',
      object('BFDProfile', {
        receiveInterval: 10,
        transmitInterval: 60000,
        detectMultiplier: 255,
        echoInterval: 10,
        minimumTtl: 254,
      }),
    ],
    ['an empty Community', object('Community', { communities: [{}] })],
    [
      'a v1beta1 peer on port 0',
      object('BGPPeer', { myASN: 1, peerASN: 2, peerAddress: '192.0.2.1', peerPort: 0 }),
    ],
  ])('may be %s', (_, value) => {
    read(value)
  })
})

describe('an invalid object', () => {
  it.each([
    [object('IPAddressPool', undefined), ['error spec.addresses: is required']],
    [object('IPAddressPool', null), ['error spec.addresses: is required']],
    [
      object('IPAddressPool', { addresses: '192.0.2.0/24' }),
      ['error spec.addresses: must be a list, not text'],
    ],
    [
      object('IPAddressPool', { addresses: ['a', 1, null] }),
      [
        'error spec.addresses[1]: must be text: put it in quotes',
        'error spec.addresses[2]: must be text, not nothing',
      ],
    ],
    [
      object('IPAddressPool', { addresses: [], autoAssign: 'yes' }),
      ['error spec.autoAssign: must be true or false, not text'],
    ],
    [
      object('IPAddressPool', { addresses: [], serviceAllocation: { priority: 1.5 } }),
      ['error spec.serviceAllocation.priority: must be a whole number, not 1.5'],
    ],
    [
      object('L2Advertisement', { interfaces: [null] }),
      ['error spec.interfaces[0]: must be text, not nothing'],
    ],
    [
      object('L2Advertisement', { nodeSelectors: [{ matchLabels: { 'app.kubernetes.io/name': 1 } }] }),
      ['error spec.nodeSelectors[0].matchLabels["app.kubernetes.io/name"]: must be text: put it in quotes'],
    ],
    [
      object('L2Advertisement', { preferredNodeSelectors: [{ weight: 101 }] }),
      [
        'error spec.preferredNodeSelectors[0].weight: must be from 1 to 100, not 101',
        'error spec.preferredNodeSelectors[0].preference: is required',
      ],
    ],
    [
      object('BGPAdvertisement', { aggregationLength: 0 }),
      ['error spec.aggregationLength: must be at least 1, not 0'],
    ],
    [object('BGPAdvertisement', { localPref: -1 }), ['error spec.localPref: must be from 0 to 4294967295']],
    [
      peer({ myASN: -1, peerASN: 4294967296, localASN: 0 }),
      [
        'error spec.myASN: must be from 0 to 4294967295, not -1',
        'error spec.peerASN: must be from 0 to 4294967295, not 4294967296',
        'error spec.localASN: must be from 1 to 4294967295, not 0',
      ],
    ],
    [peer({ peerPort: 16385 }), ['error spec.peerPort: must be from 1 to 16384, not 16385']],
    [peer({ peerPort: 0 }), ['error spec.peerPort: must be from 1 to 16384, not 0']],
    [peer({ dynamicASN: 'any' }), ['error spec.dynamicASN: must be internal or external, not "any"']],
    [peer({ connectTime: '0s' }), ['error spec.connectTime: must be from 1s to 65535s']],
    [peer({ connectTime: '65536s' }), ['error spec.connectTime: must be from 1s to 65535s']],
    [peer({ connectTime: '1500ms' }), ['error spec.connectTime: must be a whole number of seconds']],
    [
      object('BFDProfile', { receiveInterval: 9, detectMultiplier: 1, minimumTtl: 255 }),
      [
        'error spec.receiveInterval: must be from 10 to 60000, not 9',
        'error spec.detectMultiplier: must be from 2 to 255, not 1',
        'error spec.minimumTtl: must be from 1 to 254, not 255',
      ],
    ],
    [
      object('BGPPeer', {
        myASN: 1,
        nodeSelectors: [{ matchExpressions: [{ key: 'a', operator: 'In', values: [] }] }],
      }),
      [
        'error spec.peerASN: is required',
        'error spec.peerAddress: is required',
        'error spec.nodeSelectors[0].matchExpressions[0].values: must have at least 1 item',
      ],
    ],
    [
      { apiVersion: 'metallb.io/v1beta1', kind: 'Community' },
      ['error metadata.name: is required: give the object a name'],
    ],
    [
      { apiVersion: 'metallb.io/v1beta1', kind: 'Community', metadata: [] },
      ['error metadata: must be an object, not a list'],
    ],
  ])('names every fault: %j', (value, expected) => {
    expect(complaints(value)).toEqual(expected)
    expect(parsed(value).resource).toBeUndefined()
  })

  it('is told apart by kind and name', () => {
    expect(parsed(object('IPAddressPool', {})).problems).toEqual([
      {
        severity: 'error',
        kind: 'IPAddressPool',
        name: 'first',
        field: 'spec.addresses',
        message: 'is required',
      },
    ])
  })

  it('cannot select Services and aggregate their addresses at once', () => {
    for (const lengths of [{ aggregationLength: 24 }, { aggregationLengthV6: 64 }]) {
      const [complaint] = complaints(object('BGPAdvertisement', { ...lengths, serviceSelectors: [{}] }))
      expect(complaint).toContain('error spec: has serviceSelectors, which need aggregationLength 32')
    }
  })

  it('with a duration that is none is told how to write one', () => {
    expect(complaints(peer({ holdTime: '90' }))).toEqual([
      'error spec.holdTime: is not a duration: write numbers with units, such as "90s", "1m30s" or "500ms"',
    ])
  })

  it.each(['My-Pool', 'a_b', '-a', 'a.', 'a'.repeat(254)])('may not be named %s', name => {
    const value = { ...object('Community', {}), metadata: { name } }
    expect(parsed(value).problems).toMatchObject([{ severity: 'error', field: 'metadata.name' }])
  })
})

describe('an unknown field', () => {
  it('is dropped, as Kubernetes drops it, and the likely meaning is named', () => {
    const value = peer({ peerAsn: 1, bfdprofil: 'fast', colour: 'blue' })
    expect(complaints(value)).toEqual([
      'warning spec.peerAsn: is not a known field and is dropped; did you mean spec.peerASN?',
      'warning spec.bfdprofil: is not a known field and is dropped; did you mean spec.bfdProfile?',
      'warning spec.colour: is not a known field and is dropped',
    ])
    expect(parsed(value).resource).toEqual(parsed(peer({})).resource)
  })

  it('that belongs into the spec is shown its place', () => {
    expect(complaints({ ...object('Community', {}), communities: [], Spec: {} })).toEqual([
      'warning communities: is not a known field and is dropped; did you mean spec.communities?',
      'warning Spec: is not a known field and is dropped; did you mean spec?',
    ])
  })
})

describe('a kind', () => {
  it('of somebody else is left alone', () => {
    for (const [apiVersion, kind] of [
      ['apps/v1', 'Deployment'],
      ['serving.knative.dev/v1', 'Service'],
      ['frrk8s.metallb.io/v1beta1', 'FRRConfiguration'],
      ['metallb.io/v1beta1', 'MetalLB'],
      ['v1', 'constructor'],
      ['__proto__', ''],
    ]) {
      expect(parseResource({ apiVersion, kind, metadata: { name: 'a' } })).toBeUndefined()
    }
  })

  it('that is misspelt or of a version that never was is an error', () => {
    expect(complaints(object('IPAdressPool', {}))).toEqual([
      'error kind: there is no kind IPAdressPool in metallb.io/v1beta1; did you mean IPAddressPool?',
    ])
    expect(complaints(object('L2Advertisement', {}, 'metallb.io/v1beta2'))).toEqual([
      'error apiVersion: there is no L2Advertisement in metallb.io/v1beta2: write metallb.io/v1beta1',
    ])
    expect(complaints(object('BGPPeer', {}, 'metallb.io/v1'))).toEqual([
      'error apiVersion: there is no BGPPeer in metallb.io/v1: write metallb.io/v1beta2',
    ])
  })
})

describe('a status', () => {
  it('is kept when it is whole and dropped otherwise, since its writer writes it anew', () => {
    const status = { assignedIPv4: 1, assignedIPv6: 0, availableIPv4: 2, availableIPv6: 0 }
    const pool = object('IPAddressPool', { addresses: [] })
    expect(read<IPAddressPool>({ ...pool, status }).status).toEqual(status)
    expect(read<IPAddressPool>({ ...pool, status: { assignedIPv4: 'x' } }).status).toBeUndefined()
  })
})

describe('a Service', () => {
  const service = (fields: object) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    ...fields,
  })

  it('is reduced to what is read of it', () => {
    const given = service({
      metadata: { name: 'web', namespace: 'shop', labels: { app: 'web' }, ownerReferences: 'nonsense' },
      spec: {
        type: 'LoadBalancer',
        clusterIP: '10.0.0.1',
        clusterIPs: ['10.0.0.1', 'fd00::1'],
        ipFamilies: ['IPv4', 'IPv6'],
        ipFamilyPolicy: 'PreferDualStack',
        loadBalancerClass: 'carillon',
        loadBalancerIP: '192.0.2.1',
        externalTrafficPolicy: 'Local',
        selector: { app: 'web' },
        ports: [
          { name: 'http', port: 80, targetPort: {}, nodePort: 'nonsense' },
          { protocol: 'UDP', port: 53 },
        ],
        sessionAffinity: 17,
      },
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.1', ipMode: 'VIP' }, { hostname: 'a.example' }] } },
    })
    expect(read<Service>(given)).toEqual({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'shop', labels: { app: 'web' }, annotations: {} },
      spec: {
        type: 'LoadBalancer',
        clusterIPs: ['10.0.0.1', 'fd00::1'],
        ipFamilies: ['IPv4', 'IPv6'],
        ipFamilyPolicy: 'PreferDualStack',
        loadBalancerClass: 'carillon',
        loadBalancerIP: '192.0.2.1',
        externalTrafficPolicy: 'Local',
        selector: { app: 'web' },
        ports: [
          { name: 'http', protocol: 'TCP', port: 80 },
          { protocol: 'UDP', port: 53 },
        ],
      },
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } },
    })
  })

  it('needs little more than a name', () => {
    expect(read<Service>(service({}))).toEqual({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'default', labels: {}, annotations: {} },
      spec: {
        type: 'ClusterIP',
        clusterIPs: [],
        ipFamilies: [],
        externalTrafficPolicy: 'Cluster',
        selector: {},
        ports: [],
      },
      status: { loadBalancer: { ingress: [] } },
    })
    expect(read<Service>(service({ spec: { clusterIP: 'None' } })).spec.clusterIPs).toEqual(['None'])
  })

  it('with a malformed field that is read is refused, with its namespace named', () => {
    const { resource, problems } = parsed(
      service({
        metadata: { name: 'web', namespace: 'shop' },
        spec: { ports: [{ port: '80' }, { port: 70000 }], ipFamilies: [4] },
      }),
    )
    expect(resource).toBeUndefined()
    expect(problems).toMatchObject([
      { kind: 'Service', namespace: 'shop', name: 'web', field: 'spec.ipFamilies[0]' },
      { field: 'spec.ports[0].port', message: 'must be a port from 1 to 65535, not text' },
      { field: 'spec.ports[1].port', message: 'must be a port from 1 to 65535, not 70000' },
    ])
  })
})

describe('Nodes, Namespaces and EndpointSlices', () => {
  it('are reduced to what is read of them', () => {
    expect(
      read({
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name: 'node-a', labels: { zone: 'a' } },
        spec: { unschedulable: true, taints: [{ key: 'k', effect: 'NoSchedule' }], podCIDR: 5 },
        status: {
          conditions: [{ type: 'Ready', status: 'True', reason: 3 }],
          addresses: [{ type: 'InternalIP', address: '192.0.2.9' }],
          images: 'nonsense',
        },
      }),
    ).toEqual({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'node-a', labels: { zone: 'a' }, annotations: {} },
      spec: { unschedulable: true, taints: [{ key: 'k', effect: 'NoSchedule' }] },
      status: {
        conditions: [{ type: 'Ready', status: 'True' }],
        addresses: [{ type: 'InternalIP', address: '192.0.2.9' }],
      },
    })
    expect(
      read({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' }, spec: 1, status: 2 }),
    ).toEqual({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'shop', labels: {}, annotations: {} },
    })
    expect(
      read({
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
        addressType: 'IPv4',
        endpoints: [
          {
            addresses: ['10.1.0.1'],
            conditions: { ready: null, serving: false },
            nodeName: 'node-a',
            targetRef: { kind: 'Pod', uid: 4 },
          },
          { conditions: null },
        ],
        ports: 'nonsense',
      }),
    ).toEqual({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: 'web-1',
        namespace: 'default',
        labels: { 'kubernetes.io/service-name': 'web' },
        annotations: {},
      },
      addressType: 'IPv4',
      endpoints: [
        {
          addresses: ['10.1.0.1'],
          conditions: { serving: false },
          nodeName: 'node-a',
          targetRef: { kind: 'Pod' },
        },
        { addresses: [], conditions: {} },
      ],
    })
  })
})

describe('a hostile object', () => {
  const kinds = [
    'IPAddressPool',
    'L2Advertisement',
    'BGPAdvertisement',
    'BGPPeer',
    'BFDProfile',
    'Community',
    'ConfigurationState',
  ]
  const apiVersions = fc.constantFrom('metallb.io/v1beta1', 'metallb.io/v1beta2', 'v1', 'discovery.k8s.io/v1')
  const kind = fc.constantFrom(...kinds, 'Service', 'Node', 'Namespace', 'EndpointSlice', 'Secret')

  it('cannot reach a prototype', () => {
    const text = `{"apiVersion":"v1","kind":"Service","metadata":{"name":"a","labels":{"__proto__":"x","constructor":"y"},
      "annotations":{"__proto__":{"polluted":"1"}}},"spec":{"__proto__":{"type":"LoadBalancer"},"selector":{"__proto__":"x"}}}`
    const service = read<Service>(JSON.parse(text))
    expect(service.spec.type).toBe('ClusterIP')
    expect(Object.keys(service.metadata.labels)).toEqual(['constructor'])
    expect(Object.getPrototypeOf(service.metadata.annotations)).toBe(Object.prototype)
    const pool = JSON.parse(
      '{"apiVersion":"metallb.io/v1beta1","kind":"IPAddressPool","metadata":{"name":"a"},"spec":{"__proto__":{"addresses":[]},"constructor":1}}',
    )
    expect(complaints(pool)[0]).toBe('error spec.addresses: is required')
    expect(({} as { polluted?: string }).polluted).toBeUndefined()
  })

  it('never makes the reader throw, and gives a resource or an error that says why not', () => {
    const anything = fc.oneof(fc.anything(), fc.jsonValue())
    fc.assert(
      fc.property(
        apiVersions,
        kind,
        anything,
        anything,
        anything,
        (apiVersion, kind, metadata, spec, status) => {
          const result = parseResource({
            apiVersion,
            kind,
            metadata,
            spec,
            status,
            data: spec,
            endpoints: spec,
          })
          if (result)
            expect(result.resource === undefined).toBe(
              result.problems.some(({ severity }) => severity === 'error'),
            )
        },
      ),
      { numRuns: 1000 },
    )
    fc.assert(
      fc.property(anything, value => void parseResource(value)),
      { numRuns: 1000 },
    )
  })

  it('is read the same a second time', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('addresses', 'autoAssign', 'serviceAllocation'), fc.jsonValue()),
        spec => {
          const once = parsed(object('IPAddressPool', spec)).resource
          if (once) expect(read(once)).toEqual(once)
        },
      ),
    )
  })

  it('of great depth costs nothing', () => {
    let deep: unknown = {}
    for (let i = 0; i < 100_000; i++) deep = { serviceAllocation: deep, addresses: [] }
    expect(complaints(object('IPAddressPool', deep))).toContain(
      'warning spec.serviceAllocation.addresses: is not a known field and is dropped',
    )
  })
})
