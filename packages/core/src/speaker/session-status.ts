/** What went wrong with a session last. */
export interface SessionError {
  readonly at: Date
  /** Listed in docs/errors.md, where an announcer of Carillon raises it. */
  readonly code: string
  /** In words. */
  readonly message: string
}

/** What the two sides of a session have agreed on. Times in milliseconds. */
export interface SessionAgreement {
  /** AS number of the peer. */
  readonly peerAs: number
  /** BGP identifier of the peer. */
  readonly peerRouterId: string
  /** What the peer calls itself, where it says so. */
  readonly peerHostName?: string
  /** Both are in one AS (iBGP). */
  readonly internal: boolean
  /** `ipv4`, `ipv6`: what both carry. */
  readonly families: readonly string[]
  readonly fourOctetAs: boolean
  /** Messages of up to 65535 octets. */
  readonly extendedMessage: boolean
  readonly routeRefresh: boolean
  readonly enhancedRefresh: boolean
  /** IPv4 prefixes may have an IPv6 next hop. */
  readonly extendedNextHop: boolean
  /** Present when both offer graceful restart: what the peer said. */
  readonly gracefulRestart?: {
    readonly restarting: boolean
    /** Seconds. */
    readonly restartTime: number
    /** Those for which the peer keeps forwarding while it restarts. */
    readonly families: readonly string[]
  }
  /** 0: none. */
  readonly holdTimeMs: number
  /** 0: none. */
  readonly keepaliveTimeMs: number
}

/** How many of the routes that a session is to carry it carries. */
export interface SessionRoutes {
  readonly desired: number
  /** The peer has been sent them. */
  readonly announced: number
  /** They wait for the peer to take them. */
  readonly pending: number
  /** They cannot be sent on this session. */
  readonly failed: number
}

/** A session of an announcer with a neighbour, as it stands. */
export interface SessionStatus {
  /** Name of the BGPPeer. */
  readonly peer: string
  /** Absent while the peer on an interface is not known. */
  readonly address?: string
  readonly port?: number
  readonly interface?: string
  readonly vrf?: string
  /** `Established` when routes flow; other states are the protocol's own. */
  readonly state: string
  /** When it came into this state. */
  readonly since: Date
  /** When routes stopped flowing, or when the session was first wanted; through all attempts. Absent while it is established. */
  readonly downSince?: Date
  /** What it waits for, in words, where it waits for something. */
  readonly waiting?: string
  readonly lastError?: SessionError
  readonly localAs?: number
  /** Our BGP identifier. */
  readonly routerId?: string
  /** Absent when there is no session. */
  readonly negotiated?: SessionAgreement
  readonly routes: SessionRoutes
  /** Messages and prefixes since the announcer has known the peer, by name. */
  readonly counters: Readonly<Record<string, number>>
  /** The watch of BFD over the peer; absent without one. */
  readonly bfd?: { readonly state: string; readonly since: Date }
}

/** What becomes of a value in JSON. */
type Json<T> = T extends Date
  ? string
  : T extends readonly unknown[]
    ? T
    : T extends object
      ? { readonly [Key in keyof T]: Json<T[Key]> }
      : T

/** A session in the status of a speaker; dates are ISO 8601. */
export type SessionDocument = Json<SessionStatus> & {
  /** Name of the announcer that has the session. */
  readonly announcer: string
}

/** Writes a session down. */
export function describeSession(announcer: string, session: SessionStatus): SessionDocument {
  const { since, downSince, lastError, bfd, ...rest } = session
  return {
    announcer,
    ...rest,
    since: since.toISOString(),
    ...(downSince && { downSince: downSince.toISOString() }),
    ...(lastError && { lastError: { ...lastError, at: lastError.at.toISOString() } }),
    ...(bfd && { bfd: { ...bfd, since: bfd.since.toISOString() } }),
  }
}
