import { type Advertisement, differences } from '@carillon/core'

/** What became of a Service between two lists. */
export interface AnnouncedChange {
  /** What it is announced by now; empty: it is not announced any more. */
  readonly by: ReadonlySet<Advertisement>
  /** It was not announced before. */
  readonly fresh: boolean
}

const nothing: ReadonlySet<Advertisement> = new Set()

/** The Services behind a list of advertisements, kept up to date by what changes in the list. */
export class AnnouncedServices {
  #list: readonly Advertisement[] = []
  readonly #byKey = new Map<string, Set<Advertisement>>()

  /** Takes the next list, in which what did not change is the same object as before; gives what changed, by `namespace/name`. */
  follow(list: readonly Advertisement[]): ReadonlyMap<string, AnnouncedChange> {
    const { out, into } = differences(this.#list, list)
    this.#list = list
    const fresh = new Map<string, boolean>()
    for (const one of out)
      for (const key of one.services) {
        fresh.set(key, false)
        this.#byKey.get(key)?.delete(one)
      }
    for (const one of into)
      for (const key of one.services) {
        const known = this.#byKey.get(key)
        if (!fresh.has(key)) fresh.set(key, known === undefined)
        if (known) known.add(one)
        else this.#byKey.set(key, new Set([one]))
      }
    const changes = new Map<string, AnnouncedChange>()
    for (const [key, isFresh] of fresh) {
      const by = this.#byKey.get(key) ?? nothing
      if (by.size === 0) this.#byKey.delete(key)
      changes.set(key, { by, fresh: isFresh })
    }
    return changes
  }

  /** What is announced by this list, of an address. */
  behind(address: string): readonly Advertisement[] {
    return this.#list.filter(one => one.address === address)
  }
}
