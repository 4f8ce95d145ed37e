import { equal } from '../api/equal.ts'
import type { KubeObject } from '../api/object.ts'
import { plainStrategy, type Strategy, serviceName } from '../kinds/strategy.ts'
import type { ServiceAllocator } from './allocator.ts'
import { serviceDefaults } from './defaults.ts'
import { needsClusterIP, needsHealthCheck, needsNodePorts, type Service } from './service.ts'
import { validateService, validateServiceStatus } from './validate.ts'

/** What is peculiar to Services. */
export const serviceStrategy = (allocator: ServiceAllocator): Strategy => ({
  ...plainStrategy,
  createOnUpdate: true,
  returnsDeleted: true,
  name: serviceName,
  defaults: serviceDefaults,
  prepareCreate(object) {
    object.status = { loadBalancer: {} }
  },
  prepareUpdate(object, old) {
    dropLeftovers(object as Service, old as Service)
    // An address that a load balancer gave is nothing without it.
    if ((object as Service).spec.type !== 'LoadBalancer')
      object.status = { ...(object.status as object), loadBalancer: {} }
  },
  prepareStatus(object) {
    object.status = {
      ...(object.status as object),
      loadBalancer: (object as Service).status?.loadBalancer ?? {},
    }
  },
  validate: validateService,
  validateStatus: validateServiceStatus,
  take: (object, old, dryRun) => allocator.take(object as Service, old as Service | undefined, dryRun),
  release: (object: KubeObject) => allocator.release(object as Service),
})

/** With another type, what only the old type used goes; unless the client changed it and means it. */
function dropLeftovers({ spec }: Service, { spec: old }: Service): void {
  if (spec.type === old.type) return
  if (needsClusterIP(old) && !needsClusterIP(spec)) {
    if (equal(spec.clusterIPs, old.clusterIPs)) {
      delete spec.clusterIP
      delete spec.clusterIPs
    }
    if (equal(spec.ipFamilies, old.ipFamilies)) delete spec.ipFamilies
    if (spec.ipFamilyPolicy === old.ipFamilyPolicy) delete spec.ipFamilyPolicy
  }
  if (needsNodePorts(old) && !needsNodePorts(spec))
    for (const port of spec.ports ?? [])
      if (old.ports?.some(one => one.nodePort === port.nodePort && one.port === port.port))
        delete port.nodePort
  if (
    needsHealthCheck(old) &&
    !needsHealthCheck(spec) &&
    spec.healthCheckNodePort === old.healthCheckNodePort
  )
    delete spec.healthCheckNodePort
  if (old.type === 'LoadBalancer') {
    if (spec.allocateLoadBalancerNodePorts === old.allocateLoadBalancerNodePorts)
      delete spec.allocateLoadBalancerNodePorts
    if (spec.loadBalancerClass === old.loadBalancerClass) delete spec.loadBalancerClass
  }
  const external = spec.type === 'NodePort' || spec.type === 'LoadBalancer'
  if (!external && spec.externalTrafficPolicy === old.externalTrafficPolicy && !spec.externalIPs?.length)
    delete spec.externalTrafficPolicy
  if (spec.type === 'ExternalName' && spec.internalTrafficPolicy === old.internalTrafficPolicy)
    delete spec.internalTrafficPolicy
}
