/** When to announce unasked: `rounds` times from a trigger on, `intervalMs` apart; then every `refreshMs` unless it is 0. */
export interface Rounds {
  readonly rounds: number
  readonly intervalMs: number
  readonly refreshMs: number
}

interface Due {
  readonly at: number
  readonly left: number
}

/** Which items are to be announced when. Knows no clock: times are arguments. */
export class Schedule<Item> {
  readonly #rounds: Rounds
  /** Longest waiting first, as far as items fall due together. */
  readonly #due = new Map<Item, Due>()

  constructor(rounds: Rounds) {
    this.#rounds = rounds
  }

  /** The first round is due now, whatever was left of an earlier trigger. */
  trigger(item: Item, now: number): void {
    this.#due.delete(item)
    this.#due.set(item, { at: now, left: this.#rounds.rounds })
  }

  cancel(item: Item): void {
    this.#due.delete(item)
  }

  /** Takes up to `limit` items whose time has come; each is due again as the rounds say. */
  take(now: number, limit: number): Item[] {
    const taken: Item[] = []
    for (const [item, { at }] of this.#due) {
      if (taken.length === limit) break
      if (at <= now) taken.push(item)
    }
    const { intervalMs, refreshMs } = this.#rounds
    for (const item of taken) {
      const { at, left } = this.#due.get(item) as Due
      this.#due.delete(item)
      // Counted from when it was due, so that pacing does not add up; but never two rounds at once after a long sleep.
      if (left > 1) this.#due.set(item, { at: Math.max(at, now - intervalMs) + intervalMs, left: left - 1 })
      else if (refreshMs > 0) this.#due.set(item, { at: Math.max(at, now - refreshMs) + refreshMs, left: 1 })
    }
    return taken
  }

  /** When the next item is due; undefined when none ever is. */
  next(): number | undefined {
    let first: number | undefined
    for (const { at } of this.#due.values()) if (first === undefined || at < first) first = at
    return first
  }
}
