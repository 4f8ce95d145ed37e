/** Manifests of a small cluster, as text; what is not given is left out. */
export const pool = (name: string, ...addresses: readonly string[]): string => `---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: { name: ${name} }
spec:
  addresses: ${JSON.stringify(addresses)}
`

export const l2 = (name: string, spec: Readonly<Record<string, unknown>> = {}): string => `---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: { name: ${name} }
spec: ${JSON.stringify(spec)}
`

export const node = (name: string, labels: Readonly<Record<string, string>> = {}): string => `---
apiVersion: v1
kind: Node
metadata:
  name: ${name}
  labels: ${JSON.stringify({ 'kubernetes.io/hostname': name, ...labels })}
`

export interface ServiceText {
  readonly addresses?: readonly string[]
  readonly annotations?: Readonly<Record<string, string>>
  readonly spec?: Readonly<Record<string, unknown>>
  readonly labels?: Readonly<Record<string, string>>
}

export const service = (
  name: string,
  { addresses = [], annotations = {}, spec = {}, labels = {} }: ServiceText = {},
): string => {
  const requested = addresses.length > 0 ? { 'metallb.io/loadBalancerIPs': addresses.join(',') } : {}
  return `---
apiVersion: v1
kind: Service
metadata:
  name: ${name}
  labels: ${JSON.stringify(labels)}
  annotations: ${JSON.stringify({ ...requested, ...annotations })}
spec: ${JSON.stringify({ type: 'LoadBalancer', ports: [{ port: 80, protocol: 'TCP' }], ...spec })}
`
}

/** An EndpointSlice of a Service with one ready endpoint on each of these nodes. */
export const endpoints = (of: string, ...nodes: readonly string[]): string => `---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: ${of}-1
  labels: { kubernetes.io/service-name: ${of} }
addressType: IPv4
endpoints: ${JSON.stringify(nodes.map((nodeName, i) => ({ addresses: [`10.0.0.${i + 1}`], conditions: { ready: true }, nodeName })))}
ports: []
`

/** A pool of both families, an advertisement of it on every node, and these nodes. */
export const cluster = (nodes: readonly string[], ...others: readonly string[]): string =>
  [
    pool('lan', '10.77.0.100-10.77.0.120', 'fd77::100-fd77::120'),
    l2('all'),
    ...nodes.map(name => node(name)),
    ...others,
  ].join('')

/** An L2Advertisement from every node but these. */
export const l2Without = (name: string, ...nodes: readonly string[]): string =>
  l2(name, {
    nodeSelectors: [
      { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'NotIn', values: nodes }] },
    ],
  })
