import { differences } from '../allocation/differences.ts'
import type { PoolUsage } from '../allocation/index.ts'
import type { Counter, Gauge, Histogram, Metrics } from '../metrics.ts'
import type { Advertisement } from './announcer.ts'
import { PoolGauges } from './pool-gauges.ts'
import type { Stage } from './stage.ts'

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
  readonly #pools: PoolGauges
  readonly #shown = new Map<Stage, readonly Advertisement[]>()

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
    this.#pools = new PoolGauges(metrics)
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
    this.#pools.follow(pools)
    for (const stage of stages) this.#show(stage)
  }

  #show(stage: Stage): void {
    const before = this.#shown.get(stage) ?? []
    const { desired } = stage
    if (before === desired) return
    this.#shown.set(stage, desired)
    const protocol = stage.announcer.speakers === 'one' ? 'layer2' : 'bgp'
    const node = this.#node
    const { out, into } = differences(before, desired)
    for (const one of out)
      for (const service of one.services) this.#announced.remove({ service, protocol, node, ip: ipOf(one) })
    for (const one of into)
      for (const service of one.services) this.#announced.set(1, { service, protocol, node, ip: ipOf(one) })
  }
}
