/** Short ways to write the objects of the tables; each gives what stands in a manifest. */
export type Manifest = Readonly<Record<string, unknown>>

const metallb = (
  kind: string,
  name: string,
  spec: object,
  more: object = {},
  version = 'v1beta1',
): Manifest => ({
  apiVersion: `metallb.io/${version}`,
  kind,
  metadata: { name, namespace: 'metallb-system', ...more },
  spec,
})

export const pool = (
  name: string,
  addresses: readonly string[],
  spec: object = {},
  labels: object = {},
): Manifest => metallb('IPAddressPool', name, { addresses, ...spec }, { labels })

/** A pool that is pinned: `serviceAllocation`. */
export const pinned = (
  name: string,
  addresses: readonly string[],
  rules: object,
  spec: object = {},
): Manifest => pool(name, addresses, { serviceAllocation: rules, ...spec })

export const l2 = (spec: object = {}, name = 'l2'): Manifest => metallb('L2Advertisement', name, spec)
export const bgp = (spec: object = {}, name = 'bgp'): Manifest => metallb('BGPAdvertisement', name, spec)
export const community = (name: string, ...pairs: readonly (readonly [string, string])[]): Manifest =>
  metallb('Community', name, { communities: pairs.map(([alias, value]) => ({ name: alias, value })) })
export const bfd = (name: string, spec: object = {}): Manifest => metallb('BFDProfile', name, spec)

/** A peer that is fine unless `spec` says otherwise; `null` takes a field away. */
export const peer = (spec: object = {}, name = 'tor'): Manifest =>
  metallb('BGPPeer', name, { myASN: 64512, peerASN: 64513, peerAddress: '10.9.9.1', ...spec }, {}, 'v1beta2')
export const oldPeer = (spec: object = {}, name = 'tor'): Manifest =>
  metallb('BGPPeer', name, { myASN: 64512, peerASN: 64513, peerAddress: '10.9.9.1', ...spec })

export const secret = (name: string, type: string, data: object): Manifest => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'metallb-system' },
  type,
  data,
})

export const namespace = (name: string, labels: object = {}): Manifest => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels },
})

export interface NodeWords {
  readonly labels?: object
  readonly conditions?: readonly object[]
}

export const node = (name: string, { labels = {}, conditions = [] }: NodeWords = {}): Manifest => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels },
  status: { conditions },
})

export interface ServiceWords {
  readonly namespace?: string
  readonly labels?: object
  /** What it asks for: annotations without their prefix `metallb.io/`, or whole. */
  readonly asks?: Readonly<Record<string, string>>
  /** Addresses in its status. */
  readonly has?: readonly string[]
  readonly clusterIPs?: readonly string[]
  /** `TCP/80` */
  readonly ports?: readonly string[]
  readonly spec?: object
}

export const v4 = ['10.96.0.10'] as const
export const v6 = ['fd00:96::10'] as const
export const dual = [...v4, ...v6] as const

/** A Service of type LoadBalancer with an IPv4 cluster IP, unless the words say otherwise. */
export function service(name: string, words: ServiceWords = {}): Manifest {
  const annotations = Object.fromEntries(
    Object.entries(words.asks ?? {}).map(([key, value]) => [
      key.includes('/') ? key : `metallb.io/${key}`,
      value,
    ]),
  )
  const clusterIPs = words.clusterIPs ?? v4
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: words.namespace ?? 'default', annotations, labels: words.labels ?? {} },
    spec: {
      type: 'LoadBalancer',
      ...(clusterIPs.length > 0 ? { clusterIP: clusterIPs[0], clusterIPs } : {}),
      ports: (words.ports ?? ['TCP/80']).map(text => {
        const [protocol, port] = text.split('/')
        return { protocol, port: Number(port) }
      }),
      ...words.spec,
    },
    ...(words.has ? { status: { loadBalancer: { ingress: words.has.map(ip => ({ ip })) } } } : {}),
  }
}

/** An endpoint on a node; ready unless `conditions` says otherwise. */
export const endpoint = (nodeName: string, conditions: object = { ready: true }): object => ({
  addresses: ['10.244.0.1'],
  nodeName,
  conditions,
})

/** The endpoints of a Service. */
export const slice = (
  of: string,
  endpoints: readonly object[],
  { namespace = 'default', name = `${of}-1` } = {},
): Manifest => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name, namespace, labels: { 'kubernetes.io/service-name': of } },
  addressType: 'IPv4',
  endpoints,
})
