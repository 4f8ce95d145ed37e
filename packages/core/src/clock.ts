/** Time, handed in. `now` is monotonic milliseconds (fractions allowed) and is only ever compared with itself. */
export interface Clock {
  now(): number
  /** Wall-clock time, for people only. */
  date(): Date
  /** Runs `run` once after `ms`; the returned function cancels it. */
  after(ms: number, run: () => void): () => void
}

/** The process's own time. */
export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => new Date(),
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}
