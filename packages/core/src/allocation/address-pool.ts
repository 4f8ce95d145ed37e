import { canonicalAddress, formatAddress, parseAddress } from '../address.ts'
import type { AddressRange } from '../config/config.ts'
import { addressToNumber, joinRanges, numberToAddress, parseAddressEntry, rangeOf } from '../config/ranges.ts'

/** What somebody wants of an `AddressPool`. */
export interface AddressClaim {
  /** Unique among the claims. */
  readonly name: string
  /** What it has already, as it is written down somewhere. It keeps that, unless an earlier claim has it, or it was given another one since. */
  readonly holds?: string | undefined
  /** The one address that it wants. Absent: any will do. */
  readonly wants?: string | undefined
}

/** What a claim gets: an address in canonical text, a reason why it does not get what it wants, or both: then it keeps what it had. */
export interface AddressGrant {
  readonly address?: string
  readonly because?: string
}

/**
 * Gives addresses of plain ranges to whatever a program names: what `Allocator` does for Services, without Services. It remembers what it
 * gave, so that an answer which is not written down yet is not given twice.
 */
export class AddressPool {
  readonly #ranges: readonly AddressRange[]
  readonly #given = new Map<string, string>()
  /** What each claim had in writing last time. */
  #held: ReadonlyMap<string, string | undefined> = new Map()

  /** @param addresses CIDRs and ranges (`10.0.0.10-10.0.0.20`), handed out in this order; throws `BAD_RANGE` for anything else */
  constructor(addresses: readonly string[]) {
    this.#ranges = joinRanges(addresses.map(text => rangeOf(parseAddressEntry(text))))
  }

  /** Whether the pool has this address. */
  has(address: string): boolean {
    const text = canonicalAddress(address)
    if (text === undefined) return false
    const bytes = parseAddress(text)
    const value = addressToNumber(bytes)
    const family = bytes.length === 4 ? 4 : 6
    return this.#ranges.some(range => range.family === family && range.first <= value && value <= range.last)
  }

  /**
   * What each claim gets; these are all claims, so what others had is free. First everybody keeps what they hold, then wishes for one address
   * are granted, then the rest take the first that is free; between equals the earlier claim comes first. The same claims get the same again.
   */
  assign(claims: readonly AddressClaim[]): ReadonlyMap<string, AddressGrant> {
    const owners = new Map<string, string>()
    const grants = new Map<string, string>()
    const grant = (name: string, address: string | undefined): void => {
      if (address === undefined || grants.has(name) || owners.has(address) || !this.has(address)) return
      owners.set(address, name)
      grants.set(name, address)
    }
    const held: ReadonlyMap<string, string | undefined> = new Map(
      claims.map(({ name, holds = '' }) => [name, canonicalAddress(holds)]),
    )
    // What is newly written down comes first, then what was given since, then what was written down before that.
    for (const { name } of claims) if (this.#held.get(name) !== held.get(name)) grant(name, held.get(name))
    for (const { name } of claims) grant(name, this.#given.get(name))
    for (const { name } of claims) grant(name, held.get(name))

    const refused = new Map<string, string>()
    /** Who wants an address that another has; the earliest claim first. */
    const waiting = new Map<string, string[]>()
    for (const { name, wants } of claims) {
      if (wants === undefined) continue
      const address = canonicalAddress(wants)
      if (address === undefined) refused.set(name, `"${wants}" is no IP address`)
      else if (!this.has(address))
        refused.set(name, `${address} is outside of the pool: ask for another one, or extend the pool`)
      else if (owners.has(address) && owners.get(address) !== name)
        waiting.set(address, [...(waiting.get(address) ?? []), name])
      else {
        // Who moves makes room for a wish that was looked at before.
        for (let [who, to] = [name, address] as [string | undefined, string]; who !== undefined; ) {
          const had = grants.get(who)
          if (had === to) break
          if (had !== undefined) owners.delete(had)
          grants.delete(who)
          grant(who, to)
          if (had === undefined) break
          who = waiting.get(had)?.shift()
          to = had
        }
      }
    }
    for (const [address, names] of waiting)
      for (const name of names)
        refused.set(name, `${address} is in use by ${owners.get(address)}: ask for another one`)

    // Who held what another had, too, may have it after all.
    for (const { name } of claims) grant(name, held.get(name))
    for (const { name } of claims) {
      if (grants.has(name) || refused.has(name)) continue
      const free = this.#firstFree(owners)
      if (free === undefined) refused.set(name, 'every address of the pool is in use: add some, or free one')
      grant(name, free)
    }

    this.#held = held
    this.#given.clear()
    for (const [name, address] of grants) this.#given.set(name, address)
    return new Map(
      claims.map(({ name }) => {
        const [address, because] = [grants.get(name), refused.get(name)]
        return [name, { ...(address && { address }), ...(because && { because }) }]
      }),
    )
  }

  #firstFree(owners: ReadonlyMap<string, string>): string | undefined {
    for (const { family, first, last } of this.#ranges)
      for (let value = first; value <= last; value++) {
        const address = formatAddress(numberToAddress(value, family))
        if (!owners.has(address)) return address
      }
    return undefined
  }
}
