import {
  CarillonError,
  type Clock,
  emptySnapshot,
  type Logger,
  type Metrics,
  noMetrics,
  type Problem,
  type Resource,
  type Snapshot,
  type Source,
  type SourceEvents,
  silentLogger,
} from '@carillon/core'
import { EventEmitter } from 'eventemitter3'
import { type Client, resourceName, type Selection } from '../client/index.ts'
import { Follower, type KindStatus } from './follower.ts'
import { Outages } from './outages.ts'
import { type ReflectorConfig, reflectorDefaults } from './reflector.ts'
import { Shelf } from './shelf.ts'
import { SourceInstruments } from './source-instruments.ts'
import { type KindName, watchedKinds } from './watched-kind.ts'

/** What a Kubernetes source follows, and how. Times in milliseconds. */
export interface KubernetesSourceOptions {
  readonly client: Client
  /** One's own namespace: `metallb.io` kinds and Secrets are read from there alone. */
  readonly namespace: string
  readonly clock: Clock
  /** 0 <= x < 1 */
  readonly random: () => number
  readonly log?: Logger
  readonly metrics?: Metrics
  /**
   * What to follow; the other lists of the snapshot stay empty.
   * @default every kind
   */
  readonly kinds?: readonly KindName[]
  /** Narrows kinds down by label or field, or to another namespace. */
  readonly select?: { readonly [Kind in KindName]?: Selection }
  /**
   * Changes are gathered for this long before they make a snapshot; longer, while one follows another and each costs those who follow them
   * more time than that.
   * @default 5
   */
  readonly batchMs?: number
  /**
   * Objects in one page of a list. Larger pages are read somewhat faster, and cost more memory.
   * @default 200
   */
  readonly pageSize?: number
  /**
   * A watch is made anew after this long, up to twice as long.
   * @default 240000
   */
  readonly watchMs?: number
  /**
   * A watch in which this long nothing came, although bookmarks do come (about once a minute), is taken for dead and made anew.
   * @default 150000
   */
  readonly silenceMs?: number
  /**
   * Milliseconds for which changes are gathered after a snapshot that cost those who follow it so many, where one comes after another: the
   * rest of the process gets that time.
   * @default four times the cost, 250 at most
   */
  readonly rest?: (costMs: number) => number
  /**
   * The first pause after a failure; it doubles with each.
   * @default 800
   */
  readonly backOffMs?: number
  /**
   * The longest pause after a failure.
   * @default 30000
   */
  readonly maxBackOffMs?: number
}

/** How a source stands. */
export interface SourceStatus {
  /** Whether the whole of it has been known once. */
  readonly synced: boolean
  /** Since when something cannot be followed, ISO 8601; absent while all is well. */
  readonly failingSince?: string
  readonly kinds: readonly KindStatus[]
}

interface Followed {
  readonly name: KindName
  readonly resource: string
  readonly shelf: Shelf
  readonly follower: Follower
  /** Set while it counts as empty because it cannot be known. */
  absence: Problem | undefined
}

const sameItems = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((item, i) => item === b[i])

const allKinds = Object.keys(watchedKinds) as readonly KindName[]

/** The longest that changes are gathered for because snapshots cost so much, in milliseconds. */
const maxBatchMs = 500

const usualRest = (costMs: number): number => Math.min(4 * costMs, 250)

/** So much of that rest, in milliseconds, may be put off: a change now and then waits for nothing, a stream of them does. */
const restCreditMs = 100

/**
 * The cluster as a source: lists and watches each kind, and gives one immutable snapshot for each batch of changes. The first one comes
 * when every kind is known. From then on nothing is ever forgotten because the API server is away, refuses, or has compacted its history:
 * the last that was known stays, `status()` says since when, and what comes back unchanged is the same object as before.
 */
