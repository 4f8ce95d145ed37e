import type { BfdProfile } from '@carillon/core'

/** The states of RFC 5880 section 6.2. */
export type BfdState = 'admin-down' | 'down' | 'init' | 'up'

/** Whom to watch with BFD. */
export interface BfdTarget {
  readonly peer: string
  /** Our address; absent: what the kernel's routes say. */
  readonly local?: string
  /** Interface or VRF that the peer is on. */
  readonly device?: string
  /** The peer may be behind routers (RFC 5883). */
  readonly multihop: boolean
  readonly profile: BfdProfile
}

/** BFD over one peer, as it is. */
export interface BfdWatchStatus {
  readonly state: BfdState
  /** ISO time. */
  readonly since: string
}

/** BFD over one peer. */
export interface BfdWatch {
  status(): BfdWatchStatus
  close(): void
}

/** Whom a watch tells. */
export interface BfdObserver {
  /** The peer was there and is not any more; in words. */
  down(reason: string): void
  /** The state is another one; comes after `down`. */
  changed(): void
}

/** Starts to watch a peer. Two sessions that watch the same peer each ask for themselves. */
export type BfdWatcher = (target: BfdTarget, observer: BfdObserver) => BfdWatch
