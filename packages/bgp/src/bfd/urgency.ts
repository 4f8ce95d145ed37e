import { type EventLoopUtilization, performance } from 'node:perf_hooks'

const LOOK_MS = 1000
/** The part of a second that BFD may compute before it is one thread among others, and below which it is urgent again. */
const TOO_MUCH = 0.5
const CALM = 0.25

/**
 * Has this thread run as soon as there is something to do, for as long as that is little: who floods us with packets shall not take a
 * processor from everybody else. Gives what `setUrgency` says at first.
 */
export function keepUrgent(setUrgency: (urgent: boolean) => string): string {
  let urgent = true
  let before: EventLoopUtilization = performance.eventLoopUtilization()
  const look = (): void => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, before)
    before = now
    const wanted = urgent ? utilization < TOO_MUCH : utilization < CALM
    if (wanted === urgent) return
    urgent = wanted
    setUrgency(urgent)
  }
  setInterval(look, LOOK_MS).unref()
  return setUrgency(true)
}
