import type { FsmEvent, FsmTimerEvent } from './event.ts'
import {
  agree,
  arm,
  type Context,
  dial,
  disarm,
  dismissed,
  type FsmStep,
  fail,
  greet,
  halt,
  retry,
  unexpected,
  yieldTo,
} from './moves.ts'
import { openOf } from './open.ts'
import type { Active } from './state.ts'

/** RFC 4271 section 8.2.2: "trying to acquire a peer by listening for, and accepting, a TCP connection". */
export function active(context: Context, state: Active, event: FsmEvent | FsmTimerEvent): FsmStep {
  const { settings } = context
  const { greeting, failures } = state
  switch (event.type) {
    case 'connected':
      if (event.by === 'us' || settings.delayOpenMs === 0) return greet(context, failures, event.greeting)
      // "stops and clears the ConnectRetryTimer, sets the DelayOpenTimer to the initial value, and stays in the Active state"
      return [
        { name: 'Active', failures, greeting: event.greeting },
        ...disarm('connectRetry', 'idleHold'),
        arm('delayOpen', settings.delayOpenMs),
      ]
    case 'timer':
      if (event.timer === 'connectRetry') return settings.passive ? [state] : dial(context, failures)
      return event.timer === 'delayOpen' && greeting ? greet(context, failures, greeting) : [state]
    case 'stop':
      return halt(state, event.reason)
    case 'message': {
      if (!greeting) return [state]
      const { message } = event
      if (message.type === 'open') return agree(context, state, greeting, message, openOf(settings, greeting))
      if (message.type === 'notification') return dismissed(context, state, message)
      return unexpected(context, state, message.type, 'unspecific')
    }
    case 'malformed':
      return greeting ? fail(context, state, event.reason, event.notification) : [state]
    case 'closed':
      return greeting ? retry(context, state, event.reason) : [state]
    case 'collision':
      return greeting ? yieldTo(state) : [state]
    default:
      return [state]
  }
}
