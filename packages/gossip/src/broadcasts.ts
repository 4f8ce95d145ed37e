/** Something that is to be passed on. */
interface Item {
  readonly key: string
  readonly bytes: Uint8Array
  readonly order: number
  transmits: number
  readonly done: (() => void) | undefined
}

/** How often news is passed on in a cluster of `n` known members. */
export const transmitLimit = (retransmitMult: number, n: number): number =>
  retransmitMult * Math.ceil(Math.log10(n + 1))

/** What waits to be passed on with other packets, the least often sent first. News about a subject replaces older news about it. */
export class Broadcasts {
  readonly #items = new Map<string, Item>()
  readonly #capacity: number
  #order = 0

  /** @param capacity when there are more, those that were sent most often make room */
  constructor(capacity = 8192) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#items.size
  }

  /** `done`: once it has been sent often enough, or was replaced. */
  queue(key: string, bytes: Uint8Array, done?: () => void): void {
    this.#items.get(key)?.done?.()
    this.#items.delete(key)
    this.#items.set(key, { key, bytes, order: this.#order++, transmits: 0, done })
    if (this.#items.size > this.#capacity) this.#drop()
  }

  #drop(): void {
    let worst: Item | undefined
    for (const item of this.#items.values()) if (!worst || item.transmits > worst.transmits) worst = item
    if (worst) this.#finish(worst)
  }

  #finish(item: Item): void {
    this.#items.delete(item.key)
    item.done?.()
  }

  /** Forgets what `unwanted` says. */
  forget(unwanted: (key: string, bytes: Uint8Array) => boolean): void {
    for (const item of [...this.#items.values()]) if (unwanted(item.key, item.bytes)) this.#finish(item)
  }

  /** What fits into `room` bytes, each costing `overhead` more; counts it as sent once. */
  take(room: number, overhead: number, limit: number): readonly Uint8Array[] {
    if (this.#items.size === 0 || room <= overhead) return []
    const sorted = [...this.#items.values()].sort(
      (a, b) => a.transmits - b.transmits || b.bytes.length - a.bytes.length || b.order - a.order,
    )
    const taken: Uint8Array[] = []
    let left = room
    for (const item of sorted) {
      if (taken.length === 254) break
      const cost = item.bytes.length + overhead
      if (cost > left) continue
      left -= cost
      taken.push(item.bytes)
      item.transmits++
      if (item.transmits >= limit) this.#finish(item)
    }
    return taken
  }
}
