import { type Assignment, deprecatedPrefix, type ReasonCode, type Service } from '@carillon/core'
import { aboutService, type EventNote } from './note.ts'
import { eventReasons } from './reasons.ts'

const warnings: { readonly [Code in ReasonCode]?: string } = {
  AllocationFailed: eventReasons.allocationFailed,
  FamilyMismatch: eventReasons.allocationFailed,
  LoadBalancerFailed: eventReasons.loadBalancerFailed,
  NotEnoughClusterIPs: eventReasons.notEnoughClusterIPs,
  NoClusterIPs: eventReasons.noClusterIPs,
  NoPools: eventReasons.allocationFailed,
}

const listed = (addresses: readonly string[]): string => addresses.join(' and ')

const asksByOldName = ({ metadata }: Service): boolean =>
  Object.keys(metadata.annotations).some(key => key.startsWith(deprecatedPrefix))

const wouldHaveTwo = ({ spec }: Service): boolean =>
  spec.ipFamilyPolicy === 'PreferDualStack' && spec.clusterIPs.length === 2

/**
 * What is worth telling of a Service whose assignment has changed. Assigned anew, after a start of the controller, is what it
 * already had: nothing is told of that.
 *
 * @param before undefined: there was none; what the Service's status says then counts as what it had
 */
export function allocationNotes(
  service: Service,
  before: Assignment | undefined,
  after: Assignment,
): readonly EventNote[] {
  const about = aboutService(service)
  const had = before?.addresses ?? service.status.loadBalancer.ingress.map(({ ip }) => ip)
  const has = after.addresses
  const notes: EventNote[] = []
  const lost = had.filter(address => !has.includes(address))
  if (lost.length > 0 && after.publish !== 'asIs') {
    notes.push({
      about,
      type: 'Normal',
      reason: eventReasons.clearAssignment,
      message: `${listed(lost)} ${lost.length > 1 ? 'are' : 'is'} no longer assigned`,
    })
  }
  const gained = has.filter(address => !had.includes(address))
  if (gained.length > 0) {
    notes.push({
      about,
      type: 'Normal',
      reason: eventReasons.ipAllocated,
      message: `assigned ${listed(has)} from pool ${after.pool}`,
    })
    if (wouldHaveTwo(service) && has.length === 1) {
      notes.push({
        about,
        type: 'Normal',
        reason: eventReasons.additionalAssignFailed,
        message: `there was no address of the other family to go with ${listed(has)}`,
      })
    }
    if (asksByOldName(service)) {
      notes.push({
        about,
        type: 'Warning',
        reason: eventReasons.deprecatedAnnotation,
        message: `annotations with the prefix ${deprecatedPrefix} are deprecated: use metallb.io/`,
      })
    }
  }
  const { reason } = after
  const warning = reason && warnings[reason.code]
  if (reason && warning !== undefined && reason.message !== before?.reason?.message)
    notes.push({ about, type: 'Warning', reason: warning, message: reason.message })
  return notes
}
