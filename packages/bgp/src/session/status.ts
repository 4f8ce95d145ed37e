import type { Endpoint } from '@carillon/core'
import type { Negotiated } from '../fsm/negotiated.ts'
import type { SessionState } from '../fsm/state.ts'

/** What went wrong last. */
export interface SessionError {
  readonly at: Date
  /** Listed in docs/errors.md. */
  readonly code: string
  /** In words; of a NOTIFICATION its meaning, and the text that the peer's operator gave with it. */
  readonly message: string
}

/** Messages since the speaker has known the peer. */
export interface SessionCounters {
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

/** A session as it stands. */
export interface SessionStatus {
  /** Name of the peer. */
  readonly name: string
  /** Absent while the peer on an interface is not known. */
  readonly address?: string
  readonly port: number
  readonly interface?: string
  readonly vrf?: string
  readonly state: SessionState
  /** When it came into this state. */
  readonly since: Date
  /** How long routes have been flowing; absent when they are not. */
  readonly uptimeMs?: number
  /** What it waits for, in words, where it waits for something. */
  readonly waiting?: string
  readonly lastError?: SessionError
  /** Our end of the connection. */
  readonly local?: Endpoint
  readonly localAs: number
  /** Our BGP identifier, once a connection was there. */
  readonly routerId?: string
  /** What the two have agreed on; absent when there is no session. */
  readonly negotiated?: Negotiated
  readonly routes: {
    /** Declared for this peer. */
    readonly desired: number
    /** The peer has been sent them. */
    readonly announced: number
    /** They will be sent to it, or withdrawn, as soon as it takes them. */
    readonly pending: number
    /** They cannot be sent on this session. */
    readonly failed: number
  }
  readonly counters: SessionCounters
  /** The watch of BFD over this peer; absent without a BFD profile, and until there was a first session. */
  readonly bfd?: { readonly state: string; readonly since: Date }
}
