import { formatEndpoint, type Member } from '@carillon/core'
import type { MemberRecord } from './member-record.ts'
import { endpointOf } from './node-address.ts'

/** A member as the events show it. */
export interface MemberInfo extends Member {
  readonly meta: Uint8Array
  readonly incarnation: number
}

/** What others are shown of a record. */
export function info(record: MemberRecord): MemberInfo {
  return {
    name: record.name,
    address: formatEndpoint(endpointOf(record)),
    liveness: record.liveness,
    meta: record.meta,
    incarnation: record.incarnation,
  }
}
