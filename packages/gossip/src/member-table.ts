import { living, type MemberRecord } from './member-record.ts'
import { addressText, sameBytes } from './node-address.ts'
import { shuffle, swap } from './shuffle.ts'

/** Everybody we know of, ourselves and the lately departed included. The order is the one in which members are probed. */
export class MemberTable {
  readonly #byName = new Map<string, MemberRecord>()
  /** Names by address: several ports may have one each, and a node that came back under another name shares it with what it was. */
  readonly #byAddress = new Map<string, readonly string[]>()
  /** Names of those that do not count as living. */
  readonly #gone = new Set<string>()
  #order: string[] = []
  /** Those whose turn is still to come. */
  #turns: string[] = []

  get size(): number {
    return this.#byName.size
  }

  /** How many count as living. */
  get living(): number {
    return this.#byName.size - this.#gone.size
  }

  get(name: string): MemberRecord | undefined {
    return this.#byName.get(name)
  }

  /** Who is at an address, of several one that lives; undefined for strangers. */
  atAddress(address: string, port: number): MemberRecord | undefined {
    let found: MemberRecord | undefined
    for (const name of this.#byAddress.get(address) ?? []) {
      const record = this.#byName.get(name)
      if (record?.port !== port) continue
      if (living(record)) return record
      found ??= record
    }
    return found
  }

  /** In probing order. */
  at(index: number): MemberRecord | undefined {
    const name = this.#order[index]
    return name === undefined ? undefined : this.#byName.get(name)
  }

  all(): IterableIterator<MemberRecord> {
    return this.#byName.values()
  }

  /** Those that do not count as living. */
  gone(): readonly MemberRecord[] {
    return this.#gone.size === 0 ? [] : [...this.#gone].map(name => this.#byName.get(name) as MemberRecord)
  }

  /** A new one goes to a random place in the order, and has a turn before anybody has another. */
  set(record: MemberRecord, random: () => number): void {
    const old = this.#byName.get(record.name)
    if (!old) {
      insert(this.#order, record.name, random)
      if (this.#turns.length > 0) insert(this.#turns, record.name, random)
    }
    this.#byName.set(record.name, record)
    if (living(record)) this.#gone.delete(record.name)
    else this.#gone.add(record.name)
    if (old && sameBytes(old.addr, record.addr)) return
    if (old) this.#unindex(old)
    const key = addressText(record.addr)
    this.#byAddress.set(key, [...(this.#byAddress.get(key) ?? []), record.name])
  }

  #unindex(record: MemberRecord): void {
    const key = addressText(record.addr)
    const rest = (this.#byAddress.get(key) ?? []).filter(name => name !== record.name)
    if (rest.length > 0) this.#byAddress.set(key, rest)
    else this.#byAddress.delete(key)
  }

  shuffle(random: () => number): void {
    shuffle(this.#order, random)
  }

  /** Forgets those that `gone` says. */
  reap(gone: (record: MemberRecord) => boolean): void {
    const before = this.#byName.size
    for (const record of [...this.#byName.values()]) {
      if (!gone(record)) continue
      this.#byName.delete(record.name)
      this.#gone.delete(record.name)
      this.#unindex(record)
    }
    if (this.#byName.size !== before) this.#order = this.#order.filter(name => this.#byName.has(name))
  }

  /** Up to `count` different members that `suits` says, in turns: in random order, and everybody once before anybody again. */
  inTurn(
    count: number,
    random: () => number,
    suits: (record: MemberRecord) => boolean,
  ): readonly MemberRecord[] {
    const found: MemberRecord[] = []
    for (let looked = 0; looked < 2 * this.size && found.length < count; looked++) {
      if (this.#turns.length === 0) this.#turns = shuffle([...this.#byName.keys()], random)
      const record = this.#byName.get(this.#turns.pop() as string)
      if (record && suits(record) && !found.includes(record)) found.push(record)
    }
    return found
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

/** Puts a name to a random place, and what was there to the end. */
function insert(names: string[], name: string, random: () => number): void {
  names.push(name)
  swap(names, names.length - 1, Math.floor(random() * names.length))
}
