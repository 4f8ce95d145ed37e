import { messageTypes } from '../wire/iana.ts'
import type { FsmEvent, FsmTimerEvent } from './event.ts'
import {
  type Context,
  dismissed,
  emit,
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
import type { OpenConfirm } from './state.ts'

/** RFC 4271 section 8.2.2: "BGP waits for a KEEPALIVE or NOTIFICATION message". */
export function openConfirm(context: Context, state: OpenConfirm, event: FsmEvent | FsmTimerEvent): FsmStep {
  const { negotiated } = state
  switch (event.type) {
    case 'message': {
      const { message } = event
      if (message.type === 'notification') return dismissed(context, state, message)
      if (message.type !== 'keepalive') {
        const data = Uint8Array.of(messageTypes[message.type])
        return unexpected(context, state, message.type, 'inOpenConfirm', data)
      }
      const { failures } = state
      return [
        {
          name: 'Established',
          failures,
          negotiated,
          since: context.now,
          heardAt: context.now,
          lenient: false,
        },
        emit({ type: 'established', negotiated }),
      ]
    }
    case 'malformed':
      return fail(context, state, event.reason, event.notification)
    case 'abort':
      return retry(context, state, event.reason, { told: event.notification })
    case 'timer':
      if (event.timer === 'hold') return holdExpired(context, state)
      if (event.timer !== 'keepalive') return [state]
      return [state, send({ type: 'keepalive' }), keepaliveLater(context, negotiated)]
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
