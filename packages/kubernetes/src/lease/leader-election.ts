import {
  CarillonError,
  type Clock,
  drive,
  type Logger,
  type Machine,
  silentLogger,
  systemClock,
} from '@carillon/core'
import { EventEmitter } from 'eventemitter3'
import { type Client, type KubeObject, resourceTypes } from '../client/index.ts'
import {
  Elector,
  type ElectorEvent,
  type ElectorOutput,
  type ElectorState,
  initialElector,
  type LeaseRecord,
} from './elector.ts'
import { type LeaseSpec, microTime, readLease } from './lease-object.ts'

/** What a leader election needs. Times in milliseconds. */
export interface LeaderElectionOptions {
  readonly client: Client
  readonly namespace: string
  /** Name of the Lease. */
  readonly name: string
  /** Who this is; no other process may have the same, not even an earlier one: the name of the Pod and something random. */
  readonly identity: string
  /** @default the process's own time */
  readonly clock?: Clock
  /**
   * 0 <= x < 1
   * @default Math.random
   */
  readonly random?: () => number
  readonly log?: Logger
  /**
   * A Lease that was not renewed for this long is free.
   * @default 15000
   */
  readonly leaseMs?: number
  /**
   * A leader that could not renew for this long leads no more.
   * @default 10000
   */
  readonly renewMs?: number
  /**
   * From one look, or one renewal, to the next.
   * @default 2000
   */
  readonly retryMs?: number
}

/** What a leader election tells. */
export interface LeaderElectionEvents {
  /**
   * This process leads from now on, until `term` is aborted. What it saw before may be old: it has to look again before it decides
   * (`KubernetesSource.refresh`), and forget what it decided in an earlier term.
   */
  'leader:elected': (term: AbortSignal) => void
  /** This process leads no more, and must not write. */
  'leader:lost': () => void
}

/** How the election stands. */
export interface LeaderElectionStatus {
  readonly leading: boolean
  /** Who holds the Lease as far as is known; empty: nobody. */
  readonly holder: string
}

/**
 * One leader among several processes, by a Lease. `leading` is true only while nobody else can be: it ends a good while before
 * the Lease does, whether or not the API server answers.
 */
export class LeaderElection implements AsyncDisposable {
  readonly events: EventEmitter<LeaderElectionEvents> = new EventEmitter()
  readonly #options: LeaderElectionOptions
  readonly #clock: Clock
  readonly #log: Logger
  readonly #leaseMs: number
  readonly #renewMs: number
  readonly #machine: Machine<ElectorState, ElectorEvent>
  #request = new AbortController()
  #term = new AbortController()
  #failure: string | undefined
  #left: (() => void)[] = []

