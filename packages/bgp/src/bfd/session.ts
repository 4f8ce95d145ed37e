import { EventEmitter } from 'eventemitter3'
import type { BfdSettings } from './options.ts'
import type { BfdDown, BfdStatus } from './status.ts'

/** What a session tells. */
export interface BfdSessionEvents {
  /** The peer is there, both ways. */
  'session:up': (status: BfdStatus) => void
  /** The session was up and is not any more. */
  'session:down': (down: BfdDown) => void
  /** Anything in the status is new but the counters and the round trip of echo packets; comes after the other two. */
  'session:changed': (status: BfdStatus) => void
}

/** What stands behind a session; sessions with the same peer share it. */
export interface SessionOwner {
  status(): BfdStatus
  change(profile: Partial<BfdSettings> | undefined): void
  release(session: BfdSession): Promise<void>
}

/** One BFD session. `Bfd.session` makes it. */
export class BfdSession extends EventEmitter<BfdSessionEvents> implements AsyncDisposable {
  readonly #owner: SessionOwner
  #closing: Promise<void> | undefined

  constructor(owner: SessionOwner) {
    super()
    this.#owner = owner
  }

  /** As it is now. */
  status(): BfdStatus {
    return this.#owner.status()
  }

  /**
   * Goes on with another profile. The session stays up: what the peer has to know first is agreed with it (RFC 5880 section 6.8.3).
   * Throws `BAD_BFD_OPTIONS`.
   */
  change(profile: Partial<BfdSettings> | undefined): void {
    if (this.#closing === undefined) this.#owner.change(profile)
  }

  /** Tells the peer that the session is administratively down, and ends it; takes less than a second. No event follows. */
  close(): Promise<void> {
    this.#closing ??= this.#owner.release(this)
    return this.#closing
  }

  /** As `close`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
