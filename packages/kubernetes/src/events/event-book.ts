import type { EventNote, EventSubject } from './note.ts'

/** How events are held together and held back. Times in milliseconds. */
export interface EventBookConfig {
  /** The same note within this long after the last is counted rather than told again. */
  readonly windowMs: number
  /** Different messages for one reason and object, after which they are told as one. */
  readonly similar: number
  /** Notes about one object at once, and how long until one more is allowed. */
  readonly burst: number
  readonly refillMs: number
  /** The same for all objects together: a flood of events helps nobody. */
  readonly totalBurst: number
  readonly totalRefillMs: number
  /** Series and objects that are remembered. */
  readonly capacity: number
}

export const defaultEventBook: EventBookConfig = {
  windowMs: 600_000,
  similar: 10,
  burst: 25,
  refillMs: 300_000,
  totalBurst: 50,
  totalRefillMs: 200,
  capacity: 4096,
}

/** One event, as it is to be told now; `count` above 1: it was told before. */
export interface EventSeries {
  readonly id: string
  readonly note: EventNote
  readonly count: number
  /** Wall-clock times. */
  readonly first: Date
  readonly last: Date
}

interface Series {
  readonly id: string
  readonly note: EventNote
  readonly first: Date
  count: number
  lastAt: number
}

interface Bucket {
  tokens: number
  at: number
}

const subjectKey = ({ kind, namespace = '', name, uid = '' }: EventSubject): string =>
  `${kind} ${namespace}/${name} ${uid}`

/** Keeps the entries used last. */
class Recent<Value> {
  readonly #values = new Map<string, Value>()
  readonly #capacity: number

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get(key: string): Value | undefined {
    const value = this.#values.get(key)
    if (value !== undefined) this.set(key, value)
    return value
  }

  set(key: string, value: Value): void {
    this.#values.delete(key)
    this.#values.set(key, value)
    if (this.#values.size <= this.#capacity) return
    const [oldest] = this.#values.keys()
    if (oldest !== undefined) this.#values.delete(oldest)
  }
}

/**
 * Decides what becomes of a note: a new event, one more of a series, or nothing, because there have been too many. Pure, and bounded in what
 * it remembers.
 */
export class EventBook {
  readonly #config: EventBookConfig
  readonly #series: Recent<Series>
  readonly #messages: Recent<{ readonly texts: Set<string>; at: number }>
  readonly #buckets: Recent<Bucket>
  /** Warnings have their own, so that no flood of good news crowds them out. */
  readonly #totals: { readonly [Type in EventNote['type']]: Bucket }
  #ids = 0

  constructor(config: EventBookConfig = defaultEventBook) {
    this.#config = config
    this.#series = new Recent(config.capacity)
    this.#messages = new Recent(config.capacity)
    this.#buckets = new Recent(config.capacity)
    const total = (): Bucket => ({ tokens: config.totalBurst, at: Number.NEGATIVE_INFINITY })
    this.#totals = { Normal: total(), Warning: total() }
  }

  /** What to tell; undefined: nothing. */
  take(note: EventNote, now: number, date: Date): EventSeries | undefined {
    const told = this.#combined(note, now)
    const key = `${subjectKey(told.about)} ${told.type} ${told.reason} ${told.message}`
    const known = this.#series.get(key)
    const same = known && now - known.lastAt <= this.#config.windowMs ? known : undefined
    if (!this.#allowed(subjectKey(told.about), told.type, now)) {
      // It is counted all the same, and told with the next one.
      if (same) {
        same.count++
        same.lastAt = now
      }
      return undefined
    }
    const series: Series = same ?? { id: String(this.#ids++), note: told, first: date, count: 0, lastAt: now }
    series.count++
    series.lastAt = now
    this.#series.set(key, series)
    return { id: series.id, note: told, count: series.count, first: series.first, last: date }
  }

  /** A note that differs from many others in its message alone is told in the name of all. */
  #combined(note: EventNote, now: number): EventNote {
    const key = `${subjectKey(note.about)} ${note.type} ${note.reason}`
    const known = this.#messages.get(key)
    const messages =
      known && now - known.at <= this.#config.windowMs ? known : { texts: new Set<string>(), at: now }
    messages.at = now
    this.#messages.set(key, messages)
    if (messages.texts.size < this.#config.similar || messages.texts.has(note.message)) {
      messages.texts.add(note.message)
      return note
    }
    return { ...note, message: '(combined from similar events)' }
  }

  #allowed(key: string, type: EventNote['type'], now: number): boolean {
    const { burst, refillMs, totalBurst, totalRefillMs } = this.#config
    const bucket = this.#buckets.get(key) ?? { tokens: burst, at: now }
    this.#buckets.set(key, bucket)
    refill(bucket, burst, refillMs, now)
    const total = this.#totals[type]
    refill(total, totalBurst, totalRefillMs, now)
    if (bucket.tokens < 1 || total.tokens < 1) return false
    bucket.tokens--
    total.tokens--
    return true
  }
}

function refill(bucket: Bucket, burst: number, refillMs: number, now: number): void {
  bucket.tokens = Math.min(burst, bucket.tokens + (now - bucket.at) / refillMs)
  bucket.at = now
}