  constructor(options: LeaderElectionOptions) {
    const { identity, clock = systemClock, random = Math.random, log = silentLogger } = options
    this.#options = options
    this.#clock = clock
    this.#log = log
    this.#leaseMs = options.leaseMs ?? 15_000
    this.#renewMs = options.renewMs ?? 10_000
    const retryMs = options.retryMs ?? 2000
    const { step } = new Elector({
      identity,
      leaseMs: this.#leaseMs,
      renewMs: this.#renewMs,
      retryMs,
      random,
    })
    this.#machine = drive<ElectorState, ElectorEvent, ElectorOutput>({
      initial: initialElector,
      step,
      clock,
      output: output => this.#perform(output),
    })
  }

  /** Whether this process may decide and write, at this very moment. */
  get leading(): boolean {
    const { role, leadsUntil } = this.#machine.state
    return role === 'leader' && this.#clock.now() < leadsUntil
  }

  status(): LeaderElectionStatus {
    return { leading: this.leading, holder: this.#machine.state.lease?.holder ?? '' }
  }

  start(): void {
    this.#machine.handle({ type: 'start' })
  }

  /** Leads no more, and gives the Lease back, so that another need not wait for its end. Resolves when that is done, or has failed. */
  async leave(): Promise<void> {
    if (this.#machine.state.role === 'retired') return
    const left = new Promise<void>(resolve => this.#left.push(resolve))
    this.#machine.handle({ type: 'leave' })
    await left
  }

  /** Stops without giving anything back. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#machine.stop()
    this.#request.abort()
    this.#term.abort()
    for (const resolve of this.#left.splice(0)) resolve()
    this.events.removeAllListeners()
  }

  #perform(output: ElectorOutput): void {
    const { identity } = this.#options
    switch (output.do) {
      case 'read':
        void this.#send(signal => this.#read(signal))
        break
      case 'take':
        void this.#send(signal => this.#take(output.over, signal))
        break
      case 'renew':
        void this.#send(signal => this.#update(output.lease, this.#spec(output.lease, identity), signal))
        break
      case 'release': {
        const spec = { ...this.#spec(output.lease, ''), leaseDurationSeconds: 1 }
        void this.#send(signal => this.#update(output.lease, spec, signal))
        break
      }
      case 'abandon':
        this.#request.abort()
        break
      case 'lead':
        this.#log.info({ identity }, 'this process leads')
        this.#term = new AbortController()
        this.events.emit('leader:elected', this.#term.signal)
        break
      case 'stand-down':
        this.#log.warn({ identity }, 'this process leads no more')
        this.#term.abort()
        this.events.emit('leader:lost')
        break
      case 'left':
        for (const resolve of this.#left.splice(0)) resolve()
        break
    }
  }

  async #send(request: (signal: AbortSignal) => Promise<ElectorEvent>): Promise<void> {
    this.#request = new AbortController()
    const { signal } = this.#request
    let event: ElectorEvent
    try {
      event = await request(signal)
      this.#failure = undefined
    } catch (error) {
      event = this.#eventOf(error)
    }
    if (!signal.aborted) this.#machine.handle(event)
  }

  #eventOf(error: unknown): ElectorEvent {
    const { namespace, name } = this.#options
    const failure =
      error instanceof CarillonError
        ? error
        : new CarillonError(
            'API_BAD_ANSWER',
            `Lease ${namespace}/${name}: ${String(error)}`,
            {},
            { cause: error },
          )
    const { code, message } = failure
    if (code === 'API_CONFLICT' || code === 'API_EXISTS') return { type: 'conflict' }
    if (code !== this.#failure) {
      this.#failure = code
      this.#log.warn({ code, message }, 'the Lease cannot be read or written')
    }
    return { type: 'failed', error: failure }
  }

  async #read(signal: AbortSignal): Promise<ElectorEvent> {
    const { client, namespace, name } = this.#options
    try {
      const object = await client.get(resourceTypes.leases, { namespace, name }, this.#call(signal))
      return { type: 'read', lease: readLease(object) }
    } catch (error) {
      if (!(error instanceof CarillonError) || error.code !== 'API_NOT_FOUND') throw error
      return { type: 'read', lease: undefined }
    }
  }

  #take(over: LeaseRecord | undefined, signal: AbortSignal): Promise<ElectorEvent> {
    const { identity } = this.#options
    const now = microTime(this.#clock.date())
    const transitions = over === undefined ? 0 : over.transitions + (over.holder === identity ? 0 : 1)
    const spec: LeaseSpec = {
      holderIdentity: identity,
      leaseDurationSeconds: this.#leaseMs / 1000,
      acquireTime: now,
      renewTime: now,
      leaseTransitions: transitions,
    }
    return over ? this.#update(over, spec, signal) : this.#create(spec, signal)
  }

  async #create(spec: LeaseSpec, signal: AbortSignal): Promise<ElectorEvent> {
    const { client, namespace, name } = this.#options
    const object = { metadata: { namespace, name }, spec }
    return written(await client.create(resourceTypes.leases, object, this.#call(signal)))
  }

  /** Only over the version that is known: whoever else has written is not overwritten. */
  async #update(
    { resourceVersion }: LeaseRecord,
    spec: LeaseSpec,
    signal: AbortSignal,
  ): Promise<ElectorEvent> {
    const { client, namespace, name } = this.#options
    const object = { metadata: { namespace, name, resourceVersion }, spec }
    return written(await client.update(resourceTypes.leases, { namespace, name }, object, this.#call(signal)))
  }

  #spec({ transitions, acquireTime }: LeaseRecord, holder: string): LeaseSpec {
    const now = microTime(this.#clock.date())
    return {
      holderIdentity: holder,
      leaseDurationSeconds: this.#leaseMs / 1000,
      acquireTime: acquireTime ?? now,
      renewTime: now,
      leaseTransitions: transitions,
    }
  }

  /** A request that hangs must leave time for another before the leadership ends. */
  #call(signal: AbortSignal): { readonly signal: AbortSignal; readonly timeoutMs: number } {
    return { signal, timeoutMs: this.#renewMs / 2 }
  }
}

const written = (object: KubeObject): ElectorEvent => ({ type: 'written', lease: readLease(object) })
