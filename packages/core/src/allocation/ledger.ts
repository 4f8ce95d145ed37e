import { type Family, familyOf, tryParseAddress } from '../address.ts'
import type { Pool } from '../config/config.ts'
import { addressToNumber } from '../config/ranges.ts'
import type { PoolUsage } from './assignment.ts'
import { type Block, isBuggy } from './block.ts'
import type { Claimant, Step } from './claimant.ts'
import type { Sharing } from './sharing.ts'
import { leftOf, Shelf } from './shelf.ts'

/** A pool with what is in use of it. */
export interface Book {
  readonly pool: Pool
  /** Absent: the pool has no addresses of the family. */
  readonly 4?: Shelf
  readonly 6?: Shelf
}

/** An address of a pool, free or not. */
export interface Place {
  readonly address: string
  readonly book: Book
  readonly shelf: Shelf
  readonly position: number
}

/** An address that somebody has. */
export interface Slot extends Place {
  readonly claims: Claim[]
}

/** One Service's hold on one address. */
export interface Claim {
  readonly holder: Claimant
  readonly slot: Slot
  /** The turn in which it was made. */
  readonly step: Step
  /** As it was when the claim was made. */
  readonly sharing: Sharing
}

/** Where an address lies: in a pool, in one that leaves it out, or in none. */
export type Location = { readonly place: Place } | { readonly leftOutBy: Pool } | undefined

interface Stretch {
  readonly first: bigint
  readonly last: bigint
  readonly block: Block
  readonly shelf: Shelf
  readonly book: Book
}

const available = (shelf: Shelf | undefined): number => (shelf ? leftOf(shelf.capacity, shelf.assigned) : 0)

/** The pools of one configuration, and who has which of their addresses. */
export class Ledger {
  /** In name order. */
  readonly books: readonly Book[]
  readonly #slots = new Map<string, Slot>()
  readonly #stretches: Readonly<Record<Family, readonly Stretch[]>>

  constructor(pools: readonly Pool[]) {
    this.books = pools.map(pool => {
      const has = (family: Family): boolean => pool.ranges.some(range => range.family === family)
      return {
        pool,
        ...(has(4) ? { 4: new Shelf(pool, 4) } : {}),
        ...(has(6) ? { 6: new Shelf(pool, 6) } : {}),
      }
    })
    const sorted = (family: Family): Stretch[] =>
      this.books
        .flatMap(book => {
          const shelf = book[family]
          return shelf ? shelf.blocks.map(block => ({ ...block.range, block, shelf, book })) : []
        })
        .sort((a, b) => (a.first < b.first ? -1 : 1))
    this.#stretches = { 4: sorted(4), 6: sorted(6) }
  }

  /** Finds the pool of an address. */
  locate(address: string): Location {
    const slot = this.#slots.get(address)
    if (slot) return { place: slot }
    const bytes = tryParseAddress(address)
    if (!bytes) return undefined
    const value = addressToNumber(bytes)
    const stretches = this.#stretches[familyOf(bytes)]
    let low = 0
    let high = stretches.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((stretches[middle] as Stretch).first <= value) low = middle + 1
      else high = middle
    }
    const found = stretches[low - 1]
    if (!found || value > found.last) return undefined
    const { block, shelf, book } = found
    if (book.pool.avoidBuggyIPs && shelf.family === 4 && isBuggy(value)) return { leftOutBy: book.pool }
    return { place: { address, book, shelf, position: block.positionOf(value) } }
  }

  /** Who has an address. */
  claimsOn(address: string): readonly Claim[] {
    return this.#slots.get(address)?.claims ?? []
  }

  /** Notes that `holder` has the address. Whether it may is not asked here. */
  claim(holder: Claimant, step: Step, { address, book, shelf, position }: Place, sharing: Sharing): Claim {
    let slot = this.#slots.get(address)
    if (!slot) {
      slot = { address, book, shelf, position, claims: [] }
      this.#slots.set(address, slot)
    }
    shelf.take(position, sharing, slot.claims.length === 0)
    const claim: Claim = { holder, slot, step, sharing }
    slot.claims.push(claim)
    return claim
  }

  /** Takes a claim back. */
  release(claim: Claim): void {
    const { slot, sharing } = claim
    slot.claims.splice(slot.claims.indexOf(claim), 1)
    const lastOfGroup = !slot.claims.some(other => other.sharing.group === sharing.group)
    slot.shelf.give(slot.position, sharing, slot.claims.length === 0, lastOfGroup)
    if (slot.claims.length === 0) this.#slots.delete(slot.address)
  }

  /** How full each pool is, in name order. */
  usage(): readonly PoolUsage[] {
    return this.books.map(book => ({
      name: book.pool.name,
      assignedIPv4: book[4]?.assigned ?? 0,
      assignedIPv6: book[6]?.assigned ?? 0,
      availableIPv4: available(book[4]),
      availableIPv6: available(book[6]),
    }))
  }
}
