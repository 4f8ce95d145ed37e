import type { TimerEvent } from '@carillon/core'
import { active } from './active.ts'
import { connect } from './connect.ts'
import { established } from './established.ts'
import type { FsmEvent, FsmTimerEvent } from './event.ts'
import { idle } from './idle.ts'
import { type Context, emit, type FsmStep } from './moves.ts'
import { openConfirm } from './open-confirm.ts'
import { openSent } from './open-sent.ts'
import type { FsmSettings } from './settings.ts'
import type { FsmState } from './state.ts'

/**
 * The BGP finite state machine of RFC 4271 section 8, for one connection at a time: what an event leads to. `random` gives the
 * jitter of its timers; nothing else is taken from anywhere.
 */
export function stepOf(
  settings: FsmSettings,
  random: () => number,
): (state: FsmState, event: FsmEvent | TimerEvent, now: number) => FsmStep {
  return (state, event, now) => {
    // The machine arms no other timers than these.
    const step = react({ settings, random, now }, state, event as FsmEvent | FsmTimerEvent)
    const { name } = step[0]
    return name === state.name ? step : [...step, emit({ type: 'entered', state: name })]
  }
}

function react(context: Context, state: FsmState, event: FsmEvent | FsmTimerEvent): FsmStep {
  switch (state.name) {
    case 'Idle':
      return idle(context, state, event)
    case 'Connect':
      return connect(context, state, event)
    case 'Active':
      return active(context, state, event)
    case 'OpenSent':
      return openSent(context, state, event)
    case 'OpenConfirm':
      return openConfirm(context, state, event)
    case 'Established':
      return established(context, state, event)
  }
}
