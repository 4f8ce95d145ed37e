import {
  addressToNumber,
  CarillonError,
  familyOf,
  formatAddress,
  numberToAddress,
  parseAddress,
  parseAddressEntry,
  rangeOf,
} from '@carillon/core'
import type { codes } from '../../codes.ts'
import type { Family } from './service.ts'

/** The cluster addresses of one family that Services can have. */
export class AddressPool {
  readonly family: Family
  readonly #first: bigint
  readonly #last: bigint
  readonly #used = new Set<bigint>()
  #next: bigint

  /** `cidr`: such as `10.96.0.0/16`. The first address and, for IPv4, the last are not given out. @throws CarillonError */
  constructor(cidr: string) {
    const { family, first, last } = entry(cidr)
    this.family = family === 4 ? 'IPv4' : 'IPv6'
    this.#first = first + 1n
    this.#last = family === 4 ? last - 1n : last
    this.#next = this.#first
  }

  /** An address that is free; nothing when there is none left. */
  next(): string | undefined {
    const size = this.#last - this.#first + 1n
    if (BigInt(this.#used.size) >= size) return undefined
    while (this.#used.has(this.#next)) this.#step()
    const taken = this.#next
    this.#used.add(taken)
    this.#step()
    return formatAddress(numberToAddress(taken, this.family === 'IPv4' ? 4 : 6))
  }

  /** Takes one address; says why not where it cannot. */
  take(address: string): string | undefined {
    const bytes = parseAddress(address)
    const value = addressToNumber(bytes)
    if (
      (familyOf(bytes) === 4 ? 'IPv4' : 'IPv6') !== this.family ||
      value < this.#first ||
      value > this.#last
    )
      return 'the provided IP is not in the valid range'
    if (this.#used.has(value)) return 'provided IP is already allocated'
    this.#used.add(value)
    return undefined
  }

  /** Gives an address back. */
  free(address: string): void {
    this.#used.delete(addressToNumber(parseAddress(address)))
  }

  #step(): void {
    this.#next = this.#next === this.#last ? this.#first : this.#next + 1n
  }
}

function entry(cidr: string) {
  try {
    return rangeOf(parseAddressEntry(cidr))
  } catch (error) {
    throw new CarillonError(
      'BAD_TEST_SERVER' satisfies keyof typeof codes,
      `serviceCidrs: ${cidr} is not a CIDR; write it as 10.96.0.0/16`,
      { option: 'serviceCidrs', value: cidr },
      { cause: error },
    )
  }
}
