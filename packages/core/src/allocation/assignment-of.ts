import type { Assignment, PoolUsage } from './assignment.ts'
import type { Claimant } from './claimant.ts'

/** What a Service has, as others see it. */
export function assignmentOf({ claims, reason }: Claimant): Assignment {
  if (reason?.code === 'notLoadBalancer')
    return { state: 'ignored', addresses: [], reason, publish: 'nothing' }
  if (reason?.code === 'otherClass') return { state: 'ignored', addresses: [], reason, publish: 'asIs' }
  const why = reason ? { reason } : {}
  const [first] = claims
  if (!first) return { state: 'pending', addresses: [], ...why, publish: 'nothing' }
  return {
    state: 'assigned',
    addresses: claims.map(({ slot }) => slot.address),
    pool: first.slot.book.pool.name,
    ...why,
    publish: 'addresses',
  }
}

/** Whether two assignments say the same. */
export const sameAssignment = (a: Assignment, b: Assignment): boolean =>
  a.state === b.state &&
  a.publish === b.publish &&
  a.pool === b.pool &&
  a.reason?.code === b.reason?.code &&
  a.reason?.message === b.reason?.message &&
  a.addresses.length === b.addresses.length &&
  a.addresses.every((address, i) => address === b.addresses[i])

/** Whether two lists of figures are the same. */
export const sameUsage = (a: readonly PoolUsage[], b: readonly PoolUsage[]): boolean =>
  a.length === b.length &&
  a.every((one, i) => {
    const other = b[i]
    return (
      other !== undefined &&
      one.name === other.name &&
      one.assignedIPv4 === other.assignedIPv4 &&
      one.assignedIPv6 === other.assignedIPv6 &&
      one.availableIPv4 === other.availableIPv4 &&
      one.availableIPv6 === other.availableIPv6
    )
  })
