/**
 * A set of whole numbers kept as runs. Numbers that follow one another cost one run together, so ten thousand addresses
 * handed out from the start of a pool are a single entry, and the first free one is found without a walk.
 */
export class IntervalSet {
  /** First number of each run, ascending; runs never touch. */
  readonly #starts: number[] = []
  /** The number after the last one of each run. */
  readonly #ends: number[] = []

  /** Index of the last run that starts at or before `x`; -1 when there is none. */
  #runAt(x: number): number {
    let low = 0
    let high = this.#starts.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#starts[middle] as number) <= x) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  /** Adds `x`; nothing happens when it is there. */
  add(x: number): void {
    const run = this.#runAt(x)
    const end = this.#ends[run]
    if (end !== undefined && x < end) return
    const touchesLeft = end === x
    const touchesRight = this.#starts[run + 1] === x + 1
    if (touchesLeft && touchesRight) {
      this.#ends[run] = this.#ends[run + 1] as number
      this.#starts.splice(run + 1, 1)
      this.#ends.splice(run + 1, 1)
    } else if (touchesLeft) this.#ends[run] = x + 1
    else if (touchesRight) this.#starts[run + 1] = x
    else {
      this.#starts.splice(run + 1, 0, x)
      this.#ends.splice(run + 1, 0, x + 1)
    }
  }

  /** Removes `x`; nothing happens when it is not there. */
  delete(x: number): void {
    const run = this.#runAt(x)
    const start = this.#starts[run]
    const end = this.#ends[run]
    if (start === undefined || end === undefined || x >= end) return
    if (start === x && end === x + 1) {
      this.#starts.splice(run, 1)
      this.#ends.splice(run, 1)
    } else if (start === x) this.#starts[run] = x + 1
    else if (end === x + 1) this.#ends[run] = x
    else {
      this.#starts.splice(run + 1, 0, x + 1)
      this.#ends.splice(run, 0, x)
    }
  }

  /** The smallest number that is not in the set and not below `x`. */
  nextFree(x: number): number {
    const end = this.#ends[this.#runAt(x)]
    return end !== undefined && x < end ? end : x
  }

  /** The smallest number that is in the set and not below `x`; Infinity when there is none. */
  nextUsed(x: number): number {
    const run = this.#runAt(x)
    const end = this.#ends[run]
    if (end !== undefined && x < end) return x
    return this.#starts[run + 1] ?? Number.POSITIVE_INFINITY
  }
}
