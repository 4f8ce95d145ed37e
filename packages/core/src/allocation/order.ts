import type { Claimant, Step } from './claimant.ts'

const text = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** By namespace, then by name. */
export const byName = (
  a: Pick<Claimant, 'namespace' | 'name'>,
  b: Pick<Claimant, 'namespace' | 'name'>,
): number => text(a.namespace, b.namespace) || text(a.name, b.name)

const byRank = (a: Step, b: Step): number => a.rank - b.rank || byName(a.claimant, b.claimant)

/** So many steps at once that going through all of them costs less than a search for each. */
const many = (changes: number, all: number): boolean => changes * Math.log2(all + 2) > all

/** All steps in the order in which they run. Each knows its place in it. */
export class Order {
  #steps: Step[] = []

  get steps(): readonly Step[] {
    return this.#steps
  }

  /** Takes steps out, then puts steps in; a step with a new rank is both. */
  change(out: readonly Step[], into: readonly Step[]): void {
    if (out.length + into.length === 0) return
    let from = this.#steps.length
    if (many(out.length, this.#steps.length)) {
      const gone = new Set(out)
      this.#steps = this.#steps.filter(step => !gone.has(step))
      from = 0
    } else {
      // From the back, so that the places of the others still hold.
      for (const step of [...out].sort((a, b) => b.index - a.index)) {
        this.#steps.splice(step.index, 1)
        from = Math.min(from, step.index)
      }
    }
    if (many(into.length, this.#steps.length)) {
      this.#steps = merge(this.#steps, into.toSorted(byRank))
      from = 0
    } else {
      for (const step of into) {
        const at = this.#placeOf(step)
        this.#steps.splice(at, 0, step)
        from = Math.min(from, at)
      }
    }
    for (let i = from; i < this.#steps.length; i++) (this.#steps[i] as Step).index = i
  }

  #placeOf(step: Step): number {
    let low = 0
    let high = this.#steps.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (byRank(this.#steps[middle] as Step, step) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** Two lists that are in order, as one. */
function merge(a: readonly Step[], b: readonly Step[]): Step[] {
  const merged: Step[] = []
  let i = 0
  for (const step of b) {
    for (; i < a.length && byRank(a[i] as Step, step) <= 0; i++) merged.push(a[i] as Step)
    merged.push(step)
  }
  for (; i < a.length; i++) merged.push(a[i] as Step)
  return merged
}
