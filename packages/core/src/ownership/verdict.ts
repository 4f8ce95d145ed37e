import type { Protocol } from './protocol.ts'

/** Why a node does not speak for a Service, for people. */
export interface Meaning {
  /** What is the case. */
  readonly sentence: string
  /** What to do where that is not what one wants. */
  readonly advice: string
}

/** Every word for why a node does not speak for a Service. The words are MetalLB's where it has one. */
export const reasons = {
  notLoadBalancer: {
    sentence: 'the Service is not of type LoadBalancer',
    advice: 'set spec.type to LoadBalancer',
  },
  otherClass: {
    sentence: 'the Service asks for another load balancer class',
    advice: 'create it anew with another spec.loadBalancerClass, or start the speakers with --lb-class',
  },
  noIPAllocated: {
    sentence: 'the Service has no address',
    advice: 'its own reason says why it got none',
  },
  invalidIP: {
    sentence: 'the address of the Service cannot be read',
    advice: 'remove status.loadBalancer of the Service, so that it is given an address anew',
  },
  ipNotAllowed: {
    sentence: 'the address of the Service lies in no pool',
    advice: 'add the address to an IPAddressPool, or remove the request for it',
  },
  notAlive: {
    sentence: 'the node is not a living member of the cluster',
    advice: 'look whether its speaker runs and "carillon members" lists it',
  },
  heldDown: {
    sentence: 'the node has come back a moment ago',
    advice: 'it may be elected again when the time of --hold-down is over',
  },
  noEndpoints: {
    sentence: 'no endpoint of the Service can serve',
    advice: 'look at the readiness of its Pods',
  },
  sharedIPWithServiceSelector: {
    sentence:
      'the Service may share its address, which does not go together with an advertisement that has serviceSelectors',
    advice: 'remove its annotation allow-shared-ip, or serviceSelectors from the L2Advertisement',
  },
  noMatchingAdvertisement: {
    sentence: 'no advertisement of the pool matches both the Service and the node',
    advice: 'look at nodeSelectors and serviceSelectors of the advertisements',
  },
  conflictingAdvertisements: {
    sentence: 'advertisements that match the Service give the same routes different local preferences',
    advice:
      'set localPref alike, or set them apart by peers, nodeSelectors, serviceSelectors or aggregation length',
  },
  nodeNetworkUnavailable: {
    sentence: 'the node has the condition NetworkUnavailable',
    advice: 'look at its network plugin',
  },
  nodeLabeledExcludeBalancers: {
    sentence: 'the node is labelled node.kubernetes.io/exclude-from-external-load-balancers',
    advice: 'remove the label, or start the speakers with --ignore-exclude-lb',
  },
  noLocalEndpoints: {
    sentence: 'externalTrafficPolicy is Local and no endpoint on the node can serve',
    advice: 'look at the Pods of the Service on that node, or set externalTrafficPolicy to Cluster',
  },
  noPeer: {
    sentence: 'the node has no BGP session that would carry the routes',
    advice:
      'look at nodeSelectors of the BGPPeers, at peers of the BGPAdvertisements, and whether a session carries the family: that of its address, or both with dualStackAddressFamily',
  },
  notOwner: {
    sentence: 'another node was elected',
    advice: 'it takes over when that one is gone',
  },
} as const satisfies Readonly<Record<string, Meaning>>

/** A word for why a node keeps silent; see `reasons`. */
export type Because = keyof typeof reasons

/** What a word means for BGP where MetalLB has it mean something else there. */
const ofBgp: Partial<Record<Because, Meaning>> = {
  notOwner: {
    sentence: 'no BGPAdvertisement of the pool includes the node',
    advice: 'look at nodeSelectors of the BGPAdvertisements',
  },
}

/** Says in sentences why a node does not speak for a Service by this protocol. */
export function meaningOf(because: Because, protocol: Protocol): Meaning {
  return (protocol === 'bgp' ? ofBgp[because] : undefined) ?? reasons[because]
}

/** Whether a node speaks for a Service, and if not, why. */
export type Verdict = { readonly speak: true } | { readonly speak: false; readonly because: Because }

const speaks: Verdict = { speak: true }
const silent = new Map(
  Object.keys(reasons).map(word => [word, { speak: false, because: word as Because } as const]),
)

/** The verdict for a reason to keep silent, or for none. */
export function verdictOf(because: Because | undefined): Verdict {
  return (because && silent.get(because)) ?? speaks
}

/** `namespace/name`, by which everything here knows a Service. */
export function serviceKey(object: {
  readonly metadata: { readonly namespace: string; readonly name: string }
}): string {
  return `${object.metadata.namespace}/${object.metadata.name}`
}
