import type { Clock } from '@carillon/core'

/** A value that is obtained at most so often, and by one at a time. */
export class Remembered<T> {
  readonly #obtain: (before: T | undefined) => Promise<T>
  readonly #clock: Clock
  readonly #ms: number
  #value: T | undefined
  #until = Number.NEGATIVE_INFINITY
  #pending: Promise<T> | undefined

  /**
   * @param obtain is given the value before; what is equal to it should be it
   * @param ms milliseconds that a value is believed for
   */
  constructor(obtain: (before: T | undefined) => Promise<T>, clock: Clock, ms: number) {
    this.#obtain = obtain
    this.#clock = clock
    this.#ms = ms
  }

  /** The value; obtained anew when it is too old. A failure is not remembered. */
  get(): Promise<T> {
    if (this.#value !== undefined && this.#clock.now() < this.#until) return Promise.resolve(this.#value)
    this.#pending ??= this.#renewed()
    return this.#pending
  }

  /** The next one to ask gets a new value. */
  forget(): void {
    this.#until = Number.NEGATIVE_INFINITY
  }

  async #renewed(): Promise<T> {
    try {
      const value = await this.#obtain(this.#value)
      this.#value = value
      this.#until = this.#clock.now() + this.#ms
      return value
    } finally {
      this.#pending = undefined
    }
  }
}
