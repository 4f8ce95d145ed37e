import type { Node } from '../resources/index.ts'
import type { LabelMap } from './config.ts'
import { type CompiledSelector, excludeEachOther, matchesAny } from './selector.ts'

type Selectors = readonly CompiledSelector[]

/**
 * Tells whether lists of node selectors can select one node. Without any Node known (a host without Kubernetes) they can
 * unless the selectors themselves exclude each other.
 */
export class Nodes {
  readonly #labels: readonly LabelMap[]
  readonly #selected = new Map<Selectors, ReadonlySet<number>>()
  #consulted = false

  constructor(nodes: readonly Node[]) {
    this.#labels = nodes.map(node => node.metadata.labels)
  }

  /** True once an answer has depended on the nodes. */
  get consulted(): boolean {
    return this.#consulted
  }

  /** True when some node is selected by both lists; an empty list selects every node. */
  share(a: Selectors, b: Selectors): boolean {
    this.#consulted = true
    if (this.#labels.length === 0) {
      return a.length === 0 || b.length === 0 || a.some(one => b.some(other => !excludeEachOther(one, other)))
    }
    const [few, many] = [this.#select(a), this.#select(b)].sort((x, y) => x.size - y.size) as [
      ReadonlySet<number>,
      ReadonlySet<number>,
    ]
    for (const node of few) if (many.has(node)) return true
    return false
  }

  #select(selectors: Selectors): ReadonlySet<number> {
    const known = this.#selected.get(selectors)
    if (known) return known
    const selected = new Set<number>()
    for (const [i, labels] of this.#labels.entries()) if (matchesAny(selectors, labels)) selected.add(i)
    this.#selected.set(selectors, selected)
    return selected
  }
}
