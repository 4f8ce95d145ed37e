import type { Clock } from '@carillon/core'

/** Sums of times differ by less than that. */
const roundingMs = 0.001

/**
 * A clock that stands still while the process does: after a stall, timers run as if no time had passed, and not before what
 * arrived meanwhile could be read. `now` never goes back.
 */
export class SteadyClock implements Clock {
  readonly #clock: Clock
  readonly #toleranceMs: number
  readonly #graceMs: number
  readonly #stalled: (ms: number) => void
  #skipped = 0
  #last = Number.NEGATIVE_INFINITY

  /** `stalled` is told how late a timer was, when that is more than `toleranceMs`. */
  constructor(clock: Clock, toleranceMs: number, graceMs: number, stalled: (ms: number) => void = () => {}) {
    this.#clock = clock
    this.#toleranceMs = toleranceMs
    this.#graceMs = graceMs
    this.#stalled = stalled
  }

  now(): number {
    this.#last = Math.max(this.#last, this.#clock.now() - this.#skipped)
    return this.#last
  }

  date(): Date {
    return this.#clock.date()
  }

  after(ms: number, run: () => void): () => void {
    const due = this.#clock.now() - this.#skipped + ms
    let cancel = (): void => {}
    const arm = (): void => {
      const left = due - (this.#clock.now() - this.#skipped)
      cancel = this.#clock.after(Math.max(0, left), () => {
        const late = this.#clock.now() - this.#skipped - due
        if (late > this.#toleranceMs) {
          this.#skipped += late + this.#graceMs
          this.#stalled(late)
        }
        if (due - (this.#clock.now() - this.#skipped) > roundingMs) arm()
        else run()
      })
    }
    arm()
    return () => cancel()
  }
}
