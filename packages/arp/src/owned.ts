import { type AddressBytes, parseAddress } from '@carillon/core'

/** An address that this node speaks for, with what was counted for it since the last flush. */
export class OwnedAddress {
  readonly text: string
  readonly bytes: AddressBytes
  /** Where it may be announced. */
  interfaces: 'all' | ReadonlySet<string>
  requests = 0
  responses = 0
  gratuitous = 0
  conflicts = 0
  /** Waits to be flushed. */
  counted = false

  constructor(text: string, interfaces: 'all' | ReadonlySet<string>) {
    this.text = text
    this.bytes = parseAddress(text)
    this.interfaces = interfaces
  }
}

interface Entry {
  readonly owned: OwnedAddress
  next: Entry | undefined
}

const lastWord = (bytes: Uint8Array, end: number): number =>
  ((bytes[end - 4] as number) << 24) |
  ((bytes[end - 3] as number) << 16) |
  ((bytes[end - 2] as number) << 8) |
  (bytes[end - 1] as number)

/**
 * The addresses answered for on one interface, found without making an object: by their last four bytes as a number (all of
 * an IPv4 address), then by comparison.
 */
export class AddressTable {
  readonly #entries = new Map<number, Entry>()
  #size = 0

  get size(): number {
    return this.#size
  }

  add(owned: OwnedAddress): void {
    const key = lastWord(owned.bytes, owned.bytes.length)
    this.#entries.set(key, { owned, next: this.#entries.get(key) })
    this.#size++
  }

  delete(owned: OwnedAddress): void {
    const key = lastWord(owned.bytes, owned.bytes.length)
    const rest: OwnedAddress[] = []
    for (let entry = this.#entries.get(key); entry; entry = entry.next) {
      if (entry.owned === owned) this.#size--
      else rest.push(entry.owned)
    }
    this.#entries.delete(key)
    for (const other of rest) this.#entries.set(key, { owned: other, next: this.#entries.get(key) })
  }

  /** The owned IPv4 address that stands at `at`. */
  find4(bytes: Uint8Array, at: number): OwnedAddress | undefined {
    return this.#entries.get(lastWord(bytes, at + 4))?.owned
  }

  /** The owned IPv6 address that stands at `at`. */
  find6(bytes: Uint8Array, at: number): OwnedAddress | undefined {
    for (let entry = this.#entries.get(lastWord(bytes, at + 16)); entry; entry = entry.next) {
      const wanted = entry.owned.bytes
      let i = 0
      while (i < 12 && wanted[i] === bytes[at + i]) i++
      if (i === 12) return entry.owned
    }
    return undefined
  }

  *[Symbol.iterator](): Generator<OwnedAddress> {
    for (const first of this.#entries.values()) {
      for (let entry: Entry | undefined = first; entry; entry = entry.next) yield entry.owned
    }
  }
}
