/**
 * Why a Service has no address, or not the one it asks for.
 *
 * - `AllocationFailed`: no pool can give what is asked for: unknown or unwilling pool, address outside the pools or in use, pools full.
 * - `LoadBalancerFailed`: the request itself cannot be read.
 * - `NotEnoughClusterIPs`: RequireDualStack with fewer than two cluster IPs.
 * - `NoClusterIPs`: no cluster IP, or none that tells an address family.
 * - `NoPools`: the configuration has no IPAddressPool.
 * - `FamilyMismatch`: the requested addresses are not of the Service's address families.
 * - `notLoadBalancer`, `otherClass`: the Service is not ours.
 * - `noIPAllocated`, `invalidIP`, `ipNotAllowed`: what a speaker says of a Service that it cannot announce.
 */
export type ReasonCode =
  | 'AllocationFailed'
  | 'LoadBalancerFailed'
  | 'NotEnoughClusterIPs'
  | 'NoClusterIPs'
  | 'NoPools'
  | 'FamilyMismatch'
  | 'notLoadBalancer'
  | 'otherClass'
  | 'noIPAllocated'
  | 'invalidIP'
  | 'ipNotAllowed'

/** A cause, for machines and for people. The message names what is in the way and what to do about it. */
export interface Reason {
  readonly code: ReasonCode
  readonly message: string
}

/** What one Service has. An assignment that did not change keeps its identity from one update to the next. */
export interface Assignment {
  /** `pending`: ours, but it has no address. `ignored`: not ours. */
  readonly state: 'assigned' | 'pending' | 'ignored'
  /** Canonical text, in publishing order; empty unless assigned. */
  readonly addresses: readonly string[]
  /** Name of the pool that holds the addresses; present when assigned. */
  readonly pool?: string
  /** Present unless all is well. With `assigned`: the present request is refused and the Service keeps what it had. */
  readonly reason?: Reason
  /**
   * What the Service's status should say: these addresses, none, or whatever it says (another controller's Service).
   */
  readonly publish: 'addresses' | 'nothing' | 'asIs'
}

/** How full a pool is, in distinct addresses. Figures above 2^53-1 are given as 2^53-1. */
export interface PoolUsage {
  readonly name: string
  readonly assignedIPv4: number
  readonly assignedIPv6: number
  readonly availableIPv4: number
  readonly availableIPv6: number
}

/** What every Service has after an update. */
export interface Allocation {
  /**
   * By `namespace/name`, in no particular order. A live view: the next update changes it in place, because copying
   * thousands of entries for each change would cost more than the change. Copy what must outlive the next update.
   */
  readonly services: ReadonlyMap<string, Assignment>
  /** `namespace/name` of each Service whose assignment this update changed, made or took away; sorted. */
  readonly changed: readonly string[]
  /** In name order. Keeps its identity while no figure changes. */
  readonly pools: readonly PoolUsage[]
}
