import type { Greeting } from './event.ts'
import type { Negotiated } from './negotiated.ts'

/** The states of RFC 4271 section 8.2.2, by its names. */
export type SessionState = 'Idle' | 'Connect' | 'Active' | 'OpenSent' | 'OpenConfirm' | 'Established'

interface Common {
  /** Failures since a session was last stable: the RFC's ConnectRetryCounter. */
  readonly failures: number
}

/** Nothing is done: not yet started, stopped, or waiting after an error. */
export interface Idle extends Common {
  readonly name: 'Idle'
  readonly stopped: boolean
}

/** A connection is being made, or is there and our OPEN is held back (`greeting`). */
export interface Connect extends Common {
  readonly name: 'Connect'
  readonly greeting?: Greeting
}

/** Waiting for the peer to connect, and for the moment to try it ourselves. */
export interface Active extends Common {
  readonly name: 'Active'
  readonly greeting?: Greeting
}

/** Our OPEN is sent. */
export interface OpenSent extends Common {
  readonly name: 'OpenSent'
  readonly greeting: Greeting
}

interface Agreed extends Common {
  readonly negotiated: Negotiated
  /** When the peer last said that it lives. */
  readonly heardAt: number
  /** The hold timer ran out late, because this process stood still: what the peer sent meanwhile is read first. */
  readonly lenient: boolean
}

/** The peer's OPEN is accepted; its KEEPALIVE will confirm ours. */
export interface OpenConfirm extends Agreed {
  readonly name: 'OpenConfirm'
}

export interface Established extends Agreed {
  readonly name: 'Established'
  readonly since: number
}

export type FsmState = Idle | Connect | Active | OpenSent | OpenConfirm | Established

/** Before anything was asked of it. */
export const initialState: Idle = { name: 'Idle', failures: 0, stopped: true }

/** Where a machine begins that is given a connection which the peer has made beside another one. */
export const listening: Active = { name: 'Active', failures: 0 }
