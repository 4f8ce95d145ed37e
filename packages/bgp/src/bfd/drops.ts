import type { Clock } from '@carillon/core'
import type { DropReason } from './report.ts'

const FLUSH_MS = 1000

/** Counts dropped packets, and hands the counts over once a second while there are any. */
export class Drops {
  readonly #clock: Clock
  readonly #report: (counts: Partial<Readonly<Record<DropReason, number>>>) => void
  #counts: Partial<Record<DropReason, number>> = {}
  #cancel: (() => void) | undefined

  constructor(clock: Clock, report: (counts: Partial<Readonly<Record<DropReason, number>>>) => void) {
    this.#clock = clock
    this.#report = report
  }

  count(reason: DropReason): void {
    this.#counts[reason] = (this.#counts[reason] ?? 0) + 1
    this.#cancel ??= this.#clock.after(FLUSH_MS, () => this.flush())
  }

  /** Hands over what was counted. */
  flush(): void {
    this.#cancel?.()
    if (this.#cancel) this.#report(this.#counts)
    this.#cancel = undefined
    this.#counts = {}
  }
}
