import { setMaxListeners } from 'node:events'
import {
  CarillonError,
  type Clock,
  type Counter,
  type Gauge,
  type Logger,
  type Metrics,
  noMetrics,
  silentLogger,
} from '@carillon/core'
import { Agenda, type Outcome } from './agenda.ts'

/** What every writer needs. */
export interface WriterOptions {
  readonly clock: Clock
  /** 0 <= x < 1 */
  readonly random: () => number
  readonly log?: Logger
  readonly metrics?: Metrics
  /**
   * Asked before each attempt: false holds it back until `resume` is called. For a leader that is none at present.
   * @default always
   */
  readonly mayWrite?: () => boolean
}

/** How a writer stands. */
export interface WriterStatus {
  readonly writer: string
  /** Objects for which something is still to be written. */
  readonly pending: number
  /** Why nothing can be written; absent while all is well. */
  readonly failing?: {
    /** ISO 8601 */
    readonly since: string
    readonly attempts: number
    readonly error: CarillonError
  }
}

/** One write, to be carried out now. */
export interface Task<Desire> {
  readonly key: string
  readonly desire: Desire
  /** Ends when the queue is closed or held back. */
  readonly signal: AbortSignal
}

interface QueueOptions<Desire> extends WriterOptions {
  /** For logs and metrics. */
  readonly name: string
  readonly concurrency?: number
  readonly intervalMs?: number
  /** Brings the API server in line with a desire. Says whether it had to write. */
  readonly write: (task: Task<Desire>) => Promise<boolean>
}

/** The server is away as a whole, or nobody gets in. */
const away: ReadonlySet<string> = new Set([
  'API_UNREACHABLE',
  'API_TIMEOUT',
  'API_BUSY',
  'API_UNAUTHORIZED',
  'API_UNTRUSTED',
  'CREDENTIALS_UNAVAILABLE',
])

/** All objects of the kind fare alike, until somebody does something about it. */
const hopeless: ReadonlySet<string> = new Set(['API_FORBIDDEN', 'API_NO_SUCH_RESOURCE'])

/** Milliseconds between attempts at what somebody has to do something about first. */
const hopelessMs = 30_000

/** Least time between two warnings about failures of one kind, in milliseconds. */
const logIntervalMs = 60_000

/** One for all writes under way, however many. */
function stopper(): AbortController {
  const stop = new AbortController()
  setMaxListeners(0, stop.signal)
  return stop
}

/**
 * Carries out what an agenda says: a few writes at a time, the newest desire for each key, retried when somebody else was faster, one
 * attempt at a time while the server is away. What can never work is given up until it changes.
 */
export class WriteQueue<Desire> implements AsyncDisposable {
  readonly #options: QueueOptions<Desire>
  readonly #clock: Clock
  readonly #log: Logger
  readonly #agenda: Agenda<Desire>
  readonly #writes: Counter
  readonly #pending: Gauge
  #stop = stopper()
  #cancelWake: (() => void) | undefined
  #failing: { readonly since: Date; attempts: number; error: CarillonError } | undefined
  readonly #logged = new Map<string, number>()
  #idle: (() => void)[] = []
  #closed = false

