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

/** BFD over one peer. */
export interface BfdWatch {
  readonly state: BfdState
  close(): void
}

/**
 * Starts to watch a peer; `changed` is told of every new state with its reason in words. Sessions of one speaker that watch the
 * same peer each ask for themselves.
 */
export type BfdWatcher = (target: BfdTarget, changed: (state: BfdState, reason: string) => void) => BfdWatch
