import type { Clock } from '@carillon/core'

/** How long a suspicion lasts. */
export interface SuspicionTimes {
  /** Confirmations that shorten it to the minimum; 0: it lasts the minimum from the start. */
  readonly wanted: number
  readonly minMs: number
  readonly maxMs: number
}

/** The times for a cluster of `n` known members. */
export function suspicionTimes(
  n: number,
  settings: {
    readonly suspicionMult: number
    readonly suspicionMaxTimeoutMult: number
    readonly probeIntervalMs: number
  },
): SuspicionTimes {
  const { suspicionMult, suspicionMaxTimeoutMult, probeIntervalMs } = settings
  const scale = Math.floor(1000 * Math.max(1, Math.log10(Math.max(1, n))))
  const minMs = (suspicionMult * scale * probeIntervalMs) / 1000
  const wanted = n - 2 < suspicionMult - 2 ? 0 : Math.max(0, suspicionMult - 2)
  return { wanted, minMs, maxMs: suspicionMaxTimeoutMult * minMs }
}

/** Milliseconds from its start after which a suspicion with so many confirmations is a death. */
export function suspicionMs(confirmations: number, { wanted, minMs, maxMs }: SuspicionTimes): number {
  if (wanted === 0) return minMs
  const part = Math.log(confirmations + 1) / Math.log(wanted + 1)
  return Math.max(minMs, Math.floor(maxMs - (maxMs - minMs) * part))
}

/** One suspicion: a timer that each new accuser shortens. The first accuser does not count as a confirmation. */
export class Suspicion {
  readonly #clock: Clock
  readonly #times: SuspicionTimes
  readonly #expired: () => void
  readonly #accusers: Set<string>
  readonly #since: number
  #cancel: () => void

  constructor(clock: Clock, times: SuspicionTimes, accuser: string, expired: () => void) {
    this.#clock = clock
    this.#times = times
    this.#expired = expired
    this.#accusers = new Set([accuser])
    this.#since = clock.now()
    this.#cancel = clock.after(suspicionMs(0, times), expired)
  }

  /** True when the accuser is a new one, and so worth passing on. */
  confirm(accuser: string): boolean {
    const { wanted } = this.#times
    if (this.#accusers.size > wanted || this.#accusers.has(accuser)) return false
    this.#accusers.add(accuser)
    const left = suspicionMs(this.#accusers.size - 1, this.#times) - (this.#clock.now() - this.#since)
    this.#cancel()
    this.#cancel = this.#clock.after(Math.max(0, left), this.#expired)
    return true
  }

  cancel(): void {
    this.#cancel()
  }
}