  constructor(options: QueueOptions<Desire>) {
    this.#options = options
    this.#clock = options.clock
    this.#log = options.log ?? silentLogger
    this.#agenda = new Agenda({
      concurrency: options.concurrency ?? 8,
      intervalMs: options.intervalMs ?? 0,
      backOffMs: 100,
      maxBackOffMs: 30_000,
      random: options.random,
    })
    const metrics = options.metrics ?? noMetrics
    this.#writes = metrics.counter(
      'carillon_k8s_writes_total',
      'Writes to the API server, by writer and how they ended',
      ['writer', 'result'],
    )
    this.#pending = metrics.gauge(
      'carillon_k8s_writes_pending',
      'Objects for which something is still to be written, by writer',
      ['writer'],
    )
  }

  /** What is wanted for a key and not written yet. */
  desired(key: string): Desire | undefined {
    return this.#agenda.desired(key)
  }

  want(key: string, desire: Desire): void {
    if (this.#closed) return
    this.#agenda.want(key, desire, this.#clock.now())
    this.#wake()
  }

  drop(key: string): void {
    this.#agenda.drop(key)
    this.#settled()
  }

  status(): WriterStatus {
    const { name } = this.#options
    const failing = this.#failing && {
      since: this.#failing.since.toISOString(),
      attempts: this.#failing.attempts,
      error: this.#failing.error,
    }
    return { writer: name, pending: this.#agenda.size, ...(failing ? { failing } : {}) }
  }

  /** Writing may be possible again. */
  resume(): void {
    this.#wake()
  }

  /** Gives up what is under way, and forgets what was wanted: by the time that writing is allowed again it may be wrong. */
  hold(): void {
    this.#agenda.clear()
    this.#stop.abort()
    this.#stop = stopper()
    this.#settled()
  }

  /** Resolves when nothing is left to be written. */
  idle(): Promise<void> {
    if (this.#agenda.size === 0) return Promise.resolve()
    return new Promise(resolve => this.#idle.push(resolve))
  }

  /** Gives up everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#cancelWake?.()
    this.hold()
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  #wake(): void {
    this.#cancelWake?.()
    this.#cancelWake = undefined
    if (this.#closed) return
    this.#pending.set(this.#agenda.size, { writer: this.#options.name })
    const { mayWrite } = this.#options
    while (mayWrite?.() ?? true) {
      const task = this.#agenda.next(this.#clock.now())
      if (!task) break
      void this.#attempt(task.key, task.desire)
    }
    if (!(mayWrite?.() ?? true)) return
    const at = this.#agenda.wakeAt()
    if (at !== undefined)
      this.#cancelWake = this.#clock.after(Math.max(0, at - this.#clock.now()), () => this.#wake())
  }

  async #attempt(key: string, desire: Desire): Promise<void> {
    const { name, write } = this.#options
    let outcome: Outcome = { type: 'done' }
    try {
      const written = await write({ key, desire, signal: this.#stop.signal })
      if (written) this.#writes.inc({ writer: name, result: 'ok' })
      this.#recovered()
    } catch (error) {
      outcome = this.#judge(key, error)
    }
    if (this.#closed) return
    this.#agenda.ended(key, desire, outcome, this.#clock.now())
    this.#settled()
    this.#wake()
  }

  #judge(key: string, error: unknown): Outcome {
    const { name } = this.#options
    const failure = error instanceof CarillonError ? error : undefined
    const code = failure?.code ?? 'thrown'
    if (code === 'API_CANCELLED') return { type: 'again' }
    this.#writes.inc({ writer: name, result: code })
    if (failure && (away.has(code) || hopeless.has(code))) {
      this.#fail(failure)
      const { retryAfterMs } = failure.details
      const ms = hopeless.has(code) ? hopelessMs : typeof retryAfterMs === 'number' ? retryAfterMs : undefined
      return ms === undefined ? { type: 'away' } : { type: 'away', ms }
    }
    // The object is gone; who wants something of it will have been told.
    if (code === 'API_NOT_FOUND') return { type: 'done' }
    if (code === 'API_INVALID') {
      this.#log.error(
        { writer: name, key, code, message: failure?.message },
        'the API server refuses what is written',
      )
      return { type: 'done' }
    }
    if (code !== 'API_CONFLICT' && code !== 'API_EXISTS')
      this.#logFailure(key, code, failure?.message ?? String(error))
    return { type: 'again' }
  }

  /** Thousands of objects may fail for one cause: each is told once a minute. */
  #logFailure(key: string, code: string, message: string): void {
    const now = this.#clock.now()
    const loud = now - (this.#logged.get(code) ?? Number.NEGATIVE_INFINITY) >= logIntervalMs
    if (loud) this.#logged.set(code, now)
    const fields = { writer: this.#options.name, key, code, message }
    if (loud) this.#log.warn(fields, 'a write failed')
    else this.#log.debug(fields, 'a write failed')
  }

  /** Logged once for each cause. */
  #fail(error: CarillonError): void {
    const known = this.#failing
    if (known?.error.code !== error.code) {
      this.#log.warn(
        { writer: this.#options.name, code: error.code, message: error.message },
        'nothing can be written at present',
      )
    }
    this.#failing = {
      since: known?.since ?? this.#clock.date(),
      attempts: (known?.attempts ?? 0) + 1,
      error,
    }
  }

  #recovered(): void {
    if (!this.#failing) return
    const { since, attempts } = this.#failing
    this.#failing = undefined
    this.#log.info(
      { writer: this.#options.name, since: since.toISOString(), attempts },
      'writing works again',
    )
  }

  #settled(): void {
    this.#pending.set(this.#agenda.size, { writer: this.#options.name })
    if (this.#agenda.size > 0) return
    for (const resolve of this.#idle.splice(0)) resolve()
  }
}
