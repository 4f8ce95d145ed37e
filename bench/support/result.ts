/** One measured figure. */
export interface BenchResult {
  /** What was measured, as a phrase: `one more Service among 10,000`. */
  readonly name: string
  readonly value: number
  /** Of `value` and of the peer's: `ms`, `µs`, `MB`, `1/s`, `%`. */
  readonly unit: string
  /** The same figure of another implementation, taken in the same run on the same machine. */
  readonly peer?: { readonly name: string; readonly value: number }
  readonly note?: string
  /** What is drawn of it: one line of a chart, a value a run. `ours`: of this project. */
  readonly series?: {
    readonly chart: string
    readonly line: string
    readonly ours: boolean
    readonly values: readonly number[]
  }
}

/** What each file of bench/ exports as `run`. */
export type Bench = () => Promise<BenchResult[]>
