import type { FsmEvent, FsmTimerEvent } from './event.ts'
import { type Context, dial, type FsmStep, halt, listen } from './moves.ts'
import type { Idle } from './state.ts'

/** RFC 4271 section 8.2.2: "BGP FSM refuses all incoming BGP connections for this peer", and waits to be started. */
export function idle(context: Context, state: Idle, event: FsmEvent | FsmTimerEvent): FsmStep {
  const begin = (failures: number): FsmStep =>
    context.settings.passive ? listen(context, failures) : dial(context, failures)
  switch (event.type) {
    case 'start':
      return begin(0)
    case 'timer':
      return event.timer === 'idleHold' ? begin(state.failures) : [state]
    case 'stop':
      return state.stopped ? [state] : halt(state, event.reason)
    default:
      return [state]
  }
}
