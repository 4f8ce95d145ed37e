/**
 * BFD (RFC 5880, 5881, 5883): tells within a fraction of a second that a neighbour is gone. Usable without BGP.
 *
 * @packageDocumentation
 */
export { Bfd, type BfdEvents, type BfdOptions } from './bfd.ts'
export { bfdMetricNames } from './metrics.ts'
export { type BfdSessionOptions, type BfdSettings, defaultBfdSettings } from './options.ts'
export { type BfdCounters, type DropReason, dropReasons } from './report.ts'
export { BfdSession, type BfdSessionEvents } from './session.ts'
export type { BfdDown, BfdDownCause, BfdRemoteStatus, BfdStatus } from './status.ts'
export type { NetworkModule } from './thread.ts'
export type { BfdState } from './wire/index.ts'
