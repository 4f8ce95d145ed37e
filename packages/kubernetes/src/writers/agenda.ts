import { Timeline } from '@carillon/core'

/** How an attempt ended. */
export type Outcome =
  /** Done, or there is nothing to do any more. */
  | { readonly type: 'done' }
  /** This one has to be tried again; the others are not concerned. */
  | { readonly type: 'again' }
  /** Nothing can be written at all now; after `ms` it is worth a try. */
  | { readonly type: 'away'; readonly ms?: number }

/** How an agenda paces itself. Times in milliseconds. */
export interface AgendaConfig {
  /** Attempts under way at one time. */
  readonly concurrency: number
  /** From the start of an attempt for a key to the next one that has news for it. */
  readonly intervalMs: number
  /** The first pause after a failure, and the longest; each doubles the one before. */
  readonly backOffMs: number
  readonly maxBackOffMs: number
  /** 0 <= x < 1 */
  readonly random: () => number
}

interface Entry<Desire> {
  desire: Desire
  running: boolean
  /** Dropped, but still under way: it must not be begun a second time meanwhile. */
  dropped: boolean
  attempts: number
  /** Not before this time. */
  dueAt: number
  unplan: (() => void) | undefined
}

/**
 * What is to be written, by key. A newer desire takes the place of an older one that has not been written; what fails is tried again,
 * later each time; when nothing works, one attempt at a time is made until something does. Pure: its owner asks what to start, and says
 * how it ended.
 */
export class Agenda<Desire> {
  readonly #config: AgendaConfig
  readonly #entries = new Map<string, Entry<Desire>>()
  readonly #ready = new Map<string, Entry<Desire>>()
  readonly #later = new Timeline()
  /** When the last attempt for a key began, for as long as that matters. */
  readonly #began = new Map<string, number>()
  #running = 0
  #dropped = 0
  #awayAttempts = 0
  #awayUntil = Number.NEGATIVE_INFINITY

  constructor(config: AgendaConfig) {
    this.#config = config
  }

  /** Keys of which something is to be written or is being written. */
  get size(): number {
    return this.#entries.size - this.#dropped
  }

  /** Whether nothing works at present. */
  get away(): boolean {
    return this.#awayAttempts > 0
  }

  /** What is wanted for a key, unless it is dropped first. */
  desired(key: string): Desire | undefined {
    const entry = this.#entries.get(key)
    return entry?.dropped ? undefined : entry?.desire
  }

  /** Wants something written. */
  want(key: string, desire: Desire, now: number): void {
    const known = this.#entries.get(key)
    if (known) {
      known.desire = desire
      if (known.dropped) this.#dropped--
      known.dropped = false
      return
    }
    const began = this.#began.get(key)
    const dueAt = began === undefined ? now : began + this.#config.intervalMs
    const entry: Entry<Desire> = {
      desire,
      running: false,
      dropped: false,
      attempts: 0,
      dueAt,
      unplan: undefined,
    }
    this.#entries.set(key, entry)
    this.#schedule(key, entry, now)
  }

  /** Wants nothing for a key any more. What is under way is not recalled. */
  drop(key: string): void {
    const entry = this.#entries.get(key)
    if (!entry || entry.dropped) return
    if (entry.running) {
      entry.dropped = true
      this.#dropped++
      return
    }
    this.#unschedule(key, entry)
    this.#entries.delete(key)
  }

  /** Wants nothing any more. */
  clear(): void {
    for (const key of [...this.#entries.keys()]) this.drop(key)
  }

  /** What to start now; it counts as under way until `ended` is told. */
  next(now: number): { readonly key: string; readonly desire: Desire } | undefined {
    if (now < this.#awayUntil) return undefined
    if (this.#running >= (this.away ? 1 : this.#config.concurrency)) return undefined
    for (let due = this.#later.take(now); due; due = this.#later.take(now)) due.run()
    const [first] = this.#ready
    if (!first) return undefined
    const [key, entry] = first
    this.#ready.delete(key)
    this.#running++
    entry.running = true
    if (this.#config.intervalMs > 0) {
      this.#began.delete(key)
      this.#began.set(key, now)
    }
    return { key, desire: entry.desire }
  }

  /** When `next` should be asked again; undefined: when something is wanted, or has ended. */
  wakeAt(): number | undefined {
    if (this.#running >= (this.away ? 1 : this.#config.concurrency)) return undefined
    const due = this.#ready.size > 0 ? Number.NEGATIVE_INFINITY : this.#later.next
    return due === undefined ? undefined : Math.max(due, this.#awayUntil)
  }

  /** An attempt has ended. */
  ended(key: string, desire: Desire, outcome: Outcome, now: number): void {
    this.#running--
    if (outcome.type === 'away') this.#goAway(now, outcome.ms)
    else this.#awayAttempts = 0
    this.#forget(now)
    const entry = this.#entries.get(key)
    if (!entry) return
    entry.running = false
    if (entry.dropped) this.#dropped--
    if (entry.dropped || (outcome.type === 'done' && entry.desire === desire)) {
      this.#entries.delete(key)
      return
    }
    if (outcome.type === 'done') {
      entry.attempts = 0
      entry.dueAt = (this.#began.get(key) ?? now) + this.#config.intervalMs
    } else if (outcome.type === 'again') {
      entry.attempts++
      entry.dueAt = now + this.#pause(entry.attempts)
    }
    this.#schedule(key, entry, now)
  }

  #goAway(now: number, ms: number | undefined): void {
    this.#awayAttempts++
    const pause = this.#pause(this.#awayAttempts)
    this.#awayUntil = now + Math.max(pause, (ms ?? 0) * (1 + this.#config.random() / 4))
  }

  #pause(attempts: number): number {
    const { backOffMs, maxBackOffMs, random } = this.#config
    return Math.min(maxBackOffMs, backOffMs * 2 ** Math.min(attempts - 1, 20)) * (0.5 + random() / 2)
  }

  #schedule(key: string, entry: Entry<Desire>, now: number): void {
    if (entry.dueAt <= now) this.#ready.set(key, entry)
    else {
      entry.unplan = this.#later.plan(entry.dueAt, () => {
        entry.unplan = undefined
        this.#ready.set(key, entry)
      })
    }
  }

  #unschedule(key: string, entry: Entry<Desire>): void {
    entry.unplan?.()
    entry.unplan = undefined
    if (this.#ready.get(key) === entry) this.#ready.delete(key)
  }

  /** Times that no longer hold anything back are let go; those begun first stand first. */
  #forget(now: number): void {
    for (const [key, began] of this.#began) {
      if (now - began < this.#config.intervalMs) break
      this.#began.delete(key)
    }
  }
}
