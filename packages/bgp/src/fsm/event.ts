import type { CarillonError, TimerEvent } from '@carillon/core'
import type { Message, NotificationMessage } from '../wire/message.ts'

/** What an OPEN says beside the settings, and is known once a connection is there. */
export interface Greeting {
  /** Our BGP identifier, dotted quad. */
  readonly routerId: string
  /** This speaker has just been restarted, and is in its restart time (RFC 4724 section 4.1). */
  readonly restarting: boolean
}

/** The timers of RFC 4271 section 8; `sendHold` is that of RFC 9687. */
export type FsmTimer = 'connectRetry' | 'delayOpen' | 'hold' | 'keepalive' | 'idleHold' | 'sendHold'

/** What happens to a session; numbers are those of RFC 4271 section 8.1. */
export type FsmEvent =
  /** 1, 3 to 5 */
  | { readonly type: 'start' }
  /** 2, 8: we end it. `notification` absent: without a word, so that a peer that is told to wait for our return does so. */
  | { readonly type: 'stop'; readonly reason: CarillonError; readonly notification?: NotificationMessage }
  /** 8: something else says that the peer cannot be reached; the session is tried again. */
  | { readonly type: 'abort'; readonly reason: CarillonError; readonly notification: NotificationMessage }
  /** 16: the connection that we asked for is there. 17: one that the peer made. */
  | { readonly type: 'connected'; readonly by: 'us' | 'peer'; readonly greeting: Greeting }
  /** 18, while a connection was being made. */
  | { readonly type: 'connectFailed'; readonly reason: CarillonError }
  /** 18 */
  | { readonly type: 'closed'; readonly reason: CarillonError }
  /** 19, 20, 24 to 27 */
  | { readonly type: 'message'; readonly message: Message }
  /** 21, 22, 28 */
  | { readonly type: 'malformed'; readonly reason: CarillonError; readonly notification: NotificationMessage }
  /** 23 */
  | { readonly type: 'collision' }
  /** The peer takes nothing of what we send (RFC 9687). */
  | { readonly type: 'blocked' }
  /** It took something. */
  | { readonly type: 'unblocked' }

/** 9 to 13, with those that were added later. */
export type FsmTimerEvent = TimerEvent & { readonly timer: FsmTimer }
