import type { ErrorDetails } from '@carillon/core'
import type { Association } from './association.ts'
import type { BfdSettings, SessionKey } from './options.ts'
import type { BfdCause } from './protocol.ts'
import type { BfdState } from './wire/index.ts'

/** Why packets are dropped; the label `reason` of `carillon_bfd_packets_dropped`. */
export const dropReasons = [
  'short',
  'version',
  'length',
  'multiplier',
  'multipoint',
  'discriminator',
  'state',
  'flags',
  'authentication',
  /** It came through more routers than the session allows. */
  'ttl',
  /** Your Discriminator is none of ours. */
  'unknownSession',
  /** There is no session with the sender. */
  'unknownPeer',
  /** An echo packet that is neither one of ours nor from a peer whose echo packets we return. */
  'echo',
] as const

/** One of `dropReasons`. */
export type DropReason = (typeof dropReasons)[number]

/** What passed, since the session began. */
export interface BfdCounters {
  readonly controlIn: number
  readonly controlOut: number
  readonly echoIn: number
  readonly echoOut: number
}

/** An error that survives the way from one thread to another. */
export interface PlainError {
  readonly code: string
  readonly message: string
  readonly details: ErrorDetails
}

/** All there is to say of a session, as plain data. */
export interface Snapshot {
  readonly association: Association
  /** The present state holds since then, in milliseconds of the calendar. */
  readonly since: number
  readonly counters: BfdCounters
  /** From the sending of an echo packet to its return; undefined before the first. */
  readonly echoRoundTripMs: number | undefined
  /** Why there is no echo function although the profile asks for it. */
  readonly echoProblem: string | undefined
  /** Why no packets can be exchanged. */
  readonly problem: PlainError | undefined
}

/** What an engine is told. `id` is the teller's choice and names a session for as long as it is open. */
export type Command =
  | {
      readonly do: 'open'
      readonly id: number
      readonly key: SessionKey
      readonly settings: BfdSettings
      /** Where another engine left off. */
      readonly resume?: Pick<Snapshot, 'association' | 'since' | 'counters'>
    }
  | { readonly do: 'change'; readonly id: number; readonly settings: BfdSettings }
  | { readonly do: 'close'; readonly id: number }

/** What an engine tells. */
export type Report =
  /** Packets of the session are exchanged. */
  | { readonly type: 'started'; readonly id: number; readonly snapshot: Snapshot }
  | {
      readonly type: 'changed'
      readonly id: number
      readonly from: BfdState
      readonly cause: BfdCause | 'thread'
      readonly snapshot: Snapshot
    }
  /** Something else than the state is new. */
  | { readonly type: 'updated'; readonly id: number; readonly snapshot: Snapshot }
  /** Farewell was said; the id is free. */
  | { readonly type: 'closed'; readonly id: number }
  /** A thread of its own runs the sessions. */
  | { readonly type: 'running'; readonly urgency: string }
  /** The thread that ran the sessions could not be started, or ended by itself; another one will. */
  | { readonly type: 'failed'; readonly error: PlainError }
  /** Packets dropped since the last such report. */
  | { readonly type: 'dropped'; readonly counts: Partial<Readonly<Record<DropReason, number>>> }

/** Something that runs sessions: an engine, here or in a thread of its own. */
export interface Runner extends AsyncDisposable {
  obey(command: Command): void
}
