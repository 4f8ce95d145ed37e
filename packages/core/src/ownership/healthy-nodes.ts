import type { Node } from '../resources/index.ts'

const outOfService = 'node.kubernetes.io/out-of-service'

const isHealthy = ({ spec, status }: Node): boolean =>
  !spec.taints.some(({ key }) => key === outOfService) &&
  !status.conditions.some(condition => condition.type === 'Ready' && condition.status !== 'True')

/**
 * The nodes that may be elected where no gossip says who lives: those that Kubernetes calls ready and that nobody has tainted as out of
 * service. Where that leaves none, it is more likely Kubernetes that has lost sight of them: then all of them.
 */
export function healthyNodes(nodes: readonly Node[]): ReadonlySet<string> {
  const healthy = nodes.filter(isHealthy)
  return new Set((healthy.length > 0 ? healthy : nodes).map(({ metadata }) => metadata.name))
}
