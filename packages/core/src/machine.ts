import type { Clock } from './clock.ts'

/** What a brain may ask of the world: everything that a protocol does is one of these, as data. */
export type Effect<Output> =
  | { readonly do: 'emit'; readonly output: Output }
  | { readonly do: 'arm'; readonly timer: string; readonly ms: number }
  | { readonly do: 'disarm'; readonly timer: string }

/** A brain's answer to an event: its next state, and what is to be done. */
export type Step<State, Output> = readonly [state: State, ...effects: readonly Effect<Output>[]]

/** The event that `drive` gives a brain when one of its timers runs out. */
export interface TimerEvent {
  readonly type: 'timer'
  readonly timer: string
}

/** A brain that is being driven: its state, and how to tell it of events. */
export interface Machine<State, Event> {
  readonly state: State
  handle(event: Event): void
  /** Cancels every timer; later events do nothing. */
  stop(): void
}

/** The one shell for every brain of the form `step(state, event, now)`: keeps the state, runs timers, hands outputs on. */
export function drive<State, Event, Output>(options: {
  readonly initial: State
  readonly step: (state: State, event: Event | TimerEvent, now: number) => Step<State, Output>
  readonly clock: Clock
  readonly output: (output: Output) => void
}): Machine<State, Event> {
  const { step, clock, output } = options
  let state = options.initial
  let stopped = false
  const timers = new Map<string, () => void>()
  const disarm = (timer: string): void => {
    timers.get(timer)?.()
    timers.delete(timer)
  }
  const handle = (event: Event | TimerEvent): void => {
    if (stopped) return
    const [next, ...effects] = step(state, event, clock.now())
    state = next
    const outputs: Output[] = []
    for (const effect of effects) {
      if (effect.do === 'emit') outputs.push(effect.output)
      else disarm(effect.timer)
      if (effect.do === 'arm') {
        const { timer } = effect
        const cancel = clock.after(effect.ms, () => {
          timers.delete(timer)
          handle({ type: 'timer', timer })
        })
        timers.set(timer, cancel)
      }
    }
    // Last, once the state is settled: an output may come straight back as an event.
    for (const one of outputs) output(one)
  }
  return {
    get state() {
      return state
    },
    handle,
    stop() {
      stopped = true
      for (const timer of [...timers.keys()]) disarm(timer)
    },
  }
}
