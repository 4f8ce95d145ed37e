import { CarillonError, type Clock, drive, type Machine } from '@carillon/core'
import type { Client, Selection, WatchEvent } from '../client/index.ts'
import {
  initialReflector,
  Reflector,
  type ReflectorConfig,
  type ReflectorEvent,
  type ReflectorOutput,
  type ReflectorState,
} from './reflector.ts'
import type { WatchedKind } from './watched-kind.ts'

/** How the following of one kind stands. */
export interface KindStatus {
  /** Plural and group: `ipaddresspools.metallb.io`. */
  readonly resource: string
  readonly phase: ReflectorState['phase']
  /** Whether its objects are known; while it fails they may be out of date. */
  readonly synced: boolean
  readonly objects: number
  /** Why it is not up to date; absent while it is. */
  readonly failing?: {
    /** ISO 8601 */
    readonly since: string
    readonly forMs: number
    readonly attempts: number
    readonly error: CarillonError
  }
}

/** What a follower tells. */
export interface FollowerTold {
  /** So many objects changed in a way that matters. */
  changed(objects: number): void
  /** All that there is is known now. */
  synced(): void
  failing(error: CarillonError, attempts: number): void
  recovered(afterMs: number, attempts: number): void
}

/** Where a follower puts what it gets. */
export interface Store {
  /** How many objects there are. */
  readonly size: number
  /** A whole list follows, in pages. Until it is committed, nothing changes. */
  begin(): void
  /** Takes a page of the list. */
  stage(objects: readonly unknown[]): void
  /** The list is whole: it is all there is. Gives how many objects are not as they were. */
  commit(): number
  /** Takes changes that a watch tells of. Gives how many mean something. */
  apply(events: readonly WatchEvent[]): number
}

/** What a follower needs. */
export interface FollowerOptions {
  readonly kind: Pick<WatchedKind, 'type'>
  readonly client: Client
  readonly clock: Clock
  readonly selection: Selection
  readonly shelf: Store
  readonly config: ReflectorConfig
  readonly told: FollowerTold
}

interface Waiter {
  readonly list: number
  readonly resolve: () => void
}

/** Keeps a shelf as the API server has it: does what the reflector says. */
export class Follower {
  readonly #options: FollowerOptions
  readonly #machine: Machine<ReflectorState, ReflectorEvent>
  #request = new AbortController()
  #lists = 0
  #waiters: Waiter[] = []

  constructor(options: FollowerOptions) {
    this.#options = options
    const { step } = new Reflector(options.config)
    this.#machine = drive<ReflectorState, ReflectorEvent, ReflectorOutput>({
      initial: initialReflector,
      step,
      clock: options.clock,
      output: output => this.#perform(output),
    })
  }

  get synced(): boolean {
    return this.#machine.state.synced
  }

  start(): void {
    this.#machine.handle({ type: 'start' })
  }

  /** Resolves when a list that was begun after this call is whole. */
  refresh(): Promise<void> {
    const list = this.#lists + 1
    const done = new Promise<void>(resolve => this.#waiters.push({ list, resolve }))
    this.#machine.handle({ type: 'refresh' })
    return done
  }

  status(now: number, date: Date): Omit<KindStatus, 'resource'> {
    const { phase, synced, failing } = this.#machine.state
    const objects = this.#options.shelf.size
    if (!failing) return { phase, synced, objects }
    const forMs = now - failing.since
    const since = new Date(date.getTime() - forMs).toISOString()
    return {
      phase,
      synced,
      objects,
      failing: { since, forMs, attempts: failing.attempts, error: failing.error },
    }
  }

  /** Ends what is under way. Whoever waits for a list is let go. */
  stop(): void {
    this.#machine.stop()
    this.#request.abort()
    for (const { resolve } of this.#waiters.splice(0)) resolve()
  }

  #perform(output: ReflectorOutput): void {
    const { shelf, told } = this.#options
    switch (output.do) {
      case 'list':
        if (output.continue === undefined) {
          this.#lists++
          shelf.begin()
        }
        void this.#list(output)
        break
      case 'watch':
        void this.#watch(output)
        break
      case 'abandon':
        this.#request.abort()
        break
      case 'commit':
        told.changed(shelf.commit())
        told.synced()
        this.#release()
        break
      case 'none':
        told.synced()
        break
      case 'failing':
        told.failing(output.error, output.attempts)
        break
      case 'recovered':
        told.recovered(output.afterMs, output.attempts)
        break
    }
  }

  #release(): void {
    const waiting = this.#waiters
    this.#waiters = waiting.filter(({ list }) => list > this.#lists)
    for (const { list, resolve } of waiting) if (list <= this.#lists) resolve()
  }

  async #list(output: Extract<ReflectorOutput, { do: 'list' }>): Promise<void> {
    const { client, kind, selection, shelf } = this.#options
    const request = this.#next()
    try {
      const { limit, continue: from } = output
      const page = await client.list(kind.type, {
        ...selection,
        ...(limit === undefined ? {} : { limit }),
        ...(from === undefined ? {} : { continue: from }),
        signal: request.signal,
      })
      if (request.signal.aborted) return
      shelf.stage(page.items)
      this.#machine.handle({
        type: 'page',
        resourceVersion: page.resourceVersion,
        ...(page.continue === undefined ? {} : { continue: page.continue }),
      })
    } catch (error) {
      this.#fail(request, error)
    }
  }

  async #watch({
    resourceVersion,
    timeoutSeconds,
  }: Extract<ReflectorOutput, { do: 'watch' }>): Promise<void> {
    const { client, kind, selection } = this.#options
    const request = this.#next()
    const { signal } = request
    try {
      await client.watch(kind.type, {
        ...selection,
        resourceVersion,
        timeoutSeconds,
        signal,
        opened: () => {
          if (!signal.aborted) this.#machine.handle({ type: 'opened' })
        },
        events: events => this.#take(events, signal),
      })
      if (!signal.aborted) this.#machine.handle({ type: 'ended' })
    } catch (error) {
      this.#fail(request, error)
    }
  }

  #take(events: readonly WatchEvent[], signal: AbortSignal): void {
    if (signal.aborted) return
    const { shelf, told } = this.#options
    const changed = shelf.apply(events)
    const last = events.at(-1) as WatchEvent
    const bookmark = events.some(event => event.type === 'BOOKMARK')
    this.#machine.handle({ type: 'progress', resourceVersion: last.resourceVersion, bookmark })
    if (changed > 0) told.changed(changed)
  }

  #next(): AbortController {
    this.#request = new AbortController()
    return this.#request
  }

  #fail(request: AbortController, error: unknown): void {
    if (request.signal.aborted) return
    const { kind } = this.#options
    const failure =
      error instanceof CarillonError
        ? error
        : new CarillonError('API_BAD_ANSWER', `${kind.type.plural}: ${String(error)}`, {}, { cause: error })
    this.#machine.handle({ type: 'failed', error: failure })
  }
}
