/** Something to be done at a moment. */
export interface Moment {
  readonly at: number
  readonly run: () => void
}

interface Entry extends Moment {
  readonly order: number
  state: 'planned' | 'cancelled' | 'taken'
}

const before = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

/**
 * What is to be done, in order of time, and in order of planning within one instant. It runs nothing by itself: its owner takes
 * what is due. Planning, cancelling and taking cost O(log n).
 */
export class Timeline {
  #heap: Entry[] = []
  #order = 0
  #cancelled = 0

  /** How much is planned and not cancelled. */
  get size(): number {
    return this.#heap.length - this.#cancelled
  }

  /** The time of the first; undefined when nothing is planned. */
  get next(): number | undefined {
    return this.#first()?.at
  }

  /** The returned function cancels it, and does nothing once it was taken. */
  plan(at: number, run: () => void): () => void {
    const entry: Entry = { at, run, order: this.#order++, state: 'planned' }
    this.#heap.push(entry)
    this.#rise(this.#heap.length - 1)
    return () => {
      if (entry.state !== 'planned') return
      entry.state = 'cancelled'
      this.#cancelled++
      if (this.#cancelled > 64 && 2 * this.#cancelled > this.#heap.length) this.#compact()
    }
  }

  /** Takes the first of what is planned for `until` or earlier. */
  take(until: number): Moment | undefined {
    const first = this.#first()
    if (first === undefined || first.at > until) return undefined
    this.#remove()
    first.state = 'taken'
    return first
  }

  /** The first that is not cancelled; those before it are dropped. */
  #first(): Entry | undefined {
    for (;;) {
      const first = this.#heap[0]
      if (first?.state !== 'cancelled') return first
      this.#remove()
      this.#cancelled--
    }
  }

  #remove(): void {
    const last = this.#heap.pop() as Entry
    if (this.#heap.length === 0) return
    this.#heap[0] = last
    this.#sink(0)
  }

  #compact(): void {
    // A sorted array is a heap.
    this.#heap = this.#heap.filter(one => one.state === 'planned').sort((a, b) => (before(a, b) ? -1 : 1))
    this.#cancelled = 0
  }

  #rise(index: number): void {
    const entry = this.#heap[index] as Entry
    let at = index
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = this.#heap[parent] as Entry
      if (!before(entry, above)) break
      this.#heap[at] = above
      at = parent
    }
    this.#heap[at] = entry
  }

  #sink(index: number): void {
    const heap = this.#heap
    const entry = heap[index] as Entry
    let at = index
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1] as Entry, heap[child] as Entry)) child++
      const below = heap[child] as Entry
      if (!before(below, entry)) break
      heap[at] = below
      at = child
    }
    heap[at] = entry
  }
}
