import { type Clock, systemClock } from '@carillon/core'

/** Turns of the event loop that a timer waits at most while each of them still brings packets. */
const MOST_TURNS = 16

/**
 * The process's own time for a protocol that judges by silence. A timer never runs early, and before it runs, what waits on the
 * sockets is read: when this thread was held up, by the scheduler or by a garbage collection, packets that came in time lie there,
 * and the timer that they should have cancelled is due.
 */
export class PatientClock implements Clock {
  #arrivals = 0

  /** To be called for each packet that is read. */
  arrived(): void {
    this.#arrivals++
  }

  now(): number {
    return systemClock.now()
  }

  date(): Date {
    return systemClock.date()
  }

  after(ms: number, run: () => void): () => void {
    const due = this.now() + ms
    let timeout: NodeJS.Timeout | undefined
    let immediate: NodeJS.Immediate | undefined
    let turns = 0
    const turn = (seen: number): void => {
      // The sockets are polled between one immediate and the next.
      if (turns++ === 0 || (this.#arrivals !== seen && turns <= MOST_TURNS))
        immediate = setImmediate(turn, this.#arrivals)
      else run()
    }
    const ring = (): void => {
      const left = due - this.now()
      if (left > 0) timeout = setTimeout(ring, left)
      else turn(this.#arrivals)
    }
    timeout = setTimeout(ring, ms)
    return () => {
      clearTimeout(timeout)
      clearImmediate(immediate)
    }
  }
}
