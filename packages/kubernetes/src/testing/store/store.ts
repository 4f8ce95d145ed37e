import { Collection, type Revisions } from './collection.ts'

/** Everything that is kept, by resource. One counter of revisions runs through all of it, as in etcd. */
export class Store {
  readonly #collections = new Map<string, Collection>()
  readonly #history: number
  #compacted = 0
  readonly #revisions: Revisions & { current: number } = {
    current: 1,
    next() {
      this.current++
      return this.current
    },
  }

  /** `history`: how many changes of each resource are kept for those who watch from an older revision. */
  constructor(history: number) {
    this.#history = history
  }

  /** The revision of the last write. */
  get revision(): number {
    return this.#revisions.current
  }

  /** The objects of a resource, named as `plural.group`. */
  collection(resource: string): Collection {
    let found = this.#collections.get(resource)
    if (found === undefined) {
      found = new Collection(this.#revisions, this.#history, this.#compacted)
      this.#collections.set(resource, found)
    }
    return found
  }

  collections(): IterableIterator<[string, Collection]> {
    return this.#collections.entries()
  }

  /** Forgets how things were before a revision: who resumes from there gets 410. */
  compact(revision: number = this.revision): void {
    this.#compacted = Math.max(this.#compacted, revision)
    for (const collection of this.#collections.values()) collection.compact(revision)
  }
}
