import type { KubeObject } from '../client/index.ts'
import type { LeaseRecord } from './elector.ts'

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Reads a Lease. What is missing in it says that nobody holds it. */
export function readLease({ metadata, spec }: KubeObject): LeaseRecord {
  const { holderIdentity, leaseDurationSeconds, leaseTransitions, acquireTime } = isFields(spec) ? spec : {}
  return {
    holder: typeof holderIdentity === 'string' ? holderIdentity : '',
    transitions: typeof leaseTransitions === 'number' ? leaseTransitions : 0,
    durationMs: typeof leaseDurationSeconds === 'number' ? leaseDurationSeconds * 1000 : 0,
    ...(typeof acquireTime === 'string' ? { acquireTime } : {}),
    resourceVersion: metadata.resourceVersion ?? '',
  }
}

/** The `spec` of a Lease. */
export interface LeaseSpec {
  readonly holderIdentity: string
  readonly leaseDurationSeconds: number
  readonly acquireTime: string
  readonly renewTime: string
  readonly leaseTransitions: number
}

/** RFC 3339 with microseconds, as Leases have it. */
export const microTime = (date: Date): string => date.toISOString().replace('Z', '000Z')
