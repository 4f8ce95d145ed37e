import { computedMs } from './computed.ts'

const LOOK_MS = 1000
/** The part of a second that BFD may compute before it is one thread among others, and below which it is urgent again. */
const TOO_MUCH = 0.5
const CALM = 0.25

/**
 * Has this thread run as soon as there is something to do, for as long as that is little: who floods us with packets shall not take a
 * processor from everybody else. Gives what `setUrgency` says at first. `computed`: milliseconds for which the thread has run so far.
 */
export function keepUrgent(
  setUrgency: (urgent: boolean) => string,
  computed: () => number = computedMs,
): string {
  let urgent = true
  let before = { at: performance.now(), computed: computed() }
  const look = (): void => {
    const now = { at: performance.now(), computed: computed() }
    const share = (now.computed - before.computed) / (now.at - before.at)
    before = now
    const wanted = urgent ? share < TOO_MUCH : share < CALM
    if (wanted === urgent) return
    urgent = wanted
    setUrgency(urgent)
  }
  setInterval(look, LOOK_MS).unref()
  return setUrgency(true)
}
