import { canonicalAddress } from '../address.ts'
import type { Config, Pool } from '../config/config.ts'
import type { Service } from '../resources/index.ts'
import type { Allocation, Assignment, PoolUsage, Reason } from './assignment.ts'
import { sameAssignment } from './assignment-of.ts'
import { keyOf } from './claimant.ts'
import { differences } from './differences.ts'
import { Ledger, type Place } from './ledger.ts'
import { byName } from './order.ts'
import { samePools } from './same-pools.ts'
import { type ClassOptions, notOurs } from './service-class.ts'
import { Tally } from './tally.ts'

/** What a speaker's view of the assignments depends on. What did not change must be the same object as before. */
export interface AdopterInput {
  readonly services: readonly Service[]
  readonly config: Pick<Config, 'pools'>
}

const pending = (code: Reason['code'], message: string): Assignment => ({
  state: 'pending',
  addresses: [],
  reason: { code, message },
  publish: 'asIs',
})

const ignored = (reason: Reason): Assignment => ({ state: 'ignored', addresses: [], reason, publish: 'asIs' })

/**
 * The assignments as the status of each Service names them, for a speaker, which announces what a controller allocated and
 * allocates nothing itself. It asks only that all addresses lie in one pool.
 */
export class Adopter {
  readonly #options: ClassOptions
  readonly #assignments = new Map<string, Assignment>()
  readonly #tally = new Tally()
  #ledger = new Ledger([])
  #services: readonly Service[] = []
  #pools: readonly Pool[] | undefined
  #usage: readonly PoolUsage[] = []

  constructor(options: ClassOptions = {}) {
    this.#options = options
  }

  /** Brings the assignments in line with these values and tells what changed. */
  update({ services, config: { pools } }: AdopterInput): Allocation {
    const changed: Service[] = []
    const known = this.#pools !== undefined && samePools(this.#pools, pools)
    this.#pools = pools
    if (!known) this.#ledger = new Ledger(pools)
    const { out, into } = known
      ? differences(this.#services, services)
      : { out: this.#services, into: services }
    this.#services = services
    const now = new Set(into.map(keyOf))
    for (const service of out) {
      const key = keyOf(service)
      if (now.has(key)) continue
      this.#assign(key, undefined)
      changed.push(service)
    }
    for (const service of into) {
      if (this.#assign(keyOf(service), this.#read(service))) changed.push(service)
    }
    if (!known || changed.length > 0) this.#usage = this.#tally.usage(this.#ledger)
    const names = changed.map(({ metadata }) => metadata).sort(byName)
    return {
      services: this.#assignments,
      changed: names.map(({ namespace, name }) => `${namespace}/${name}`),
      pools: this.#usage,
    }
  }

  /** True when something changed. */
  #assign(key: string, next: Assignment | undefined): boolean {
    const before = this.#assignments.get(key)
    if (before && next && sameAssignment(before, next)) return false
    if (before) this.#tally.remove(before)
    if (next) {
      this.#tally.add(next)
      this.#assignments.set(key, next)
    } else this.#assignments.delete(key)
    return true
  }

  #read(service: Service): Assignment {
    const reason = notOurs(service, this.#options)
    if (reason) return ignored(reason)
    const texts = service.status.loadBalancer.ingress.map(({ ip }) => ip)
    if (texts.length === 0)
      return pending('noIPAllocated', 'the Service has no address yet: the controller says why')
    const places: Place[] = []
    for (const text of texts) {
      const address = canonicalAddress(text)
      if (address === undefined) {
        return pending(
          'invalidIP',
          `the status of the Service names "${text}", which is not an IP address: remove it`,
        )
      }
      const location = this.#ledger.locate(address)
      if (!location)
        return pending(
          'ipNotAllowed',
          `${address} is in no IPAddressPool: the controller must give the Service another address`,
        )
      if ('leftOutBy' in location) {
        return pending(
          'ipNotAllowed',
          `pool "${location.leftOutBy.name}" does not allow ${address} because of avoidBuggyIPs: the controller must give the Service another address`,
        )
      }
      places.push(location.place)
    }
    const [first, ...rest] = places as [Place, ...Place[]]
    const stray = rest.find(({ book }) => book !== first.book)
    if (stray) {
      return pending(
        'ipNotAllowed',
        `${first.address} is in pool "${first.book.pool.name}" and ${stray.address} in "${stray.book.pool.name}": addresses of a Service must be of one pool`,
      )
    }
    return {
      state: 'assigned',
      addresses: [...new Set(places.map(({ address }) => address))],
      pool: first.book.pool.name,
      publish: 'asIs',
    }
  }
}
