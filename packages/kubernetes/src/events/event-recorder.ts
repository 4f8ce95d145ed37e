import { type Counter, noMetrics } from '@carillon/core'
import { type Client, type KubeObject, resourceTypes } from '../client/index.ts'
import { type Task, WriteQueue, type WriterOptions, type WriterStatus } from '../writers/write-queue.ts'
import { EventBook, type EventBookConfig, type EventSeries } from './event-book.ts'
import type { EventNote } from './note.ts'

/** What a recorder of events needs. */
export interface EventRecorderOptions extends WriterOptions {
  readonly client: Client
  /** Who tells: `metallb-controller` and `metallb-speaker` are what MetalLB says. */
  readonly component: string
  /** Node that it is told on. */
  readonly host?: string
  /**
   * Events that may wait to be written; further ones are dropped and counted.
   * @default 1000
   */
  readonly capacity?: number
  readonly book?: EventBookConfig
}

/** Namespace of events about objects that have none. */
const defaultNamespace = 'default'

/** Least time between two writes of one event, in milliseconds: its count is not worth more. */
const intervalMs = 10_000

/** A name that no other event has: what it is about, and a random part. */
const suffix = (random: () => number): string =>
  Array.from({ length: 2 }, () =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0'),
  ).join('')

/**
 * Tells people what happened to an object: `kubectl describe` shows it. The same again is counted in the same event, much at once is held
 * back. It is best effort: what cannot be written for long is dropped.
 */
export class EventRecorder implements AsyncDisposable {
  readonly #options: EventRecorderOptions
  readonly #book: EventBook
  readonly #queue: WriteQueue<EventSeries>
  readonly #dropped: Counter
  /** Names of events that have been written, by series. */
  readonly #names = new Map<string, string>()

  constructor(options: EventRecorderOptions) {
    this.#options = options
    this.#book = new EventBook(options.book)
    this.#queue = new WriteQueue({
      ...options,
      name: 'events',
      concurrency: 2,
      intervalMs,
      write: task => this.#write(task),
    })
    this.#dropped = (options.metrics ?? noMetrics).counter(
      'carillon_k8s_events_dropped_total',
      'Events that were not told, because there were too many',
    )
  }

  /** Tells of something. Never throws, and takes no time. */
  record(note: EventNote): void {
    const { clock, capacity = 1000 } = this.#options
    const series = this.#book.take(note, clock.now(), clock.date())
    const full = this.#queue.status().pending >= capacity
    if (!series || (full && !this.#queue.desired(series.id))) this.#dropped.inc()
    else this.#queue.want(series.id, series)
  }

  status(): WriterStatus {
    return this.#queue.status()
  }

  /** Resolves when nothing is left to be written. */
  idle(): Promise<void> {
    return this.#queue.idle()
  }

  /** Writing is allowed again. */
  resume(): void {
    this.#queue.resume()
  }

  /** Writing is not allowed any more: gives up what is under way, and forgets what was to be told. */
  hold(): void {
    this.#queue.hold()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue[Symbol.asyncDispose]()
  }

  async #write({ key, desire, signal }: Task<EventSeries>): Promise<boolean> {
    const { client } = this.#options
    const namespace = desire.note.about.namespace ?? defaultNamespace
    const name = this.#names.get(key)
    if (name !== undefined && (await this.#count(namespace, name, desire, signal))) return true
    const { metadata } = await client.create(resourceTypes.events, this.#event(namespace, desire), { signal })
    if (metadata.name !== undefined) this.#remember(key, metadata.name)
    return true
  }

  /** False: the event is gone, as they all are after a while. */
  async #count(
    namespace: string,
    name: string,
    { count, last }: EventSeries,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { client } = this.#options
    try {
      await client.patch(
        resourceTypes.events,
        { namespace, name },
        { count, lastTimestamp: stamp(last) },
        { signal },
      )
      return true
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'API_NOT_FOUND') throw error
      return false
    }
  }

  #event(namespace: string, { note, count, first, last }: EventSeries): KubeObject {
    const { component, host, random } = this.#options
    const { about, type, reason, message } = note
    return {
      metadata: { namespace, name: `${about.name}.${suffix(random)}` },
      involvedObject: about,
      type,
      reason,
      message: message.slice(0, 1024),
      source: { component, ...(host === undefined ? {} : { host }) },
      reportingComponent: component,
      reportingInstance: host ?? '',
      firstTimestamp: stamp(first),
      lastTimestamp: stamp(last),
      count,
    }
  }

  #remember(key: string, name: string): void {
    this.#names.set(key, name)
    const { capacity = 1000 } = this.#options
    const [oldest] = this.#names.keys()
    if (this.#names.size > 4 * capacity && oldest !== undefined) this.#names.delete(oldest)
  }
}

const stamp = (date: Date): string => date.toISOString().replace(/\.\d+Z$/, 'Z')
