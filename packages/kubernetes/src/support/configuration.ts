import { MemorySource, parseResource, type Resource, type Snapshot } from '@carillon/core'

/** An object as Kubernetes holds it. */
export type Written = Readonly<Record<string, unknown>> & { readonly kind: string }

const namespace = 'metallb-system'

const object = (apiVersion: string, kind: string, name: string, rest: object): Written => ({
  apiVersion,
  kind,
  metadata: { name, namespace },
  ...rest,
})

/** Objects of a configuration, with what the API server would have filled in. */
export const write = {
  pool: (name: string, addresses: readonly string[], spec: object = {}): Written =>
    object('metallb.io/v1beta1', 'IPAddressPool', name, {
      spec: { autoAssign: true, avoidBuggyIPs: false, addresses, ...spec },
    }),
  l2: (name: string, spec: object = {}): Written =>
    object('metallb.io/v1beta1', 'L2Advertisement', name, { spec }),
  bgp: (name: string, spec: object = {}): Written =>
    object('metallb.io/v1beta1', 'BGPAdvertisement', name, {
      spec: { aggregationLength: 32, aggregationLengthV6: 128, ...spec },
    }),
  peer: (name: string, spec: object = {}): Written =>
    object('metallb.io/v1beta2', 'BGPPeer', name, {
      spec: { myASN: 64512, peerASN: 64513, peerAddress: '192.0.2.1', peerPort: 179, ...spec },
    }),
  bfd: (name: string, spec: object = {}): Written =>
    object('metallb.io/v1beta1', 'BFDProfile', name, { spec }),
  community: (name: string, communities: readonly object[]): Written =>
    object('metallb.io/v1beta1', 'Community', name, { spec: { communities } }),
  secret: (name: string, password = 'geheim', type = 'kubernetes.io/basic-auth'): Written =>
    object('v1', 'Secret', name, { type, data: { password: Buffer.from(password).toString('base64') } }),
  service: (name: string, ...ips: readonly string[]): Written => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default' },
    spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
    status: { loadBalancer: { ingress: ips.map(ip => ({ ip })) } },
  }),
}

/** The snapshot of a cluster that holds these objects; all of them have to be valid in themselves. */
export function snapshotOf(...objects: readonly Written[]): Snapshot {
  const resources = objects.map(one => {
    const parsed = parseResource(one)
    if (!parsed?.resource) throw new Error(JSON.stringify(parsed?.problems ?? one))
    return parsed.resource as Resource
  })
  return new MemorySource(resources).current()
}
