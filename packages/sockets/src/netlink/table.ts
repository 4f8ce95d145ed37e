import type { Link, LinkAddress } from '@carillon/core'
import { readAddress } from './address.ts'
import { type LinkFacts, readLink, sameFacts } from './link.ts'
import { kinds, type NetlinkMessage } from './message.ts'

interface Entry<T> {
  value: T
  /** The dump in which it was last seen. */
  seen: number
}

/** The kernel's links and addresses, from its messages alone. */
export class LinkTable {
  readonly #links = new Map<number, Entry<LinkFacts>>()
  readonly #addresses = new Map<number, Map<string, Entry<LinkAddress>>>()
  readonly #built = new Map<number, Link>()
  #dump = 0
  #stale = false
  #current: readonly Link[] = []

  /** From here to `endDump` everything that exists is told anew. */
  beginDump(): void {
    this.#dump++
  }

  /** Forgets what was not told since `beginDump`. */
  endDump(): void {
    for (const [index, { seen }] of this.#links) if (seen < this.#dump) this.#removeLink(index)
    for (const [index, addresses] of this.#addresses) {
      for (const [key, { seen }] of addresses) if (seen < this.#dump) this.#removeAddress(index, key)
    }
  }

  /** Takes in one message; other kinds are ignored. Throws `SHORT_READ`, `BAD_LENGTH`. */
  apply(message: NetlinkMessage): void {
    switch (message.kind) {
      case kinds.newLink: {
        const link = readLink(message)
        if (link) this.#setLink(link)
        return
      }
      case kinds.deleteLink: {
        const link = readLink(message)
        if (link) this.#removeLink(link.index)
        return
      }
      case kinds.newAddress: {
        const facts = readAddress(message)
        if (facts) this.#setAddress(facts.link, facts.key, facts.address)
        return
      }
      case kinds.deleteAddress: {
        const facts = readAddress(message)
        if (facts) this.#removeAddress(facts.link, facts.key)
        return
      }
    }
  }

  /** All links by index, with their addresses: the same array until something changes, and in it the same object for the same link. */
  current(): readonly Link[] {
    if (!this.#stale) return this.#current
    this.#stale = false
    const indexes = [...this.#links.keys()].sort((a, b) => a - b)
    this.#current = indexes.map(index => this.#build(index))
    return this.#current
  }

  #build(index: number): Link {
    const built = this.#built.get(index)
    if (built) return built
    const { value } = this.#links.get(index) as Entry<LinkFacts>
    const addresses = [...(this.#addresses.get(index)?.values() ?? [])].map(entry => entry.value)
    const link: Link = { ...value, addresses }
    this.#built.set(index, link)
    return link
  }

  #touch(index: number): void {
    this.#built.delete(index)
    if (this.#links.has(index)) this.#stale = true
  }

  #setLink(link: LinkFacts): void {
    const old = this.#links.get(link.index)
    if (old && sameFacts(old.value, link)) {
      old.seen = this.#dump
      return
    }
    this.#links.set(link.index, { value: link, seen: this.#dump })
    this.#touch(link.index)
  }

  #removeLink(index: number): void {
    this.#touch(index)
    this.#links.delete(index)
    this.#addresses.delete(index)
  }

  #setAddress(index: number, key: string, address: LinkAddress): void {
    let addresses = this.#addresses.get(index)
    if (!addresses) {
      addresses = new Map()
      this.#addresses.set(index, addresses)
    }
    const old = addresses.get(key)
    if (old && old.value.scope === address.scope && old.value.usable === address.usable) {
      old.seen = this.#dump
      return
    }
    addresses.set(key, { value: address, seen: this.#dump })
    this.#touch(index)
  }

  #removeAddress(index: number, key: string): void {
    const addresses = this.#addresses.get(index)
    if (addresses?.delete(key)) this.#touch(index)
  }
}
