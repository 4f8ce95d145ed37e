/**
 * Why a node does not speak for a Service, with a sentence for each word. The words are MetalLB's where it
 * has one.
 */
export const reasons = {
  notLoadBalancer: 'the Service is not of type LoadBalancer',
  otherClass: 'the Service asks for another load balancer class',
  noIPAllocated: 'the Service has no address',
  invalidIP: 'the address of the Service cannot be read',
  ipNotAllowed: 'the address of the Service lies in no pool',
  notAlive: 'the node is not a living member of the cluster',
  noEndpoints: 'no endpoint of the Service can serve',
  sharedIPWithServiceSelector:
    'the Service may share its address, which does not go together with an advertisement that has serviceSelectors',
  noMatchingAdvertisement: 'no advertisement of the pool matches both the Service and the node',
  nodeNetworkUnavailable: 'the node has the condition NetworkUnavailable',
  nodeLabeledExcludeBalancers: 'the node is labelled node.kubernetes.io/exclude-from-external-load-balancers',
  noLocalEndpoints: 'externalTrafficPolicy is Local and no endpoint on the node can serve',
  notOwner: 'another node was elected',
} as const satisfies Readonly<Record<string, string>>

/** A word for why a node keeps silent; see `reasons`. */
export type Because = keyof typeof reasons

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
