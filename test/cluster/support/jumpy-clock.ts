import type { Clock } from '@carillon/core'

interface Timer {
  readonly due: number
  readonly fire: () => void
}

/** A clock that can jump, as that of a machine that was suspended or set. Timers whose time a jump passes run at once. */
export class JumpyClock implements Clock {
  readonly #clock: Clock
  readonly #timers = new Set<Timer>()
  #ahead = 0
  #wallAhead = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  now(): number {
    return this.#clock.now() + this.#ahead
  }

  date(): Date {
    return new Date(this.#clock.date().getTime() + this.#wallAhead)
  }

  after(ms: number, run: () => void): () => void {
    const fire = (): void => {
      cancel()
      run()
    }
    const stop = this.#clock.after(ms, fire)
    const timer: Timer = { due: this.now() + ms, fire }
    const cancel = (): void => {
      this.#timers.delete(timer)
      stop()
    }
    this.#timers.add(timer)
    return cancel
  }

  /** The monotonic clock goes ahead. */
  jump(ms: number): void {
    this.#ahead += ms
    const passed = [...this.#timers].filter(({ due }) => due <= this.now()).sort((a, b) => a.due - b.due)
    for (const timer of passed) if (this.#timers.has(timer)) timer.fire()
  }

  /** The wall clock is set, ahead or back. */
  setWall(ms: number): void {
    this.#wallAhead += ms
  }
}
