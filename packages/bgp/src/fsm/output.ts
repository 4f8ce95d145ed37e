import type { CarillonError } from '@carillon/core'
import type { Message } from '../wire/message.ts'
import type { Negotiated } from './negotiated.ts'
import type { SessionState } from './state.ts'

/** What the machine wants done. */
export type FsmOutput =
  /** Open a connection, giving up one that is being made. */
  | { readonly type: 'connect' }
  | { readonly type: 'send'; readonly message: Message }
  /** Close the connection after what was sent, or give up making one. */
  | { readonly type: 'close' }
  /** Routes may flow. */
  | { readonly type: 'established'; readonly negotiated: Negotiated }
  /** An attempt has failed, or the session has ended. */
  | { readonly type: 'failed'; readonly reason: CarillonError; readonly established: boolean }
  /** The machine is in another state now. Comes after everything else. */
  | { readonly type: 'entered'; readonly state: SessionState }
  /** The next attempt comes after so many milliseconds. */
  | { readonly type: 'waiting'; readonly ms: number }
