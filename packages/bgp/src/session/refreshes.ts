import type { Clock } from '@carillon/core'
import type { RouteFamily } from '../wire/message.ts'

/** From one refresh of a family to the next: each costs a walk over all routes, and a peer may ask thousands of times a second. */
const leastGapMs = 1000

/** Requests of a peer to be sent its routes again: the first is granted at once, those that follow too soon together later. */
export class Refreshes {
  readonly #clock: Clock
  readonly #grant: (family: RouteFamily) => void
  /** Families that were refreshed just now: how to forget that, and whether the peer has asked again. */
  readonly #recent = new Map<RouteFamily, { readonly cancel: () => void; again: boolean }>()

  constructor(clock: Clock, grant: (family: RouteFamily) => void) {
    this.#clock = clock
    this.#grant = grant
  }

  /** The peer asks. */
  ask(family: RouteFamily): void {
    const recent = this.#recent.get(family)
    if (recent) recent.again = true
    else this.#now(family)
  }

  /** The session is over. */
  clear(): void {
    for (const { cancel } of this.#recent.values()) cancel()
    this.#recent.clear()
  }

  #now(family: RouteFamily): void {
    const cancel = this.#clock.after(leastGapMs, () => {
      const again = this.#recent.get(family)?.again
      this.#recent.delete(family)
      if (again) this.#now(family)
    })
    this.#recent.set(family, { cancel, again: false })
    this.#grant(family)
  }
}
