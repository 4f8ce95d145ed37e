import type { Counter, Gauge, Metrics } from '@carillon/core'

/**
 * The numbers that MetalLB has of every process that reads its configuration, for a controller; a `Speaker` of core gives them for itself.
 * Alerts and dashboards go by them.
 */
export class ControllerInstruments {
  readonly #updates: Counter
  readonly #failures: Counter
  readonly #loaded: Gauge
  readonly #stale: Gauge

  constructor(metrics: Metrics) {
    this.#updates = metrics.counter('metallb_k8s_client_updates_total', 'Snapshots that were worked on')
    this.#failures = metrics.counter(
      'metallb_k8s_client_update_errors_total',
      'Snapshots that could not be worked on',
    )
    this.#loaded = metrics.gauge(
      'metallb_k8s_client_config_loaded_bool',
      '1 once a valid configuration is in force',
    )
    this.#stale = metrics.gauge(
      'metallb_k8s_client_config_stale_bool',
      '1 while the newest configuration is invalid',
    )
    this.configuration({ loaded: false, stale: false })
  }

  /** A snapshot was worked on. */
  updated(): void {
    this.#updates.inc()
  }

  /** A snapshot could not be worked on, and what was decided before stays. */
  failed(): void {
    this.#updates.inc()
    this.#failures.inc()
  }

  /** How the configuration stands: whether one is in force, and whether a newer one is invalid. */
  configuration({ loaded, stale }: { readonly loaded: boolean; readonly stale: boolean }): void {
    this.#loaded.set(loaded ? 1 : 0)
    this.#stale.set(stale ? 1 : 0)
  }
}
