import type { KubeObject } from '../api/object.ts'
import type { Service } from './service.ts'

/** What a Service gets that does not depend on the cluster. */
export function serviceDefaults(object: KubeObject): void {
  object.spec ??= {}
  const { spec } = object as Service
  spec.type ??= 'ClusterIP'
  spec.sessionAffinity ??= 'None'
  if (spec.sessionAffinity === 'ClientIP')
    spec.sessionAffinityConfig = {
      clientIP: { timeoutSeconds: 10800, ...spec.sessionAffinityConfig?.clientIP },
    }
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig
  for (const port of spec.ports ?? []) {
    port.protocol ??= 'TCP'
    if (port.targetPort === undefined || port.targetPort === 0 || port.targetPort === '')
      port.targetPort = port.port
    if (port.nodePort === 0) delete port.nodePort
  }
  if (spec.type === 'NodePort' || spec.type === 'LoadBalancer') spec.externalTrafficPolicy ??= 'Cluster'
  if (spec.type !== 'ExternalName') spec.internalTrafficPolicy ??= 'Cluster'
  if (spec.type === 'LoadBalancer') spec.allocateLoadBalancerNodePorts ??= true
  // The two spellings of the first address say the same.
  if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP]
  else if (!spec.clusterIP && spec.clusterIPs?.length) spec.clusterIP = spec.clusterIPs[0] as string
  for (const ingress of (object as Service).status?.loadBalancer?.ingress ?? [])
    if (ingress.ip !== undefined) ingress.ipMode ??= 'VIP'
}
