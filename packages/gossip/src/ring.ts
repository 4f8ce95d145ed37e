import { createHash } from 'node:crypto'

const positions = new Map<string, number>()

/** Where a name stands on the ring. */
function positionOf(name: string): number {
  let at = positions.get(name)
  if (at === undefined) {
    at = createHash('sha256').update(name).digest().readUInt32BE(0)
    if (positions.size > 20_000) positions.clear()
    positions.set(name, at)
  }
  return at
}

interface Place {
  readonly name: string
  readonly position: number
  readonly watches: boolean
}

/**
 * Who watches whom: each member is watched by the next `count` watchers behind it on a ring of hashed names. Everybody who knows the same
 * members finds the same, and a watcher has about `count` members to watch, however many there are.
 */
export class Ring {
  /** In order of position. */
  readonly #places: Place[] = []
  readonly #count: number

  constructor(count: number) {
    this.#count = count
  }

  get size(): number {
    return this.#places.length
  }

  /** Enters a member, or changes whether it watches. */
  set(name: string, watches: boolean): void {
    const at = this.#indexOf(name)
    this.#places.splice(at, this.#has(name, at) ? 1 : 0, { name, position: positionOf(name), watches })
  }

  delete(name: string): void {
    const at = this.#indexOf(name)
    if (this.#has(name, at)) this.#places.splice(at, 1)
  }

  /** Who watches a member, or would if it were one; nearest first. */
  watchersOf(name: string): readonly string[] {
    const found: string[] = []
    for (const place of this.#walk(name, 1)) {
      if (place.watches) found.push(place.name)
      if (found.length === this.#count) break
    }
    return found
  }

  /** Whom a watcher has to watch; those first whose first watcher it is. */
  watchedBy(name: string): readonly string[] {
    const found: string[] = []
    let nearer = 0
    for (const place of this.#walk(name, -1)) {
      found.push(place.name)
      if (place.watches) nearer++
      if (nearer === this.#count) break
    }
    return found
  }

  /** Everybody else once, from that name on, forwards or backwards. */
  *#walk(name: string, step: 1 | -1): Generator<Place> {
    const all = this.#places
    const at = this.#indexOf(name)
    const there = this.#has(name, at)
    const first = step < 0 ? at - 1 : there ? at + 1 : at
    const others = there ? all.length - 1 : all.length
    for (let i = 0; i < others; i++) yield all[(first + i * step + 2 * all.length) % all.length] as Place
  }

  #has(name: string, at: number): boolean {
    return this.#places[at]?.name === name
  }

  /** Where the name is, or belongs. */
  #indexOf(name: string): number {
    const position = positionOf(name)
    let low = 0
    let high = this.#places.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const place = this.#places[middle] as Place
      const before = place.position < position || (place.position === position && place.name < name)
      if (before) low = middle + 1
      else high = middle
    }
    return low
  }
}
