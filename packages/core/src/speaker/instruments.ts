import type { PoolUsage } from '../allocation/index.ts'
import type { Counter, Gauge, Histogram, Metrics } from '../metrics.ts'
import type { Advertisement } from './announcer.ts'
import type { Stage } from './stage.ts'

const poolGauges = {
  total: 'metallb_allocator_addresses_total',
  total4: 'metallb_allocator_ipv4_addresses_total',
  total6: 'metallb_allocator_ipv6_addresses_total',
  used: 'metallb_allocator_addresses_in_use_total',
  used4: 'metallb_allocator_ipv4_addresses_in_use_total',
  used6: 'metallb_allocator_ipv6_addresses_in_use_total',
} as const

/** The address; of a prefix that holds more than one address the prefix. */
const ipOf = ({ address }: Advertisement): string =>
  address.replace(address.includes(':') ? /\/128$/ : /\/32$/, '')

/** The numbers that the speaker loop itself gives, under MetalLB's names where it has one. */
export class Instruments {
  readonly #node: string
  readonly #updates: Counter
  readonly #failures: Counter
  readonly #loaded: Gauge
  readonly #stale: Gauge
  readonly #planning: Histogram
  readonly #announced: Gauge
  readonly #pools: { readonly [Key in keyof typeof poolGauges]: Gauge }
  readonly #shown = new Map<Stage, readonly Advertisement[]>()
  #poolNames: ReadonlySet<string> = new Set()

  constructor(metrics: Metrics, node: string) {
    this.#node = node
    this.#updates = metrics.counter('metallb_k8s_client_updates_total', 'Replays of the plan')
    this.#failures = metrics.counter(
      'metallb_k8s_client_update_errors_total',
      'Replays of the plan that failed',
    )
    this.#loaded = metrics.gauge(
      'metallb_k8s_client_config_loaded_bool',
      '1 once a valid configuration is in force',
    )
    this.#stale = metrics.gauge(
      'metallb_k8s_client_config_stale_bool',
      '1 while the newest configuration is invalid',
    )
    const buckets = [0.0001, 0.001, 0.01, 0.1, 1, 10]
    this.#planning = metrics.histogram(
      'carillon_plan_seconds',
      'Time that a replay of the plan took',
      buckets,
    )
    const labels = ['service', 'protocol', 'node', 'ip']
    this.#announced = metrics.gauge('metallb_speaker_announced', 'Addresses that this node announces', labels)
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

  planned(ms: number): void {
    this.#updates.inc()
    this.#planning.observe(ms / 1000)
  }

  failed(): void {
    this.#updates.inc()
    this.#failures.inc()
  }

  checked(valid: boolean, loaded: boolean): void {
    this.#stale.set(valid ? 0 : 1)
    this.#loaded.set(loaded ? 1 : 0)
  }

  follow(pools: readonly PoolUsage[], stages: readonly Stage[]): void {
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
    for (const stage of stages) this.#show(stage)
  }

  #show(stage: Stage): void {
    const before = this.#shown.get(stage) ?? []
    const { desired } = stage
    if (before === desired) return
    this.#shown.set(stage, desired)
    const protocol = stage.announcer.speakers === 'one' ? 'layer2' : 'bgp'
    const node = this.#node
    const [old, now] = [new Set(before), new Set(desired)]
    for (const one of before) {
      if (now.has(one)) continue
      for (const service of one.services) this.#announced.remove({ service, protocol, node, ip: ipOf(one) })
    }
    for (const one of desired) {
      if (old.has(one)) continue
      for (const service of one.services) this.#announced.set(1, { service, protocol, node, ip: ipOf(one) })
    }
  }
}
