const nobody: ReadonlySet<string> = new Set()

/**
 * Keeps a node that has just (re)joined from being elected for a while, so that an address does not go back and forth with a node that
 * comes and goes. Every node that has been there longer finds the same: those that were members when it looked first, and itself, are
 * established; a node that comes to others holds itself down.
 */
export class HoldDown {
  readonly #self: string
  readonly #ms: number
  /** Since when a member is one; -Infinity: since before we looked. */
  readonly #since = new Map<string, number>()
  #met = false

  /** @param ms how long a newcomer is held; 0: not at all */
  constructor(self: string, ms: number) {
    this.#self = self
    this.#ms = ms
  }

  /**
   * The members that may not be elected yet, and in how many milliseconds there may be fewer of them (undefined: never, as things are).
   * Where all are newcomers, all may.
   */
  look(
    alive: ReadonlySet<string>,
    now: number,
  ): { readonly held: ReadonlySet<string>; readonly againMs: number | undefined } {
    if (this.#ms === 0) return { held: nobody, againMs: undefined }
    const others = alive.size > (alive.has(this.#self) ? 1 : 0)
    if (!this.#met && others) {
      // The first company: to them it is we who are new.
      this.#met = true
      for (const name of alive) this.#since.set(name, name === this.#self ? now : Number.NEGATIVE_INFINITY)
    }
    for (const name of this.#since.keys()) if (!alive.has(name)) this.#since.delete(name)
    for (const name of alive)
      if (!this.#since.has(name)) this.#since.set(name, this.#met ? now : Number.NEGATIVE_INFINITY)
    const waiting = new Map<string, number>()
    for (const name of alive) {
      const leftMs = (this.#since.get(name) ?? now) + this.#ms - now
      if (leftMs > 0) waiting.set(name, leftMs)
    }
    const againMs = waiting.size > 0 ? Math.min(...waiting.values()) : undefined
    return { held: waiting.size < alive.size ? new Set(waiting.keys()) : nobody, againMs }
  }
}
