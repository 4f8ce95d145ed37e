import { formatAddress, unmap } from '@carillon/core'
import type { MemberRecord } from './member-record.ts'

/** Everybody we know of, ourselves and the lately departed included. The order is the one in which members are probed. */
export class MemberTable {
  readonly #byName = new Map<string, MemberRecord>()
  #order: string[] = []

  get size(): number {
    return this.#byName.size
  }

  get(name: string): MemberRecord | undefined {
    return this.#byName.get(name)
  }

  /** In probing order. */
  at(index: number): MemberRecord | undefined {
    const name = this.#order[index]
    return name === undefined ? undefined : this.#byName.get(name)
  }

  all(): IterableIterator<MemberRecord> {
    return this.#byName.values()
  }

  /** A new one goes to a random place in the order. */
  set(record: MemberRecord, random: () => number): void {
    if (!this.#byName.has(record.name)) {
      this.#order.push(record.name)
      this.#swap(this.#order.length - 1, Math.floor(random() * this.#order.length))
    }
    this.#byName.set(record.name, record)
  }

  #swap(i: number, j: number): void {
    const [a, b] = [this.#order[i] as string, this.#order[j] as string]
    this.#order[i] = b
    this.#order[j] = a
  }

  shuffle(random: () => number): void {
    for (let i = this.#order.length - 1; i > 0; i--) this.#swap(i, Math.floor(random() * (i + 1)))
  }

  /** Forgets those that `gone` says. */
  reap(gone: (record: MemberRecord) => boolean): void {
    const before = this.#byName.size
    for (const record of [...this.#byName.values()]) if (gone(record)) this.#byName.delete(record.name)
    if (this.#byName.size !== before) this.#order = this.#order.filter(name => this.#byName.has(name))
  }

  /** Up to `count` different members that `suits` says, at random. */
  sample(
    count: number,
    random: () => number,
    suits: (record: MemberRecord) => boolean,
  ): readonly MemberRecord[] {
    const found: MemberRecord[] = []
    const size = this.#order.length
    if (size === 0) return found
    // Large tables: draw a few times before looking at everybody.
    if (size > 64) {
      for (let draw = 0; draw < 3 * count + 8 && found.length < count; draw++) {
        const record = this.at(Math.floor(random() * size))
        if (record && !found.includes(record) && suits(record)) found.push(record)
      }
      if (found.length === count) return found
    }
    const rest = [...this.#byName.values()].filter(record => !found.includes(record) && suits(record))
    while (found.length < count && rest.length > 0) {
      const at = Math.floor(random() * rest.length)
      found.push(rest[at] as MemberRecord)
      rest[at] = rest.at(-1) as MemberRecord
      rest.pop()
    }
    return found
  }
}

/** An address as text, for maps. */
export const addressText = (addr: Uint8Array): string =>
  addr.length === 4 || addr.length === 16 ? formatAddress(unmap(addr)) : ''
