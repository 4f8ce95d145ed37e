import type { RouteFamily } from '../wire/message.ts'

/** How long to wait before trying again: doubled with each failure in a row, from `firstMs` to `longestMs`. */
export interface BackOff {
  readonly firstMs: number
  readonly longestMs: number
}

/** What one session is to be: what we say in our OPEN, what we accept in the peer's, and how long we wait. */
export interface FsmSettings {
  /** The AS that the peer is to see. */
  readonly localAs: number
  /** The peer's AS, or which kind of AS it may be: ours (`internal`) or any other (`external`). */
  readonly remoteAs: number | 'internal' | 'external'
  /** What we offer to carry; at least one has to be offered by the peer, too. */
  readonly families: readonly RouteFamily[]
  /** Offer to announce IPv4 prefixes with an IPv6 next hop (RFC 8950). */
  readonly extendedNextHop: boolean
  /** Whole seconds, 0 for none. */
  readonly holdTimeMs: number
  /** Absent: a third of the negotiated hold time. */
  readonly keepaliveTimeMs?: number
  /** How long a connection may take to come about. */
  readonly connectTimeoutMs: number
  /** After a connection that did not come about, or was lost. */
  readonly retry: BackOff
  /** After an error in what was said: the same will probably be said again. */
  readonly errorRetry: BackOff
  /** Never dial: wait for the peer. */
  readonly passive: boolean
  /** How long to wait for the peer's OPEN before sending ours, on connections that the peer made; 0 for not at all. */
  readonly delayOpenMs: number
  /** Offer graceful restart (RFC 4724): seconds within which we mean to be back, 0 to 4095. */
  readonly restartTime?: number
  /** Shown by routers that know the capability. */
  readonly hostName?: string
}

/** Hold time before the peer's OPEN says better (RFC 4271 section 8.2.2: "a large value", 4 minutes suggested). */
export const largeHoldMs = 240_000

/** How long a peer may take nothing of what we send, when the hold time is shorter (RFC 9687 section 5). */
export const leastSendHoldMs = 480_000

/** A session that lasted this long has not failed to come up: the next attempts begin with short waits again. */
export const stableMs = 30_000
