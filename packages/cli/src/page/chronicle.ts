import type { Clock, Speaker, SpeakerEvent } from '@carillon/core'
import { eventText, type LoggedEvent, parseEventId } from './event-log.ts'
import { Subscription } from './subscription.ts'

export interface ChronicleOptions {
  readonly speaker: Speaker
  readonly clock: Clock
  /** Tells the events of this process from those of another one. */
  readonly epoch: string
  /**
   * Events that are kept at least, for readers that come back or are slow.
   * @default 5000
   */
  readonly capacity?: number
  /**
   * Readers at most.
   * @default 32
   */
  readonly readers?: number
}

/** A reader without a past is told this many of the latest events, as many as the status shows. */
const remembered = 200

/** How long it waits for more before it wakes its readers, in milliseconds: thousands of events may come at once, in the middle of a takeover. */
const gatherMs = 50

/** What happens to a speaker, numbered, for those who follow it. It begins with what the speaker remembers. */
export class Chronicle implements Disposable {
  readonly #options: ChronicleOptions
  readonly #capacity: number
  readonly #subscriptions = new Set<Subscription>()
  #events: SpeakerEvent[]
  /** The number of the first of them. */
  #first = 1
  #cancel: (() => void) | undefined

  constructor(options: ChronicleOptions) {
    this.#options = options
    this.#capacity = options.capacity ?? 5000
    this.#events = [...options.speaker.overview().events]
    options.speaker.events.on('speaker:event', this.#take)
  }

  readonly #take = (event: SpeakerEvent): void => {
    this.#events.push(event)
    const surplus = this.#events.length - this.#capacity
    // Not one by one: that would move all of them each time.
    if (surplus >= this.#capacity) {
      this.#events = this.#events.slice(surplus)
      this.#first += surplus
    }
    if (this.#subscriptions.size === 0) return
    this.#cancel ??= this.#options.clock.after(gatherMs, () => {
      this.#cancel = undefined
      for (const one of this.#subscriptions) one.wake()
    })
  }

  /** The number of the newest event. */
  get sequence(): number {
    return this.#first + this.#events.length - 1
  }

  /** Whether everything after that event is kept. */
  covers(sequence: number): boolean {
    return sequence <= this.sequence && sequence >= this.#first - 1
  }

  /** The event after that one; undefined where there is none yet. */
  after(sequence: number): LoggedEvent | undefined {
    const event = this.#events[sequence + 1 - this.#first]
    if (!event) return undefined
    const id = `${this.#options.epoch}-${sequence + 1}`
    return { sequence: sequence + 1, text: eventText('happened', event, id) }
  }

  /**
   * Another reader; undefined where there are too many. It is told first whom it hears, then what happened. `news` is called when there is
   * something to take.
   *
   * @param last the event that the reader had last, by its id: it gets what followed, as far as that is kept; everything where it is another
   *   process's, and the latest where there is none
   */
  subscribe(last: string | undefined, news: () => void): Subscription | undefined {
    const { speaker, epoch, readers = 32 } = this.#options
    if (this.#subscriptions.size >= readers) return undefined
    const { node, startedAt } = speaker
    const greeting = `event: speaker\ndata: ${JSON.stringify({ node, startedAt })}\n\n`
    const subscription = new Subscription(this, [greeting], this.#start(last, epoch), news)
    this.#subscriptions.add(subscription)
    return subscription
  }

  #start(last: string | undefined, epoch: string): number {
    if (last === undefined) return Math.max(this.#first - 1, this.sequence - remembered)
    const known = parseEventId(last, epoch)
    return known !== undefined && this.covers(known) ? known : this.#first - 1
  }

  unsubscribe(subscription: Subscription): void {
    this.#subscriptions.delete(subscription)
  }

  [Symbol.dispose](): void {
    this.#cancel?.()
    this.#options.speaker.events.off('speaker:event', this.#take)
  }
}
