import type { Family } from '../address.ts'
import type { Pool } from '../config/config.ts'
import { Block } from './block.ts'
import { IntervalSet } from './interval-set.ts'
import type { Sharing } from './sharing.ts'

/** Which addresses one group of sharing Services has, and which ports are taken on them. */
interface Group {
  readonly members: IntervalSet
  readonly ports: Map<string, IntervalSet>
}

const most = BigInt(Number.MAX_SAFE_INTEGER)

/** How many addresses of a capacity are left; 2^53-1 stands for that and more. */
export function leftOf(capacity: bigint, assigned: number): number {
  const left = capacity - BigInt(assigned)
  return Number(left > most ? most : left)
}

/** More numbers than this cannot be told apart; no cluster has as many Services, so the first free address is always below. */
const positions = 2 ** 52

/**
 * The addresses of one family in one pool, numbered in the order in which they are handed out, with those in use. An
 * address too deep in a huge range to have a number can be held as well; the search never gets as far.
 */
export class Shelf {
  readonly pool: Pool
  readonly family: Family
  readonly blocks: readonly Block[]
  /** How many addresses have a number. */
  readonly size: number
  readonly capacity: bigint
  /** Distinct addresses in use. */
  assigned = 0
  #numbered = 0
  readonly #used = new IntervalSet()
  readonly #groups = new Map<string, Group>()

  constructor(pool: Pool, family: Family) {
    this.pool = pool
    this.family = family
    const ranges = pool.ranges.filter(range => range.family === family)
    const limit = Math.floor(positions / Math.max(1, ranges.length))
    const blocks: Block[] = []
    let size = 0
    let capacity = 0n
    for (const range of ranges) {
      const block = new Block(range, size, limit, pool.avoidBuggyIPs)
      blocks.push(block)
      size += block.size
      capacity += block.capacity
    }
    this.blocks = blocks
    this.size = size
    this.capacity = capacity
  }

  /** True when no address of it is free (one may still be shared). */
  get full(): boolean {
    return this.#numbered >= this.size
  }

  /** Canonical text of the address with this number. */
  addressAt(position: number): string {
    let low = 0
    let high = this.blocks.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((this.blocks[middle] as Block).base <= position) low = middle
      else high = middle - 1
    }
    return (this.blocks[low] as Block).addressAt(position)
  }

  /** Notes a user of an address; `first`: the address was free until now. */
  take(position: number, sharing: Sharing, first: boolean): void {
    if (first) this.assigned++
    if (position === Number.POSITIVE_INFINITY) return
    if (first) {
      this.#numbered++
      this.#used.add(position)
    }
    if (sharing.group === '') return
    let group = this.#groups.get(sharing.group)
    if (!group) {
      group = { members: new IntervalSet(), ports: new Map() }
      this.#groups.set(sharing.group, group)
    }
    group.members.add(position)
    for (const port of sharing.ports) {
      let taken = group.ports.get(port)
      if (!taken) {
        taken = new IntervalSet()
        group.ports.set(port, taken)
      }
      taken.add(position)
    }
  }

  /** The inverse of `take`; `last`: nobody uses the address any more; `lastOfGroup`: nobody of this sharing group does. */
  give(position: number, sharing: Sharing, last: boolean, lastOfGroup: boolean): void {
    if (last) this.assigned--
    if (position === Number.POSITIVE_INFINITY) return
    if (last) {
      this.#numbered--
      this.#used.delete(position)
    }
    const group = this.#groups.get(sharing.group)
    if (!group) return
    for (const port of sharing.ports) group.ports.get(port)?.delete(position)
    if (!lastOfGroup) return
    group.members.delete(position)
    if (group.members.nextUsed(0) === Number.POSITIVE_INFINITY) this.#groups.delete(sharing.group)
  }

  /** The first address, in the order in which they are handed out, that is free or can be shared; undefined when none is. */
  firstFit(sharing: Sharing): number | undefined {
    const free = this.#used.nextFree(0)
    const group = sharing.group === '' ? undefined : this.#groups.get(sharing.group)
    if (group) {
      const taken = sharing.ports.map(port => group.ports.get(port)).filter(set => set !== undefined)
      for (let at = group.members.nextUsed(0); at < free; ) {
        let next = at
        for (const set of taken) next = set.nextFree(next)
        if (next === at) return at
        at = group.members.nextUsed(next)
      }
    }
    return free < this.size ? free : undefined
  }
}
