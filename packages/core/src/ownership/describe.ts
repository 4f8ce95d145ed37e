import type { Assignment, PoolUsage } from '../allocation/index.ts'
import type { Problem } from '../config/problem.ts'
import type { Plan, PlannedAnnouncement, ServicePlan } from './plan.ts'
import type { Protocol } from './protocol.ts'
import type { Because } from './verdict.ts'

/** A node that does not speak for a Service, and why. */
export interface SilentNode {
  readonly protocol: Protocol
  readonly node: string
  readonly because: Because
}

/** A Service in `carillon plan --json` and in the status of a speaker. */
export interface ServiceDocument {
  readonly namespace: string
  readonly name: string
  readonly state: Assignment['state']
  readonly addresses: readonly string[]
  readonly pool: string | null
  readonly reason: { readonly code: string; readonly message: string } | null
  /** By protocol, address or prefix, node, peer. */
  readonly announcements: readonly PlannedAnnouncement[]
  /** By protocol and node. */
  readonly silent: readonly SilentNode[]
}

/** What `carillon plan --json` prints. */
export interface PlanDocument {
  readonly services: readonly ServiceDocument[]
  readonly pools: readonly PoolUsage[]
  readonly problems: readonly Problem[]
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Everything about one Service; `nodes` are the sorted names of the nodes that are looked at. */
export function describeService(service: ServicePlan, nodes: readonly string[]): ServiceDocument {
  const { namespace, name, state, addresses, pool, reason } = service
  const assigned = state === 'assigned'
  const silent: SilentNode[] = []
  if (assigned) {
    for (const protocol of service.protocols) {
      for (const node of nodes) {
        const verdict = service.verdict(node, protocol)
        if (!verdict.speak) silent.push({ protocol, node, because: verdict.because })
      }
    }
  }
  return {
    namespace,
    name,
    state,
    addresses,
    pool: pool ?? null,
    reason: reason ? { code: reason.code, message: reason.message } : null,
    announcements: assigned ? service.announcementsBy(nodes) : [],
    silent,
  }
}

/**
 * A plan in full: Services by namespace and name, and for each every node that announces it and every node
 * that does not. Its size is Services times nodes. `problems` are listed as they come.
 */
export function describePlan(plan: Plan, problems: readonly Problem[] = []): PlanDocument {
  const nodes = [...plan.nodes.keys()].sort(order)
  const services = [...plan.services.values()].sort(
    (a, b) => order(a.namespace, b.namespace) || order(a.name, b.name),
  )
  return {
    services: services.map(service => describeService(service, nodes)),
    pools: plan.pools,
    problems,
  }
}

/** What there is to say when the configuration is invalid: nothing is planned, the problems say why. */
export function describeInvalid(problems: readonly Problem[]): PlanDocument {
  return { services: [], pools: [], problems }
}
