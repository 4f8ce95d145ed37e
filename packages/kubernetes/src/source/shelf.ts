import { type Problem, parseResource, type Resource } from '@carillon/core'
import { apiVersionOf, type WatchEvent } from '../client/index.ts'
import type { Store } from './follower.ts'
import { sameValue } from './same-value.ts'
import { Trimmer } from './trimmer.ts'
import type { WatchedKind } from './watched-kind.ts'

/** One object, in the last version that could be understood. */
interface Entry {
  readonly key: string
  readonly resource: Resource | undefined
  readonly problems: readonly Problem[]
  version: string
  /** Where it stands among the items; -1 where it does not. */
  index: number
}

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const noProblems: readonly Problem[] = []

const byKey = (a: Entry, b: Entry): number => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)

/** Where an object is, by `namespace/name`, or by its name where it has no namespace; and its version. */
function identify(object: unknown): { readonly key: string; readonly version: string } | undefined {
  if (!isFields(object) || !isFields(object.metadata)) return undefined
  const { name, namespace, resourceVersion } = object.metadata
  if (typeof name !== 'string' || name === '') return undefined
  const key = typeof namespace === 'string' && namespace !== '' ? `${namespace}/${name}` : name
  return { key, version: typeof resourceVersion === 'string' ? resourceVersion : '' }
}

/**
 * The objects of one kind, as far as they are read: by name, in the order of their names. What says the same as before is the same
 * object as before, whatever else about it has changed; the list itself is the same while nothing in it has changed.
 */
export class Shelf implements Store {
  readonly #kind: WatchedKind
  readonly #entries = new Map<string, Entry>()
  readonly #trimmer = new Trimmer()
  readonly #byResource = new WeakMap<Resource, Entry>()
  #staged: Map<string, Entry> | undefined
  #items: readonly Resource[] = []
  #problems: readonly Problem[] = noProblems
  /** Objects came, went, or are a problem: the lists have to be made anew. */
  #reordered = false
  /** Entries that took the place of others. */
  #replaced: Entry[] = []

  constructor(kind: WatchedKind) {
    this.#kind = kind
  }

  /** How many objects there are. */
  get size(): number {
    return this.#entries.size
  }

  /** A whole list follows, in pages. Until it is committed, nothing changes. */
  begin(): void {
    this.#staged = new Map()
  }

  /** Takes a page of the list. */
  stage(objects: readonly unknown[]): void {
    const staged = this.#staged ?? new Map<string, Entry>()
    this.#staged = staged
    for (const object of objects) {
      const id = identify(object)
      if (!id) continue
      const known = staged.get(id.key) ?? this.#entries.get(id.key)
      staged.set(id.key, this.#read(object, id.key, id.version, known))
    }
  }

  /** The list is whole: it is all there is. Gives how many objects are not as they were. */
  commit(): number {
    const staged = this.#staged ?? new Map<string, Entry>()
    this.#staged = undefined
    let changed = 0
    for (const key of this.#entries.keys()) if (!staged.has(key) && this.#remove(key)) changed++
    for (const [key, entry] of staged) if (this.#put(key, entry)) changed++
    return changed
  }

  /** Takes changes that a watch tells of. Gives how many mean something. */
  apply(events: readonly WatchEvent[]): number {
    let changed = 0
    for (const { type, object } of events) {
      if (type === 'BOOKMARK') continue
      const id = identify(object)
      if (!id) continue
      if (type === 'DELETED') {
        if (this.#remove(id.key)) changed++
      } else if (this.#put(id.key, this.#read(object, id.key, id.version, this.#entries.get(id.key))))
        changed++
    }
    return changed
  }

  /** The last version in which the object still said just this; undefined for one that never was here. */
  versionOf(resource: Resource): string | undefined {
    return this.#byResource.get(resource)?.version
  }

  /** In the order of their names. */
  items(): readonly Resource[] {
    this.#settle()
    return this.#items
  }

  /** What could not be understood. */
  problems(): readonly Problem[] {
    this.#settle()
    return this.#problems
  }

  #settle(): void {
    if (this.#reordered) this.#order()
    else if (this.#replaced.length > 0) {
      const items = [...this.#items]
      for (const { index, resource } of this.#replaced) items[index] = resource as Resource
      this.#items = items
    }
    this.#replaced = []
    this.#reordered = false
  }

  #order(): void {
    const entries = [...this.#entries.values()].sort(byKey)
    const items: Resource[] = []
    const problems: Problem[] = []
    for (const entry of entries) {
      entry.index = entry.resource ? items.push(entry.resource) - 1 : -1
      problems.push(...entry.problems)
    }
    this.#items = items
    if (!sameItems(problems, this.#problems)) this.#problems = problems
  }

  #put(key: string, entry: Entry): boolean {
    const before = this.#entries.get(key)
    if (before === entry) return false
    this.#entries.set(key, entry)
    const inPlace = before?.resource && entry.resource && before.problems === entry.problems
    if (before && inPlace && before.index >= 0) {
      entry.index = before.index
      this.#replaced.push(entry)
    } else this.#reordered = true
    return true
  }

  #remove(key: string): boolean {
    if (!this.#entries.delete(key)) return false
    this.#reordered = true
    return true
  }

  /** The entry for an object: the one before, where it says the same. */
  #read(object: unknown, key: string, version: string, known: Entry | undefined): Entry {
    if (known?.version === version && version !== '') return known
    const { type, own } = this.#kind
    const parsed = parseResource({ ...(object as object), apiVersion: apiVersionOf(type), kind: type.kind })
    const read = parsed?.resource && this.#trimmer.trim(parsed.resource)
    // An object of Kubernetes itself that is not understood must not hold up the configuration.
    const said = own && type.group !== '' ? parsed?.problems : soften(parsed?.problems)
    const problems = said && known && sameValue(said, known.problems) ? known.problems : (said ?? noProblems)
    // What was known of an object that is no longer understood stands.
    const resource = read && !sameValue(read, known?.resource) ? read : known?.resource
    if (known && resource === known.resource && problems === known.problems) {
      known.version = version
      return known
    }
    const entry = {
      key,
      resource,
      problems: problems.length === 0 ? noProblems : problems,
      version,
      index: -1,
    }
    if (resource) this.#byResource.set(resource, entry)
    return entry
  }
}

const sameItems = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((item, i) => item === b[i])

function soften(problems: readonly Problem[] = noProblems): readonly Problem[] {
  return problems.map(problem => ({ ...problem, severity: 'warning' as const }))
}
