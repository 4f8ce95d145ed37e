import type { SpeakerEvent, SpeakerStatus } from '@carillon/core'

/** Which events of one speaker have been seen, so that each is told once. */
export class News {
  #startedAt: string | undefined
  #last: readonly string[] = []

  /** The events that were not in the statuses before. A speaker that was started anew tells everything again. */
  of({ startedAt, events }: Pick<SpeakerStatus, 'startedAt' | 'events'>): readonly SpeakerEvent[] {
    const now = events.map(event => JSON.stringify(event))
    const known = startedAt === this.#startedAt ? overlap(this.#last, now) : 0
    this.#startedAt = startedAt
    this.#last = now
    return events.slice(known)
  }
}

/** How many items at the beginning of a list are those at the end of the one before: what is old goes first. */
function overlap(before: readonly string[], now: readonly string[]): number {
  for (let gone = 0; gone < before.length; gone++) {
    const kept = before.length - gone
    if (kept <= now.length && before.slice(gone).every((item, at) => item === now[at])) return kept
  }
  return 0
}
