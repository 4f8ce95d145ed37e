import type { MembershipStanding } from '@carillon/core'
import type { MemberInfo } from './member-info.ts'

/** What a member tells its application. */
export interface GossipEvents {
  /** A member is new, or is back. We are the first. */
  'member:join': (member: MemberInfo) => void
  /** Its metadata is different. */
  'member:update': (member: MemberInfo) => void
  /** It does not answer; it still counts as a member. */
  'member:suspect': (member: MemberInfo) => void
  /** It said goodbye. */
  'member:leave': (member: MemberInfo) => void
  'member:dead': (member: MemberInfo) => void
  /** Another node uses the name of a member; its address is given. */
  'member:conflict': (member: MemberInfo, other: string) => void
  /** A message of another member's application. */
  'user:message': (payload: Uint8Array) => void
  /** The set of living members is different; once for a burst of changes. */
  'membership:changed': () => void
  'standing:changed': (standing: MembershipStanding) => void
}