export class KubernetesSource implements Source {
  readonly events: EventEmitter<SourceEvents> = new EventEmitter()
  readonly #options: KubernetesSourceOptions
  readonly #log: Logger
  readonly #clock: Clock
  readonly #rest: (costMs: number) => number
  readonly #instruments: SourceInstruments
  readonly #outages = new Outages()
  readonly #followed: readonly Followed[]
  #snapshot: Snapshot = emptySnapshot
  #started: Promise<Snapshot> | undefined
  #first: ((snapshot: Snapshot) => void) | undefined
  #refuse: ((error: CarillonError) => void) | undefined
  #whole = false
  #cancelBatch: (() => void) | undefined
  /** When all the rest that snapshots have asked for so far is over. */
  #restUntil = Number.NEGATIVE_INFINITY
  #closed = false

  constructor(options: KubernetesSourceOptions) {
    this.#options = options
    this.#clock = options.clock
    this.#rest = options.rest ?? usualRest
    this.#log = options.log ?? silentLogger
    this.#instruments = new SourceInstruments(options.metrics ?? noMetrics)
    const wanted = new Set(options.kinds ?? allKinds)
    this.#followed = allKinds.filter(name => wanted.has(name)).map(name => this.#follow(name))
  }

  start(): Promise<Snapshot> {
    this.#started ??= new Promise((resolve, reject) => {
      this.#first = resolve
      this.#refuse = reject
      for (const { follower } of this.#followed) follower.start()
      this.#complete()
    })
    return this.#started
  }

  current(): Snapshot {
    return this.#snapshot
  }

  /** How each kind stands; for readiness, and for people. */
  status(): SourceStatus {
    const [now, date] = [this.#clock.now(), this.#clock.date()]
    const kinds = this.#followed.map(({ resource, follower }) => ({
      resource,
      ...follower.status(now, date),
    }))
    const since = kinds.flatMap(({ failing }) => failing?.since ?? []).sort()[0]
    return {
      synced: kinds.every(kind => kind.synced),
      ...(since === undefined ? {} : { failingSince: since }),
      kinds,
    }
  }

  /**
   * Asks for whole lists anew and resolves with a snapshot that holds everything the API server had when this was called. For one who has
   * just become the leader, and must not decide by what it saw before.
   */
  async refresh(kinds: readonly KindName[] = allKinds): Promise<Snapshot> {
    const wanted = this.#followed.filter(({ name }) => kinds.includes(name))
    await Promise.all(wanted.map(({ follower }) => follower.refresh()))
    if (this.#closed) throw closed()
    this.#publish()
    return this.#snapshot
  }

  /**
   * The last version in which an object of a snapshot still said just what it says there: what a write that is based on it has to find.
   * Undefined for objects that are from elsewhere.
   */
  versionOf(kind: KindName, object: Resource): string | undefined {
    return this.#followed.find(({ name }) => name === kind)?.shelf.versionOf(object)
  }

  /** Stops following. `start` rejects if it is still waiting. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#cancelBatch?.()
    for (const { follower } of this.#followed) follower.stop()
    this.#refuse?.(closed())
    this.events.removeAllListeners()
  }

  #follow(name: KindName): Followed {
    const { client, namespace, random, select = {} } = this.#options
    const kind = watchedKinds[name]
    const resource = resourceName(kind.type)
    const shelf = new Shelf(kind)
    this.#instruments.following(resource)
    const config: ReflectorConfig = {
      whenMissing: kind.whenMissing,
      whenForbidden: kind.whenForbidden,
      pageSize: this.#options.pageSize ?? reflectorDefaults.pageSize,
      watchMs: this.#options.watchMs ?? reflectorDefaults.watchMs,
      silenceMs: this.#options.silenceMs ?? reflectorDefaults.silenceMs,
      backOffMs: this.#options.backOffMs ?? reflectorDefaults.backOffMs,
      maxBackOffMs: this.#options.maxBackOffMs ?? reflectorDefaults.maxBackOffMs,
      random,
    }
    const followed: Followed = {
      name,
      resource,
      shelf,
      absence: undefined,
      follower: new Follower({
        kind,
        client,
        clock: this.#clock,
        selection: { ...(kind.own ? { namespace } : {}), ...select[name] },
        shelf,
        config,
        told: {
          changed: objects => this.#changed(followed, objects),
          synced: () => this.#synced(followed),
          failing: (error, attempts) => this.#failing(followed, error, attempts),
          recovered: (afterMs, attempts) => this.#recovered(followed, afterMs, attempts),
        },
      }),
    }
    return followed
  }

  #changed({ resource, shelf }: Followed, objects: number): void {
    this.#instruments.changed(resource, objects, shelf.size)
    if (objects > 0) this.#soon()
  }

  #synced({ resource }: Followed): void {
    this.#instruments.synced(resource)
    this.#complete()
  }

  #failing(followed: Followed, error: CarillonError, attempts: number): void {
    const { resource, shelf, follower } = followed
    this.#instruments.failed(resource, error)
    const news = this.#outages.failed(resource, error, attempts, this.#whole)
    this.#log.debug({ resource, code: error.code, attempts, message: error.message }, 'cannot follow a kind')
    if (follower.synced && shelf.size === 0) this.#noteAbsence(followed, error)
    if (news) this.events.emit('source:failed', error)
  }

  /** Of a kind that is missing or forbidden nothing is known, and nothing is what there counts as: people should know. */
  #noteAbsence(followed: Followed, { code, message }: CarillonError): void {
    if (code !== 'API_FORBIDDEN' && code !== 'API_NO_SUCH_RESOURCE') return
    if (followed.absence?.message === message) return
    const { kind } = watchedKinds[followed.name].type
    followed.absence = { severity: 'warning', kind, name: '', field: '', message }
    this.#soon()
  }

  #recovered(followed: Followed, afterMs: number, attempts: number): void {
    const { resource } = followed
    const news = this.#outages.recovered(resource)
    this.#instruments.recovered(resource, !this.#outages.any)
    if (followed.absence) {
      followed.absence = undefined
      this.#soon()
    }
    if (news)
      this.#log.info(
        { resource, afterMs: Math.round(afterMs), attempts },
        'the API server can be followed again',
      )
  }

  /** Once every kind is known there is a first snapshot. */
  #complete(): void {
    if (
      this.#whole ||
      this.#closed ||
      !this.#first ||
      !this.#followed.every(({ follower }) => follower.synced)
    )
      return
    this.#whole = true
    this.#cancelBatch?.()
    this.#cancelBatch = undefined
    this.#snapshot = this.#collect()
    this.#first(this.#snapshot)
  }

  #soon(): void {
    if (!this.#whole || this.#closed || this.#cancelBatch) return
    const owed = Math.min(this.#restUntil - this.#clock.now() - restCreditMs, maxBatchMs)
    const ms = Math.max(this.#options.batchMs ?? 5, owed)
    this.#cancelBatch = this.#clock.after(ms, () => {
      this.#cancelBatch = undefined
      this.#publish()
    })
  }

  #publish(): void {
    if (!this.#whole || this.#closed) return
    const from = this.#clock.now()
    const next = this.#collect()
    if (next === this.#snapshot) return
    this.#snapshot = next
    this.events.emit('snapshot:changed', next)
    const cost = this.#clock.now() - from
    this.#restUntil = Math.max(this.#restUntil, from) + cost + Math.min(this.#rest(cost), maxBatchMs)
  }

  #collect(): Snapshot {
    const before = this.#snapshot
    const lists = Object.fromEntries(this.#followed.map(({ name, shelf }) => [name, shelf.items()]))
    const found = this.#followed.flatMap(({ absence, shelf }) => [
      ...(absence ? [absence] : []),
      ...shelf.problems(),
    ])
    const problems = sameItems(found, before.problems) ? before.problems : found
    const next = { ...before, ...lists, problems } as Snapshot
    return (Object.keys(next) as (keyof Snapshot)[]).every(list => next[list] === before[list])
      ? before
      : next
  }
}

const closed = (): CarillonError => new CarillonError('API_CANCELLED', 'the source was closed')
