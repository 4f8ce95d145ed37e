import { CarillonError } from '@carillon/core'
import type { Association } from './association.ts'
import { detectionTime, transmitInterval } from './intervals.ts'
import type { SessionKey } from './options.ts'
import type { BfdCause } from './protocol.ts'
import type { BfdCounters, PlainError, Snapshot } from './report.ts'
import { type BfdState, describeDiagnostic } from './wire/index.ts'

/** The other end, as its last packet describes it. Intervals in milliseconds. */
export interface BfdRemoteStatus {
  readonly state: BfdState
  /** In the RFC's words. */
  readonly diagnostic: string
  readonly discriminator: number
  readonly transmitIntervalMs: number
  readonly receiveIntervalMs: number
  /** 0: it does not return echo packets. */
  readonly echoReceiveIntervalMs: number
  readonly detectMultiplier: number
  readonly demand: boolean
}

/** A session as it is, in plain data. */
export interface BfdStatus {
  readonly peer: string
  readonly local: string | undefined
  readonly device: string | undefined
  readonly multihop: boolean
  readonly state: BfdState
  /** ISO time; the state holds since then. */
  readonly since: string
  /** Why the session last left the state Up, in the RFC's words; `no diagnostic` while it is up. */
  readonly diagnostic: string
  readonly discriminator: number
  /** Undefined while nothing is heard of it. */
  readonly remote: BfdRemoteStatus | undefined
  /** How often we send, before jitter; undefined while we may not. */
  readonly transmitIntervalMs: number | undefined
  /** For how long the peer may be silent; undefined while it is not known. */
  readonly detectionTimeMs: number | undefined
  /** `unanswered`: none has come back since the session is up. From a peer that never returned one that means nothing. */
  readonly echo: 'off' | 'unanswered' | 'answered'
  /** Why there is no echo function although the profile asks for it. */
  readonly echoProblem: string | undefined
  /** From the sending of an echo packet to its return. */
  readonly echoRoundTripMs: number | undefined
  /** At most a second old. */
  readonly counters: BfdCounters & { readonly ups: number; readonly downs: number }
  /** Why no packets can be exchanged: `BFD_SOCKET_FAILED`, `BFD_TTL_TOO_LOW`, `BFD_THREAD_FAILED`. */
  readonly problem: CarillonError | undefined
}

/** Why a session is down: those of the protocol, and `thread`: nothing ran it for a detection time. */
export type BfdDownCause = Exclude<BfdCause, 'closed'> | 'thread'

/** A session that was up and is not any more. */
export interface BfdDown {
  readonly cause: BfdDownCause
  /** A sentence for people. */
  readonly reason: string
  readonly status: BfdStatus
}

const remoteStatus = ({ remote }: Association): BfdRemoteStatus | undefined =>
  remote && {
    state: remote.state,
    diagnostic: describeDiagnostic(remote.diagnostic),
    discriminator: remote.discriminator,
    transmitIntervalMs: remote.desiredMinTxMs,
    receiveIntervalMs: remote.requiredMinRxMs,
    echoReceiveIntervalMs: remote.requiredMinEchoRxMs,
    detectMultiplier: remote.detectMultiplier,
    demand: remote.demand,
  }

/** For how long the peer may be silent; undefined while nothing is known of it. */
export const detectionTimeOf = ({ inForce, remote }: Association): number | undefined =>
  remote && detectionTime(inForce, remote, remote.detectMultiplier)

/** The error that a plain one stands for. */
export const revive = ({ code, message, details }: PlainError): CarillonError =>
  new CarillonError(code, message, details)

/** What a snapshot means for people. */
export function statusOf(
  key: SessionKey,
  snapshot: Snapshot,
  events: { readonly ups: number; readonly downs: number },
): BfdStatus {
  const { association } = snapshot
  return {
    peer: key.peer,
    local: key.local,
    device: key.device,
    multihop: key.multihop,
    state: association.state,
    since: new Date(snapshot.since).toISOString(),
    diagnostic: describeDiagnostic(association.diagnostic),
    discriminator: association.discriminator,
    remote: remoteStatus(association),
    transmitIntervalMs: transmitInterval(association.inForce, association.remote),
    detectionTimeMs: detectionTimeOf(association),
    echo: association.echo,
    echoProblem: snapshot.echoProblem,
    echoRoundTripMs: snapshot.echoRoundTripMs,
    counters: { ...snapshot.counters, ups: events.ups, downs: events.downs },
    problem: snapshot.problem && revive(snapshot.problem),
  }
}

/** What happened to a session, in a sentence. `before`: as it was when it was up. */
export function describeDown(cause: BfdDownCause, before: BfdStatus, now: BfdStatus): string {
  const { peer } = now
  switch (cause) {
    case 'silence':
      return `nothing was heard of ${peer} for ${before.detectionTimeMs ?? 0} ms`
    case 'echo':
      return `no echo packet came back from ${peer}`
    case 'peer':
      return `${peer} says that the session is down (${now.remote?.diagnostic ?? 'no diagnostic'})`
    case 'peer-admin-down':
      return `${peer} has taken the session down administratively`
    case 'thread':
      return `no thread ran the session with ${peer} for ${before.detectionTimeMs ?? 0} ms`
  }
}
