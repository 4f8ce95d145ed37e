import { formatAddress } from '../address.ts'
import type { AddressRange } from '../config/config.ts'
import { numberToAddress } from '../config/ranges.ts'

/** Addresses below `n` that end in neither .0 nor .255. */
const plainBelow = (n: number): number => n - 2 * Math.floor(n / 256) - (n % 256 > 0 ? 1 : 0)
/** The inverse: the address with `count` plain ones below it. */
const plainAt = (count: number): number => Math.floor(count / 254) * 256 + (count % 254) + 1

const quad = (n: number): string => `${n >>> 24}.${(n >>> 16) & 255}.${(n >>> 8) & 255}.${n & 255}`

/** True for an IPv4 address that avoidBuggyIPs leaves out. */
export const isBuggy = (value: bigint): boolean => {
  const last = Number(value & 0xffn)
  return last === 0 || last === 255
}

/**
 * One range of a pool with its addresses numbered from `base` upwards. Addresses that avoidBuggyIPs leaves out have no
 * number, so nothing ever has to step over them.
 */
export class Block {
  readonly range: AddressRange
  readonly base: number
  /** How many addresses have a number: all of them, or as many as `limit` allows. */
  readonly size: number
  /** How many can be handed out. */
  readonly capacity: bigint
  readonly #plain: boolean
  /** IPv4: what to subtract from an address to get its offset. */
  readonly #origin: number

  constructor(range: AddressRange, base: number, limit: number, avoidBuggyIPs: boolean) {
    this.range = range
    this.base = base
    this.#plain = avoidBuggyIPs && range.family === 4
    const first = range.family === 4 ? Number(range.first) : 0
    this.#origin = this.#plain ? plainBelow(first) : first
    this.capacity = this.#plain
      ? BigInt(plainBelow(Number(range.last) + 1) - this.#origin)
      : range.last - range.first + 1n
    this.size = this.capacity > BigInt(limit) ? limit : Number(this.capacity)
  }

  /** The number of an address of this range; Infinity when it lies beyond the numbered ones. */
  positionOf(value: bigint): number {
    if (this.range.family === 4) {
      const n = Number(value)
      return this.base + (this.#plain ? plainBelow(n) : n) - this.#origin
    }
    const offset = value - this.range.first
    return offset < BigInt(this.size) ? this.base + Number(offset) : Number.POSITIVE_INFINITY
  }

  /** Canonical text of the address with this number. */
  addressAt(position: number): string {
    const offset = position - this.base
    if (this.range.family === 6) return formatAddress(numberToAddress(this.range.first + BigInt(offset), 6))
    return quad(this.#plain ? plainAt(this.#origin + offset) : this.#origin + offset)
  }
}
