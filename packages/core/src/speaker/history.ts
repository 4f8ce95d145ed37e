import type { Because } from '../ownership/index.ts'

/** Something that a person wants to know about afterwards. Dates are ISO 8601. */
export interface SpeakerEvent {
  readonly at: string
  readonly type:
    | 'started'
    | 'configurationApplied'
    | 'configurationRefused'
    | 'sourceFailed'
    | 'ownerChanged'
    | 'announced'
    | 'released'
    | 'announcementFailed'
    | 'addressConflict'
    | 'peerUp'
    | 'peerDown'
    | 'announcerFailed'
    | 'silenced'
    | 'unsilenced'
  readonly message: string
  readonly address?: string
  /** Name of the BGPPeer. */
  readonly peer?: string
  readonly services?: readonly string[]
  readonly from?: string
  readonly to?: string
  /** Of an owner that changed: why the one before speaks no more. */
  readonly because?: Because
  /** Of an owner that changed because it died or left: for how long nobody answered, about, in milliseconds. */
  readonly gapMs?: number
}

/** The last events, oldest first; older ones make room. */
export class History {
  readonly #events: SpeakerEvent[] = []
  readonly #capacity: number

  /** @param capacity how many events are kept */
  constructor(capacity = 200) {
    this.#capacity = capacity
  }

  add(event: SpeakerEvent): void {
    this.#events.push(event)
    if (this.#events.length > this.#capacity) this.#events.shift()
  }

  /** A copy, oldest first. */
  list(): readonly SpeakerEvent[] {
    return [...this.#events]
  }
}
