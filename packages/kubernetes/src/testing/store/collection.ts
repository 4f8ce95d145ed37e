import type { KubeObject } from '../api/object.ts'
import type { Change } from './change.ts'
import { keyOf, Stored } from './stored.ts'

/** Gives out the revisions of a store: every write of any collection takes the next. */
export interface Revisions {
  readonly current: number
  next(): number
}

/** Thrown when history that is gone is asked for. */
export class Compacted extends Error {
  override readonly name = 'Compacted'
  readonly oldest: number

  constructor(oldest: number) {
    super(`the history before revision ${oldest} is gone`)
    this.oldest = oldest
  }
}

/** The objects of one resource, in the order of their keys, with their history. */
export class Collection {
  readonly #revisions: Revisions
  readonly #history: number
  readonly #byKey = new Map<string, Stored>()
  readonly #byNamespace = new Map<string, Map<string, Stored>>()
  readonly #order = new Map<string | undefined, readonly string[]>()
  readonly #listeners = new Set<(change: Change) => void>()
  #log: Change[] = []
  #oldest: number

  /** `history`: how many changes are kept at least for those who watch from an older revision; `oldest`: the first to watch from. */
  constructor(revisions: Revisions, history: number, oldest: number) {
    this.#revisions = revisions
    this.#history = history
    this.#oldest = oldest
  }

  get size(): number {
    return this.#byKey.size
  }

  get(namespace: string | undefined, name: string): Stored | undefined {
    return this.#byKey.get(keyOf(namespace, name))
  }

  /** All objects, or those of one namespace, by key. */
  list(namespace?: string): Stored[] {
    const map = namespace === undefined ? this.#byKey : this.#byNamespace.get(namespace)
    if (map === undefined) return []
    let order = this.#order.get(namespace)
    if (order === undefined) {
      order = [...map.keys()].sort()
      this.#order.set(namespace, order)
    }
    return order.map(key => map.get(key) as Stored)
  }

  /** As `list`, as it was at a revision. @throws Compacted */
  listAt(revision: number, namespace?: string): Stored[] {
    if (revision < this.#oldest) throw new Compacted(this.#oldest)
    if (revision >= (this.#log.at(-1)?.revision ?? 0)) return this.list(namespace)
    const then = new Map<string, Stored | undefined>()
    for (let index = this.#log.length - 1; index >= 0; index--) {
      const change = this.#log[index] as Change
      if (change.revision <= revision) break
      then.set(change.current.key, change.previous)
    }
    const map = new Map<string, Stored>()
    for (const stored of this.list(namespace)) map.set(stored.key, stored)
    for (const [key, stored] of then) {
      if (namespace !== undefined && !key.startsWith(`${namespace}/`)) continue
      if (stored === undefined) map.delete(key)
      else map.set(key, stored)
    }
    return [...map.keys()].sort().map(key => map.get(key) as Stored)
  }

  /** Keeps an object, as a new one or in the place of the one with its key. */
  put(object: KubeObject): Stored {
    const { namespace, name = '' } = object.metadata
    const key = keyOf(namespace, name)
    const previous = this.#byKey.get(key)
    const current = this.#stamp(object)
    this.#byKey.set(key, current)
    let inNamespace = this.#byNamespace.get(namespace ?? '')
    if (inNamespace === undefined) {
      inNamespace = new Map()
      this.#byNamespace.set(namespace ?? '', inNamespace)
    }
    inNamespace.set(key, current)
    if (previous === undefined) this.#forgetOrder(namespace)
    this.#record(
      previous === undefined
        ? { type: 'ADDED', revision: current.revision, current }
        : { type: 'MODIFIED', revision: current.revision, current, previous },
    )
    return current
  }

  /** Removes an object; what is given back is its last state at the revision of the removal. */
  remove(stored: Stored, last: KubeObject = stored.object): Stored {
    const { namespace } = stored.object.metadata
    const current = this.#stamp(last)
    this.#byKey.delete(stored.key)
    this.#byNamespace.get(namespace ?? '')?.delete(stored.key)
    this.#forgetOrder(namespace)
    this.#record({ type: 'DELETED', revision: current.revision, current, previous: stored })
    return current
  }

  /** Calls back for every change from now on; the returned function ends that. */
  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** What happened after a revision. @throws Compacted */
  since(revision: number): readonly Change[] {
    if (revision < this.#oldest) throw new Compacted(this.#oldest)
    let from = this.#log.length
    while (from > 0 && (this.#log[from - 1] as Change).revision > revision) from--
    return this.#log.slice(from)
  }

  /** Forgets how things were before a revision. */
  compact(revision: number): void {
    this.#log = this.#log.filter(change => change.revision > revision)
    this.#oldest = Math.max(this.#oldest, revision)
  }

  #stamp(object: KubeObject): Stored {
    const revision = this.#revisions.next()
    const metadata = { ...object.metadata, resourceVersion: String(revision) }
    return new Stored({ ...object, metadata }, revision)
  }

  #forgetOrder(namespace: string | undefined): void {
    this.#order.delete(undefined)
    this.#order.delete(namespace ?? '')
  }

  #record(change: Change): void {
    this.#log.push(change)
    if (this.#log.length > this.#history * 2) {
      const gone = this.#log.splice(0, this.#log.length - this.#history)
      this.#oldest = gone.at(-1)?.revision ?? this.#oldest
    }
    for (const listener of [...this.#listeners]) listener(change)
  }
}
