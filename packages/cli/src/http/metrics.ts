import { createRequire } from 'node:module'
import type { Counter, Gauge, Histogram, Labels, Metrics } from '@carillon/core'
import type Prometheus from 'prom-client'

// Whole, prom-client brings a push gateway, clusters and OpenTelemetry along: 40 ms of every start and 9 MB that nobody uses.
const part = createRequire(import.meta.url)
const prometheus = {
  Registry: part('prom-client/lib/registry.js') as typeof Prometheus.Registry,
  Counter: part('prom-client/lib/counter.js') as typeof Prometheus.Counter,
  Gauge: part('prom-client/lib/gauge.js') as typeof Prometheus.Gauge,
  Histogram: part('prom-client/lib/histogram.js') as typeof Prometheus.Histogram,
}

/** Metrics as Prometheus reads them. */
export interface PrometheusMetrics extends Metrics {
  /** The text format, and the content type to send it with. */
  scrape(): Promise<{ readonly type: string; readonly text: string }>
  /** Runs before every scrape, for numbers that are cheaper to ask for than to keep. */
  beforeScrape(collect: () => void): void
}

/** A registry of its own, with the process's own numbers in it. */
export function prometheusMetrics(): PrometheusMetrics {
  const registry = new prometheus.Registry()
  const collectors: (() => void)[] = []
  let defaults = false
  const once = <T>(name: string, make: () => T): T =>
    (registry.getSingleMetric(name) as T | undefined) ?? make()
  return {
    counter(name, help, labelNames = []): Counter {
      const counter = once(
        name,
        () => new prometheus.Counter({ name, help, labelNames: [...labelNames], registers: [registry] }),
      )
      return { inc: (labels: Labels = {}, by = 1) => counter.inc(labels, by) }
    },
    gauge(name, help, labelNames = []): Gauge {
      const gauge = once(
        name,
        () => new prometheus.Gauge({ name, help, labelNames: [...labelNames], registers: [registry] }),
      )
      return {
        set: (value, labels: Labels = {}) => gauge.set(labels, value),
        remove: labels => gauge.remove(labels),
      }
    },
    histogram(name, help, buckets, labelNames = []): Histogram {
      const histogram = once(
        name,
        () =>
          new prometheus.Histogram({
            name,
            help,
            buckets: [...buckets],
            labelNames: [...labelNames],
            registers: [registry],
          }),
      )
      return { observe: (value, labels: Labels = {}) => histogram.observe(labels, value) }
    },
    async scrape() {
      // The default collectors watch the garbage collector and the event loop: not before somebody asks.
      if (!defaults) {
        const collect = part('prom-client/lib/defaultMetrics.js') as typeof Prometheus.collectDefaultMetrics
        collect({ register: registry })
        defaults = true
      }
      for (const collect of collectors) collect()
      return { type: registry.contentType, text: await registry.metrics() }
    },
    beforeScrape: collect => collectors.push(collect),
  }
}
