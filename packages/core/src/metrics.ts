/** Values of the labels of an instrument, by name. */
export type Labels = Readonly<Record<string, string>>

/** A number that only grows. */
export interface Counter {
  inc(labels?: Labels, by?: number): void
}

/** A number that goes up and down. */
export interface Gauge {
  set(value: number, labels?: Labels): void
  remove(labels: Labels): void
}

/** How often values fell into which range. */
export interface Histogram {
  observe(value: number, labels?: Labels): void
}

/** Where numbers go. Asking twice for one name gives the same instrument. Names are listed in docs/metrics.md. */
export interface Metrics {
  counter(name: string, help: string, labels?: readonly string[]): Counter
  gauge(name: string, help: string, labels?: readonly string[]): Gauge
  histogram(name: string, help: string, buckets: readonly number[], labels?: readonly string[]): Histogram
}

const nothing = (): void => {}

/** Numbers that nobody wants. */
export const noMetrics: Metrics = {
  counter: () => ({ inc: nothing }),
  gauge: () => ({ set: nothing, remove: nothing }),
  histogram: () => ({ observe: nothing }),
}
