import { createHash } from 'node:crypto'

const positions = new Map<string, number>()

/** Where a name stands on the ring. */
function position(name: string): number {
  let at = positions.get(name)
  if (at === undefined) {
    at = createHash('sha256').update(name).digest().readUInt32BE(0)
    if (positions.size > 20_000) positions.clear()
    positions.set(name, at)
  }
  return at
}

const order = (a: string, b: string): number => position(a) - position(b) || (a < b ? -1 : a > b ? 1 : 0)

/**
 * Who watches whom: each member is watched by the next `count` watchers behind it on a ring of hashed names. Everybody who knows the same
 * members finds the same, and a watcher has about `count` members to watch, however many there are.
 */
export class Ring {
  readonly #watchers: readonly string[]
  readonly #count: number

  /** @param watchers names of the members that watch */
  constructor(watchers: Iterable<string>, count: number) {
    this.#watchers = [...watchers].sort(order)
    this.#count = count
  }

  /** Who watches a member, nearest first. */
  watchersOf(name: string): readonly string[] {
    const all = this.#watchers
    let low = 0
    let high = all.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (order(all[middle] as string, name) <= 0) low = middle + 1
      else high = middle
    }
    const found: string[] = []
    for (let step = 0; step < all.length && found.length < this.#count; step++) {
      const one = all[(low + step) % all.length] as string
      if (one !== name) found.push(one)
    }
    return found
  }
}
