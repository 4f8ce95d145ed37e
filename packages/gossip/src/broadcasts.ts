/** Something that is to be passed on. */
interface Item {
  readonly key: string
  readonly bytes: Uint8Array
  readonly order: number
  transmits: number
  /** To whom it was sent, as often as it was. */
  readonly sentTo: string[]
  readonly done: (() => void) | undefined
}

/** How often news is passed on in a cluster of `n` known members. */
export const transmitLimit = (retransmitMult: number, n: number): number =>
  retransmitMult * Math.ceil(Math.log10(n + 1))

/** What one call of `take` gives at most: with the message that carries it they make a compound of 255 parts, and no more fit into one. */
export const mostTaken = 254

/** Where `value` belongs in a list that is in order of what `of` says. */
function place<T>(list: readonly T[], value: number, of: (one: T) => number): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (of(list[middle] as T) < value) low = middle + 1
    else high = middle
  }
  return low
}

function times(list: readonly string[], value: string): number {
  let count = 0
  for (const one of list) if (one === value) count++
  return count
}

const orderOf = ({ order }: Item): number => order
const lengthOf = ({ length }: Shelf): number => length

/** Items of one length, the newest last. */
interface Shelf {
  readonly length: number
  readonly items: Item[]
}

/** Items that were sent equally often: shelves in order of length, the longest last. */
class Bucket {
  readonly shelves: Shelf[] = []

  add(item: Item): void {
    const { length } = item.bytes
    const at = place(this.shelves, length, lengthOf)
    let shelf = this.shelves[at]
    if (shelf?.length !== length) {
      shelf = { length, items: [] }
      this.shelves.splice(at, 0, shelf)
    }
    shelf.items.splice(place(shelf.items, item.order, orderOf), 0, item)
  }

  remove(item: Item): void {
    const at = place(this.shelves, item.bytes.length, lengthOf)
    const { items } = this.shelves[at] as Shelf
    items.splice(place(items, item.order, orderOf), 1)
    if (items.length === 0) this.shelves.splice(at, 1)
  }

  get oldest(): Item | undefined {
    let oldest: Item | undefined
    for (const { items } of this.shelves) {
      const [first] = items
      if (first && (!oldest || first.order < oldest.order)) oldest = first
    }
    return oldest
  }
}

/** What waits to be passed on with other packets, the least often sent first. News about a subject replaces older news about it. */
export class Broadcasts {
  readonly #items = new Map<string, Item>()
  /** By how often their items were sent. */
  readonly #buckets: Bucket[] = []
  readonly #capacity: number
  #order = 0

  /** @param capacity when there are more, those that were sent most often make room */
  constructor(capacity = 8192) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#items.size
  }

  /** `done`: once it has been sent often enough, or was replaced. `transmits`: how often others may have sent it already. */
  queue(key: string, bytes: Uint8Array, done?: () => void, transmits = 0): void {
    const old = this.#items.get(key)
    if (old) this.#remove(old)
    const item: Item = { key, bytes, order: this.#order++, transmits, sentTo: [], done }
    this.#items.set(key, item)
    this.#bucket(transmits).add(item)
    if (this.#items.size > this.#capacity) this.#drop()
    old?.done?.()
  }

  #bucket(transmits: number): Bucket {
    while (this.#buckets.length <= transmits) this.#buckets.push(new Bucket())
    return this.#buckets[transmits] as Bucket
  }

  #drop(): void {
    const worst = this.#buckets.findLast(bucket => bucket.shelves.length > 0)?.oldest
    if (worst) this.#finish(worst)
  }

  #remove(item: Item): void {
    this.#items.delete(item.key)
    this.#bucket(item.transmits).remove(item)
  }

  #finish(item: Item): void {
    this.#remove(item)
    item.done?.()
  }

  /** Forgets what `unwanted` says. */
  forget(unwanted: (key: string, bytes: Uint8Array) => boolean): void {
    for (const item of [...this.#items.values()]) if (unwanted(item.key, item.bytes)) this.#finish(item)
  }

  /**
   * What fits into `room` bytes, each costing `overhead` more; counts it as sent once, and forgets what was then sent `limit` times. Of
   * those sent equally often the longest that fits goes first, of these the newest. At most `mostTaken`.
   *
   * @param to who gets it; nothing that was sent there `share` times: two who talk a lot would tell each other all there is, and nobody else
   */
  take(
    room: number,
    overhead: number,
    limit: number,
    to?: string,
    share: number = limit,
  ): readonly Uint8Array[] {
    const taken: Item[] = []
    let left = room - overhead
    for (const { shelves } of this.#buckets) {
      for (let at = shelves.length - 1; at >= 0; at--) {
        const { length, items } = shelves[at] as Shelf
        for (let i = items.length - 1; i >= 0 && length <= left && taken.length < mostTaken; i--) {
          const item = items[i] as Item
          if (to !== undefined && times(item.sentTo, to) >= share) continue
          taken.push(item)
          left -= length + overhead
        }
      }
    }
    for (const item of taken) {
      if (to !== undefined) item.sentTo.push(to)
      this.#count(item, limit)
    }
    return taken.map(({ bytes }) => bytes)
  }

  #count(item: Item, limit: number): void {
    // Who was told that another item is done may have replaced this one.
    if (this.#items.get(item.key) !== item) return
    this.#bucket(item.transmits).remove(item)
    item.transmits++
    this.#bucket(item.transmits).add(item)
    if (item.transmits >= limit) this.#finish(item)
  }
}
