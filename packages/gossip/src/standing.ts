import type { Clock, MembershipStanding } from '@carillon/core'
import type { Confirmed } from './confirmation.ts'

/** From one question whether we belong to the next, in milliseconds. */
const askAgainMs = 50
/** Questions without any answer, after which we take it that we are alone. */
const unheardAtMost = 4

/** How sure we are of our own place among the others. */
export class Standing {
  readonly #clock: Clock
  readonly #confirm: () => Promise<Confirmed>
  readonly #changed: (now: MembershipStanding, before: MembershipStanding) => void
  #now: MembershipStanding = 'confirmed'
  #confirming = false
  #stopped = false

  constructor(
    clock: Clock,
    confirm: () => Promise<Confirmed>,
    changed: (now: MembershipStanding, before: MembershipStanding) => void,
  ) {
    this.#clock = clock
    this.#confirm = confirm
    this.#changed = changed
  }

  get now(): MembershipStanding {
    return this.#now
  }

  stop(): void {
    this.#stopped = true
  }

  become(standing: MembershipStanding): void {
    const before = this.#now
    if (standing === before) return
    this.#now = standing
    this.#changed(standing, before)
  }

  /** This process was stopped for longer than others take to give up on it: others are asked until they confirm us. */
  doubt(): void {
    this.become('paused')
    if (!this.#confirming) void this.#ask()
  }

  async #ask(): Promise<void> {
    this.#confirming = true
    try {
      for (let unheard = 0; this.#now === 'paused' && !this.#stopped; ) {
        const answer = await this.#confirm()
        if (this.#now !== 'paused' || this.#stopped) return
        if (answer === 'confirmed') return this.become('confirmed')
        if (answer === 'unheard') unheard++
        // Nobody to be heard, again and again: that is being alone.
        if (unheard >= unheardAtMost) return this.become('isolated')
        await new Promise<void>(resolve => this.#clock.after(askAgainMs, resolve))
      }
    } finally {
      this.#confirming = false
    }
  }
}
