import type { PoolUsage } from '../allocation/index.ts'
import type { Gauge, Metrics } from '../metrics.ts'

const poolGauges = {
  total: 'metallb_allocator_addresses_total',
  total4: 'metallb_allocator_ipv4_addresses_total',
  total6: 'metallb_allocator_ipv6_addresses_total',
  used: 'metallb_allocator_addresses_in_use_total',
  used4: 'metallb_allocator_ipv4_addresses_in_use_total',
  used6: 'metallb_allocator_ipv6_addresses_in_use_total',
} as const

/** How full pools are, under MetalLB's names. A pool that is gone is shown no more. */
export class PoolGauges {
  readonly #pools: { readonly [Key in keyof typeof poolGauges]: Gauge }
  #poolNames: ReadonlySet<string> = new Set()

  constructor(metrics: Metrics) {
    const help = 'Addresses of a pool: total or in use, of both families or of one'
    const gauge = (name: string): Gauge => metrics.gauge(name, help, ['pool'])
    this.#pools = {
      total: gauge(poolGauges.total),
      total4: gauge(poolGauges.total4),
      total6: gauge(poolGauges.total6),
      used: gauge(poolGauges.used),
      used4: gauge(poolGauges.used4),
      used6: gauge(poolGauges.used6),
    }
  }

  /** Shows these pools and no others. */
  follow(pools: readonly PoolUsage[]): void {
    const names = new Set(pools.map(pool => pool.name))
    for (const pool of this.#poolNames) {
      if (!names.has(pool)) for (const gauge of Object.values(this.#pools)) gauge.remove({ pool })
    }
    this.#poolNames = names
    for (const { name: pool, assignedIPv4, assignedIPv6, availableIPv4, availableIPv6 } of pools) {
      const [total4, total6] = [assignedIPv4 + availableIPv4, assignedIPv6 + availableIPv6]
      this.#pools.total.set(total4 + total6, { pool })
      this.#pools.total4.set(total4, { pool })
      this.#pools.total6.set(total6, { pool })
      this.#pools.used.set(assignedIPv4 + assignedIPv6, { pool })
      this.#pools.used4.set(assignedIPv4, { pool })
      this.#pools.used6.set(assignedIPv6, { pool })
    }
  }
}
