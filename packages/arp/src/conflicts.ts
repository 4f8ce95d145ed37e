import type { AddressConflict, Clock } from '@carillon/core'
import type { OwnedAddress } from './owned.ts'

/** At most one report and one defence of an address in this time: DEFEND_INTERVAL of RFC 5227 section 1.1. */
export const DEFEND_INTERVAL_MS = 10_000

/** A conflict is over when nobody has claimed the address for this long. */
export const CONFLICT_OVER_MS = 60_000

interface Watched {
  mac: string
  interface: string
  lastSeen: number
  /** undefined: still within the grace. */
  reportedAt: number | undefined
  cancel: () => void
}

/** What comes of a conflict. */
export interface ConflictOutcome {
  /** To be told to people: a new conflict, or one that goes on (every `DEFEND_INTERVAL_MS`). */
  reported(owned: OwnedAddress, conflict: AddressConflict): void
  over(owned: OwnedAddress): void
}

/** Decides which claims of other stations are conflicts, and how often to speak of them. */
export class ConflictWatch {
  readonly #clock: Clock
  readonly #graceMs: number
  readonly #outcome: ConflictOutcome
  readonly #watched = new Map<OwnedAddress, Watched>()

  constructor(clock: Clock, graceMs: number, outcome: ConflictOutcome) {
    this.#clock = clock
    this.#graceMs = graceMs
    this.#outcome = outcome
  }

  /** The conflict of an address, while it lasts. */
  of(owned: OwnedAddress): AddressConflict | undefined {
    const watched = this.#watched.get(owned)
    if (watched?.reportedAt === undefined) return undefined
    return { address: owned.text, interface: watched.interface, mac: watched.mac }
  }

  /** Another station claims the address now. `mac` is asked for only where it is told on. */
  claim(owned: OwnedAddress, on: string, mac: () => string): void {
    const now = this.#clock.now()
    const known = this.#watched.get(owned)
    if (!known) {
      // Given time to end: while an address moves, its new owner speaks before the old one has heard of it.
      const cancel = this.#clock.after(this.#graceMs, () => this.#report(owned))
      this.#watched.set(owned, { mac: mac(), interface: on, lastSeen: now, reportedAt: undefined, cancel })
      return
    }
    known.lastSeen = now
    if (known.reportedAt === undefined || now - known.reportedAt < DEFEND_INTERVAL_MS) return
    known.mac = mac()
    known.interface = on
    known.cancel()
    this.#report(owned)
  }

  /** The address is no longer ours. */
  release(owned: OwnedAddress): void {
    this.#watched.get(owned)?.cancel()
    this.#watched.delete(owned)
  }

  #report(owned: OwnedAddress): void {
    const watched = this.#watched.get(owned)
    if (!watched) return
    watched.reportedAt = this.#clock.now()
    this.#awaitEnd(owned, watched)
    const { mac, interface: name } = watched
    this.#outcome.reported(owned, { address: owned.text, interface: name, mac })
  }

  #awaitEnd(owned: OwnedAddress, watched: Watched): void {
    const left = watched.lastSeen + CONFLICT_OVER_MS - this.#clock.now()
    watched.cancel = this.#clock.after(left, () => {
      if (this.#clock.now() - watched.lastSeen < CONFLICT_OVER_MS) return this.#awaitEnd(owned, watched)
      this.#watched.delete(owned)
      this.#outcome.over(owned)
    })
  }
}
