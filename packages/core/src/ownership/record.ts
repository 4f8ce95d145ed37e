import type { Assignment } from '../allocation/index.ts'
import type { Service } from '../resources/index.ts'
import type { BgpClaim } from './bgp.ts'
import type { Layer2Claim } from './layer2.ts'

/** What the planner remembers of a Service; replaced, never changed. */
export interface ServiceRecord {
  readonly key: string
  readonly service: Service
  readonly assignment: Assignment
  /** The pool that it was assigned from exists. */
  readonly pooled: boolean
  /** Undefined: layer 2 has nothing to do with it. */
  readonly layer2: Layer2Claim | undefined
  /** Undefined: BGP has nothing to do with it. */
  readonly bgp: BgpClaim | undefined
  /** Whom layer 2 elected for the Service. */
  readonly owner: string | undefined
}

/** The addresses that the Service has. */
export function heldBy(record: ServiceRecord | undefined): readonly string[] {
  return record?.assignment.state === 'assigned' ? record.assignment.addresses : []
}

/** Whether the planner can keep the record it has. */
export function sameRecord(a: ServiceRecord | undefined, b: ServiceRecord | undefined): boolean {
  if (!a || !b) return a === b
  return (
    a.service === b.service &&
    a.assignment === b.assignment &&
    a.pooled === b.pooled &&
    a.layer2 === b.layer2 &&
    a.bgp === b.bgp &&
    a.owner === b.owner
  )
}

/** Whether two records look the same from outside: state, addresses, pool, reason, owner, and what BGP makes of the Service. */
export function looksSame(a: ServiceRecord | undefined, b: ServiceRecord | undefined): boolean {
  if (!a || !b) return a === b
  const [before, after] = [a.assignment, b.assignment]
  return (
    a.owner === b.owner &&
    a.layer2?.refused === b.layer2?.refused &&
    a.bgp === b.bgp &&
    before.state === after.state &&
    before.pool === after.pool &&
    before.reason?.code === after.reason?.code &&
    before.reason?.message === after.reason?.message &&
    before.addresses.length === after.addresses.length &&
    before.addresses.every((address, i) => address === after.addresses[i])
  )
}
