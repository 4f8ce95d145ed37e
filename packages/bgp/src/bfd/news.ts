import type { Clock } from '@carillon/core'

/** News that is told together: not at once, but within the shortest of the times that were asked for. */
export class News {
  readonly #clock: Clock
  readonly #tell: () => void
  #planned: { readonly at: number; readonly cancel: () => void } | undefined

  constructor(clock: Clock, tell: () => void) {
    this.#clock = clock
    this.#tell = tell
  }

  /** Tells within `ms`. */
  within(ms: number): void {
    const at = this.#clock.now() + ms
    if (this.#planned && this.#planned.at <= at) return
    this.#planned?.cancel()
    this.#planned = { at, cancel: this.#clock.after(ms, () => this.now()) }
  }

  /** Tells now. */
  now(): void {
    this.forget()
    this.#tell()
  }

  /** Whatever was to be told has been told otherwise. */
  forget(): void {
    this.#planned?.cancel()
    this.#planned = undefined
  }
}
