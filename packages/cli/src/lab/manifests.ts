/** The lab's cluster as manifests. */
export interface LabManifests {
  readonly nodes: readonly string[]
  readonly addresses: readonly string[]
  /** Nodes that may not announce. */
  readonly without?: readonly string[]
}

/** One YAML file: a pool, an advertisement, a Service, and the nodes. */
export function labManifests({ nodes, addresses, without = [] }: LabManifests): string {
  const pool = addresses.map(address => `    - ${address}/${address.includes(':') ? 128 : 32}`).join('\n')
  const selectors =
    without.length === 0
      ? ''
      : `
  nodeSelectors:
    - matchExpressions:
        - { key: kubernetes.io/hostname, operator: NotIn, values: [${without.join(', ')}] }`
  const nodeObjects = nodes.map(
    node => `---
apiVersion: v1
kind: Node
metadata:
  name: ${node}
  labels: { kubernetes.io/hostname: ${node} }
`,
  )
  return `apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: { name: lab }
spec:
  addresses:
${pool}
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: { name: lab }
spec:
  ipAddressPools: [lab]${selectors}
---
apiVersion: v1
kind: Service
metadata:
  name: web
  annotations:
    metallb.io/loadBalancerIPs: ${addresses.join(',')}
spec:
  type: LoadBalancer
  ports: [{ port: 80 }]
${nodeObjects.join('')}`
}
