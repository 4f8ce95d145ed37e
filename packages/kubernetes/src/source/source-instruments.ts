import type { CarillonError, Counter, Gauge, Metrics } from '@carillon/core'

/** The numbers of a source. */
export class SourceInstruments {
  readonly #synced: Gauge
  readonly #failing: Gauge
  readonly #stale: Gauge
  readonly #objects: Gauge
  readonly #changes: Counter
  readonly #failures: Counter

  constructor(metrics: Metrics) {
    const labels = ['resource']
    this.#synced = metrics.gauge(
      'carillon_k8s_source_synced',
      '1 once all objects of a kind are known',
      labels,
    )
    this.#failing = metrics.gauge('carillon_k8s_source_failing', '1 while a kind cannot be followed', labels)
    this.#stale = metrics.gauge(
      'carillon_k8s_source_stale_bool',
      '1 while any kind cannot be followed: what is known of it stays in force',
    )
    this.#objects = metrics.gauge('carillon_k8s_source_objects', 'Objects of a kind', labels)
    this.#changes = metrics.counter(
      'carillon_k8s_source_changes_total',
      'Changes of objects that mattered',
      labels,
    )
    this.#failures = metrics.counter(
      'carillon_k8s_source_failures_total',
      'Failed lists and watches, by resource and error code',
      ['resource', 'code'],
    )
    this.#stale.set(0)
  }

  following(resource: string): void {
    this.#synced.set(0, { resource })
    this.#failing.set(0, { resource })
  }

  synced(resource: string): void {
    this.#synced.set(1, { resource })
  }

  changed(resource: string, changes: number, objects: number): void {
    this.#changes.inc({ resource }, changes)
    this.#objects.set(objects, { resource })
  }

  failed(resource: string, { code }: CarillonError): void {
    this.#failures.inc({ resource, code })
    this.#failing.set(1, { resource })
    this.#stale.set(1)
  }

  recovered(resource: string, all: boolean): void {
    this.#failing.set(0, { resource })
    if (all) this.#stale.set(0)
  }
}
