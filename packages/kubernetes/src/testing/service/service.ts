import type { KubeObject } from '../api/object.ts'

/** The two address families of a cluster. */
export type Family = 'IPv4' | 'IPv6'

/** One port of a Service. */
export interface ServicePort {
  name?: string
  protocol?: string
  port: number
  targetPort?: number | string
  nodePort?: number
  appProtocol?: string
}

/** What is wanted of a Service. */
export interface ServiceSpec {
  type?: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName'
  ports?: ServicePort[]
  selector?: Record<string, string>
  clusterIP?: string
  clusterIPs?: string[]
  ipFamilies?: Family[]
  ipFamilyPolicy?: 'SingleStack' | 'PreferDualStack' | 'RequireDualStack'
  externalName?: string
  externalIPs?: string[]
  externalTrafficPolicy?: string
  internalTrafficPolicy?: string
  healthCheckNodePort?: number
  loadBalancerIP?: string
  loadBalancerClass?: string
  loadBalancerSourceRanges?: string[]
  allocateLoadBalancerNodePorts?: boolean
  sessionAffinity?: string
  sessionAffinityConfig?: { clientIP?: { timeoutSeconds?: number } }
  publishNotReadyAddresses?: boolean
  trafficDistribution?: string
}

/** An address by which a Service can be reached from outside. */
export interface Ingress {
  ip?: string
  hostname?: string
  ipMode?: string
  ports?: { port: number; protocol?: string; error?: string }[]
}

/** A Service, as far as the API server itself knows what its fields mean. */
export interface Service extends KubeObject {
  spec: ServiceSpec
  status?: { loadBalancer?: { ingress?: Ingress[] }; conditions?: unknown[] }
}

/** Reachable at an address of the cluster. */
export const needsClusterIP = ({ type }: ServiceSpec): boolean => type !== 'ExternalName'

/** Reachable at a port of every node. */
export const needsNodePorts = ({ type, allocateLoadBalancerNodePorts }: ServiceSpec): boolean =>
  type === 'NodePort' || (type === 'LoadBalancer' && allocateLoadBalancerNodePorts !== false)

/** Needs a port at which load balancers ask whether this node has endpoints. */
export const needsHealthCheck = ({ type, externalTrafficPolicy }: ServiceSpec): boolean =>
  type === 'LoadBalancer' && externalTrafficPolicy === 'Local'

/** No address of its own, only those of its endpoints. */
export const isHeadless = ({ clusterIP, clusterIPs }: ServiceSpec): boolean =>
  clusterIP === 'None' || clusterIPs?.[0] === 'None'

/** The family of an address in text form. */
export const familyOf = (address: string): Family => (address.includes(':') ? 'IPv6' : 'IPv4')
