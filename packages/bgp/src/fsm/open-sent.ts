import { CarillonError } from '@carillon/core'
import { notification } from '../wire/fault.ts'
import { messageTypes } from '../wire/iana.ts'
import type { FsmEvent, FsmTimerEvent } from './event.ts'
import {
  agree,
  type Context,
  dismissed,
  type FsmStep,
  fail,
  halt,
  retry,
  unexpected,
  yieldTo,
} from './moves.ts'
import { largeHoldMs } from './settings.ts'
import type { OpenSent } from './state.ts'

/** RFC 4271 section 8.2.2: "BGP FSM waits for an OPEN message from its peer". */
export function openSent(context: Context, state: OpenSent, event: FsmEvent | FsmTimerEvent): FsmStep {
  switch (event.type) {
    case 'message': {
      const { message } = event
      if (message.type === 'open') return agree(context, state, state.greeting, message)
      if (message.type === 'notification') return dismissed(context, state, message)
      const data = Uint8Array.of(messageTypes[message.type])
      return unexpected(context, state, message.type, 'inOpenSent', data)
    }
    case 'malformed':
      return fail(context, state, event.reason, event.notification)
    case 'abort':
      return retry(context, state, event.reason, { told: event.notification })
    case 'timer': {
      if (event.timer !== 'hold') return [state]
      const reason = new CarillonError(
        'HOLD_TIMER_EXPIRED',
        `the peer accepted the connection, and then said nothing for ${largeHoldMs / 1000} s`,
      )
      return retry(context, state, reason, { told: notification('holdTimer', 'unspecific') })
    }
    case 'closed':
      // "closes the BGP connection, restarts the ConnectRetryTimer, continues to listen [...], changes its state to Active"
      return retry(context, state, event.reason)
    case 'stop':
      return halt(state, event.reason, event.notification)
    case 'collision':
      return yieldTo(state)
    default:
      return [state]
  }
}
