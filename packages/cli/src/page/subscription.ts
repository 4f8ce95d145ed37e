import type { LoggedEvent } from './event-log.ts'

/** Where a reader's events are: numbered, and kept for a while. */
export interface Shelf {
  after(sequence: number): LoggedEvent | undefined
  covers(sequence: number): boolean
}

/** One reader of the stream. It takes events when it can; what it has not taken is kept for all readers together, and not for long. */
export class Subscription {
  readonly #log: Shelf
  readonly #beginning: readonly string[]
  readonly #news: () => void
  #at: number
  #taken = 0

  /**
   * @param beginning what comes before the events of the log
   * @param at the number of the last event of the log that the reader has, or will have with the beginning
   * @param news called when there is something to take
   */
  constructor(log: Shelf, beginning: readonly string[], at: number, news: () => void) {
    this.#log = log
    this.#beginning = beginning
    this.#at = at
    this.#news = news
  }

  /** The next event; undefined where there is none yet; `lost` where the reader has fallen too far behind. */
  take(): string | undefined {
    if (this.#taken < this.#beginning.length) return this.#beginning[this.#taken++]
    const next = this.#log.after(this.#at)
    if (next) this.#at = next.sequence
    return next?.text
  }

  /** Whether it has fallen so far behind that events it needs are gone. */
  get lost(): boolean {
    return !this.#log.covers(this.#at)
  }

  wake(): void {
    this.#news()
  }
}
