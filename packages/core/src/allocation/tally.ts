import { familyOf } from '../address.ts'
import type { Assignment, PoolUsage } from './assignment.ts'
import type { Ledger } from './ledger.ts'
import { leftOf } from './shelf.ts'

/** Counts the distinct addresses that assignments name, by pool and family. */
export class Tally {
  readonly #users = new Map<string, number>()
  readonly #distinct = new Map<string, number>()

  add({ pool, addresses }: Assignment): void {
    for (const address of addresses) {
      const key = `${pool} ${address}`
      const users = (this.#users.get(key) ?? 0) + 1
      this.#users.set(key, users)
      if (users === 1) this.#count(pool, address, 1)
    }
  }

  remove({ pool, addresses }: Assignment): void {
    for (const address of addresses) {
      const key = `${pool} ${address}`
      const users = (this.#users.get(key) ?? 0) - 1
      if (users > 0) this.#users.set(key, users)
      else {
        this.#users.delete(key)
        this.#count(pool, address, -1)
      }
    }
  }

  #count(pool: string | undefined, address: string, by: number): void {
    const key = `${familyOf(address)} ${pool}`
    this.#distinct.set(key, (this.#distinct.get(key) ?? 0) + by)
  }

  /** The figures of every pool, in name order. */
  usage(ledger: Ledger): readonly PoolUsage[] {
    return ledger.books.map(book => {
      const { name } = book.pool
      const v4 = this.#distinct.get(`4 ${name}`) ?? 0
      const v6 = this.#distinct.get(`6 ${name}`) ?? 0
      return {
        name,
        assignedIPv4: v4,
        assignedIPv6: v6,
        availableIPv4: leftOf(book[4]?.capacity ?? 0n, v4),
        availableIPv6: leftOf(book[6]?.capacity ?? 0n, v6),
      }
    })
  }
}
