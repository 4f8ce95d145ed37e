import type { SessionStatus as AnySessionStatus, Endpoint } from '@carillon/core'
import type { Negotiated } from '../fsm/negotiated.ts'
import type { SessionState } from '../fsm/state.ts'

/** Messages since the speaker has known the peer. */
export type SessionCounters = {
  readonly messagesSent: number
  readonly messagesReceived: number
  readonly opensSent: number
  readonly opensReceived: number
  readonly updatesSent: number
  readonly updatesReceived: number
  readonly keepalivesSent: number
  readonly keepalivesReceived: number
  readonly notificationsSent: number
  readonly notificationsReceived: number
  readonly refreshesSent: number
  readonly refreshesReceived: number
  /** Prefixes that the peer has announced; they are counted, and not kept. */
  readonly prefixesReceived: number
  /** Received UPDATEs with a fault that did not end the session (RFC 7606). */
  readonly faultyUpdates: number
}

/** A BGP session as it stands. */
export interface SessionStatus extends AnySessionStatus {
  readonly port: number
  readonly state: SessionState
  readonly localAs: number
  /** How long routes have been flowing; absent when they are not. */
  readonly uptimeMs?: number
  /** Our end of the connection. */
  readonly local?: Endpoint
  readonly negotiated?: Negotiated
  readonly counters: SessionCounters
}
