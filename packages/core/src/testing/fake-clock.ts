import type { Clock } from '../clock.ts'
import { Timeline } from '../timeline.ts'

/** Time that moves only when told to. Timers run in order of their time, and in order of arming within one instant. */
export class FakeClock implements Clock {
  #now = 0
  readonly #start: number
  readonly #timers = new Timeline()

  /** `start`: what `date()` says at time 0. */
  constructor(start: Date = new Date('2026-01-01T00:00:00Z')) {
    this.#start = start.getTime()
  }

  now(): number {
    return this.#now
  }

  date(): Date {
    return new Date(this.#start + this.#now)
  }

  after(ms: number, run: () => void): () => void {
    return this.#timers.plan(this.#now + Math.max(0, ms), run)
  }

  /** Timers that are armed now. */
  get pending(): number {
    return this.#timers.size
  }

  /** Lets `ms` milliseconds pass, running what falls due on the way. */
  advance(ms: number): void {
    const until = this.#now + ms
    for (let timer = this.#timers.take(until); timer; timer = this.#timers.take(until)) {
      this.#now = Math.max(this.#now, timer.at)
      timer.run()
    }
    this.#now = until
  }

  /** As `advance`, but lets promises settle after every timer, for code that awaits. */
  async advanceAsync(ms: number): Promise<void> {
    const until = this.#now + ms
    await settle()
    for (let timer = this.#timers.take(until); timer; timer = this.#timers.take(until)) {
      this.#now = Math.max(this.#now, timer.at)
      timer.run()
      await settle()
    }
    this.#now = until
  }

  /** Moves the clock without running anything on the way: the process was stopped meanwhile. */
  freeze(ms: number): void {
    this.#now += ms
    this.advance(0)
  }
}

/** Lets everything that is already resolved run: promises, and the ticks and immediates that streams live on. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise(resolve => setImmediate(resolve))
}
