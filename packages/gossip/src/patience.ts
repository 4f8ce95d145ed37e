/** A silence that ended is followed by patience for this many times as long, for so many milliseconds. */
const factor = 1.5
const lifetimeMs = 60_000

/** Patience is at most this many times what everybody gets. */
const mostTimes = 4

interface Lately {
  /** The longest silence, in milliseconds. */
  readonly silenceMs: number
  /** When that is forgotten. */
  readonly until: number
}

/**
 * How long each member may be silent before it is accused: longer for one that has lately been silent for nearly as long, and lived. Its
 * machine is busy, or its path is bad, and it would be declared dead again and again. Times in milliseconds.
 */
export class Patience {
  readonly #leastMs: number
  readonly #lately = new Map<string, Lately>()

  /** @param leastMs what everybody gets */
  constructor(leastMs: number) {
    this.#leastMs = leastMs
  }

  with(member: string, now: number): number {
    const lately = this.#lately.get(member)
    if (!lately) return this.#leastMs
    if (now < lately.until)
      return Math.min(mostTimes * this.#leastMs, Math.max(this.#leastMs, factor * lately.silenceMs))
    this.#lately.delete(member)
    return this.#leastMs
  }

  /** A silence of a member is over. One that no patience would have borne with tells nothing: it was away. */
  ended(member: string, silenceMs: number, now: number): void {
    if (factor * silenceMs <= this.#leastMs || silenceMs > mostTimes * this.#leastMs) return
    const lately = this.#lately.get(member)
    if (lately && now < lately.until && lately.silenceMs > silenceMs) return
    this.#lately.set(member, { silenceMs, until: now + lifetimeMs })
  }

  forget(member: string): void {
    this.#lately.delete(member)
  }
}
