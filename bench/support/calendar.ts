const AGAIN_MS = 1000

let ahead = 0
let lookedAt = Number.NEGATIVE_INFINITY

/**
 * Milliseconds by the computer's clock, which tcpdump goes by, finer than `Date.now()`. That clock is set right all the time, so it is
 * looked at once in a second; that takes up to a millisecond, before the time that is given.
 */
export function calendar(): number {
  if (performance.now() - lookedAt > AGAIN_MS) {
    const tick = Date.now()
    while (Date.now() === tick);
    lookedAt = performance.now()
    ahead = tick + 1 - lookedAt
  }
  return performance.now() + ahead
}
