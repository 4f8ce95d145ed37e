/** What the Service of a lab's cluster has. */
interface Lab {
  readonly nodes: readonly string[]
  readonly addresses: readonly string[]
}

/** The lab's cluster as manifests. */
export interface LabManifests extends Lab {
  /** Nodes that may not announce. */
  readonly without?: readonly string[]
}

/** The routed lab's cluster as manifests. */
export interface BgpManifests extends Lab {
  readonly asn: number
  readonly router: { readonly address: string; readonly asn: number }
}

/** One YAML file: a pool, an advertisement, a Service, and the nodes. */
export function labManifests({ without = [], ...lab }: LabManifests): string {
  const selectors =
    without.length === 0
      ? ''
      : `
  nodeSelectors:
    - matchExpressions:
        - { key: kubernetes.io/hostname, operator: NotIn, values: [${without.join(', ')}] }`
  return cluster(
    lab,
    `apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: { name: lab }
spec:
  ipAddressPools: [lab]${selectors}
`,
  )
}

/** One YAML file: a pool that is announced by BGP, a router with BFD, a Service, and the nodes. */
export function bgpManifests({ asn, router, ...lab }: BgpManifests): string {
  return cluster(
    lab,
    `apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: { name: lab }
spec:
  ipAddressPools: [lab]
---
apiVersion: metallb.io/v1beta1
kind: BFDProfile
metadata: { name: fast }
spec: { receiveInterval: 50, transmitInterval: 50, detectMultiplier: 3 }
---
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: { name: router }
spec:
  myASN: ${asn}
  peerASN: ${router.asn}
  peerAddress: ${router.address}
  connectTime: 1s
  dualStackAddressFamily: true
  bfdProfile: fast
`,
  )
}

function cluster({ nodes, addresses }: Lab, announced: string): string {
  const pool = addresses.map(address => `    - ${address}/${address.includes(':') ? 128 : 32}`).join('\n')
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
${announced}---
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
