import { CarillonError } from '@carillon/core'
import { notification } from '../wire/fault.ts'
import { messageTypes } from '../wire/iana.ts'
import type { Message } from '../wire/message.ts'
import type { FsmEvent, FsmTimer, FsmTimerEvent } from './event.ts'
import {
  arm,
  type Context,
  disarm,
  dismissed,
  type FsmStep,
  fail,
  halt,
  holdExpired,
  keepaliveLater,
  retry,
  send,
  unexpected,
  yieldTo,
} from './moves.ts'
import { leastSendHoldMs } from './settings.ts'
import type { Established } from './state.ts'

/** RFC 4271 section 8.2.2: "can exchange UPDATE, NOTIFICATION, and KEEPALIVE messages with its peer". */
export function established(context: Context, state: Established, event: FsmEvent | FsmTimerEvent): FsmStep {
  switch (event.type) {
    case 'message':
      return heard(context, state, event.message)
    case 'malformed':
      return fail(context, state, event.reason, event.notification)
    case 'abort':
      return retry(context, state, event.reason, { told: event.notification })
    case 'timer':
      return expired(context, state, event.timer)
    case 'blocked':
      return state.negotiated.holdTimeMs > 0 ? [state, arm('sendHold', sendHoldMs(state))] : [state]
    case 'unblocked':
      return [state, ...disarm('sendHold')]
    case 'closed':
      return retry(context, state, event.reason)
    case 'stop':
      return halt(state, event.reason, event.notification)
    case 'collision':
      return yieldTo(state)
    default:
      return [state]
  }
}

/** "restarts its HoldTimer, if the negotiated HoldTime value is non-zero": by remembering when. */
function heard(context: Context, state: Established, message: Message): FsmStep {
  switch (message.type) {
    case 'keepalive':
    case 'update':
      return [{ ...state, heardAt: context.now }]
    case 'routeRefresh':
      return [state]
    case 'notification':
      return dismissed(context, state, message)
    case 'open':
      return unexpected(context, state, message.type, 'inEstablished', Uint8Array.of(messageTypes.open))
  }
}

function expired(context: Context, state: Established, timer: FsmTimer): FsmStep {
  switch (timer) {
    case 'hold':
      return holdExpired(context, state)
    case 'keepalive':
      return [state, send({ type: 'keepalive' }), keepaliveLater(context, state.negotiated)]
    case 'sendHold': {
      const ms = sendHoldMs(state)
      const reason = new CarillonError(
        'SEND_HOLD_TIMER_EXPIRED',
        `the peer took nothing of what we sent for ${ms / 1000} s`,
        { sendHoldMs: ms },
      )
      return retry(context, state, reason, { told: notification('sendHoldTimer', 'unspecific') })
    }
    default:
      return [state]
  }
}

/** RFC 9687 section 5: "the greater of [8 minutes] or 2 times the negotiated HoldTime". */
function sendHoldMs({ negotiated }: Established): number {
  return Math.max(leastSendHoldMs, 2 * negotiated.holdTimeMs)
}
