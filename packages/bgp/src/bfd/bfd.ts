import {
  type CarillonError,
  type Clock,
  type Logger,
  type Metrics,
  type Network,
  noMetrics,
  silentLogger,
  systemClock,
} from '@carillon/core'
import { EventEmitter } from 'eventemitter3'
import { Engine } from './engine.ts'
import { BfdMetrics } from './metrics.ts'
import { type BfdSessionOptions, bfdSettings, keyText, sessionKey } from './options.ts'
import { PatientClock } from './patient-clock.ts'
import { secureRandom } from './random.ts'
import type { Report, Runner } from './report.ts'
import type { BfdSession } from './session.ts'
import { SharedSession, type SharedWorld } from './shared-session.ts'
import { revive } from './status.ts'
import { type NetworkModule, ThreadRunner } from './thread.ts'

/** What BFD is given. */
export interface BfdOptions {
  /**
   * Where packets go. A module that gives a network (`@carillon/sockets` does) makes the protocol run in a thread of its own, so that
   * nothing that keeps this one busy loses a session. With a network itself it runs in this thread.
   */
  readonly network: Network | NetworkModule
  /**
   * Time of a protocol that runs in this thread; for tests.
   * @default the process's own
   */
  readonly clock?: Clock
  /**
   * 0 to 1, for a protocol that runs in this thread: discriminators, ports, jitter.
   * @default from the system's source of random bytes
   */
  readonly random?: () => number
  readonly log?: Logger
  readonly metrics?: Metrics
}

/** What `Bfd` tells. */
export interface BfdEvents {
  /** The thread could not be started, or ended by itself. Another one is started, at most once a second. */
  'thread:failed': (error: CarillonError) => void
}

/** BFD on this host: the owner of its sockets and of its thread. One per host, for the ports are one per host. */
export class Bfd extends EventEmitter<BfdEvents> implements AsyncDisposable {
  readonly #log: Logger
  readonly #metrics: BfdMetrics
  readonly #runner: Runner
  readonly #world: SharedWorld
  readonly #sessions = new Map<number, SharedSession>()
  readonly #byKey = new Map<string, SharedSession>()
  readonly #closing = new Map<number, { readonly done: Promise<void>; readonly resolve: () => void }>()
  #nextId = 1
  /** The last one of the thread since it ran. */
  #failure: string | undefined
  #disposed: Promise<void> | undefined

  constructor(options: BfdOptions) {
    super()
    const { network, log = silentLogger, metrics = noMetrics } = options
    this.#log = log
    this.#metrics = new BfdMetrics(metrics)
    const clock = options.clock ?? systemClock
    const report = (one: Report): void => this.#take(one)
    this.#runner =
      'module' in network
        ? new ThreadRunner({ network, clock, report })
        : new Engine({
            network,
            clock: options.clock ?? new PatientClock(),
            random: options.random ?? secureRandom,
            report,
          })
    this.#world = {
      clock,
      log,
      metrics: this.#metrics,
      changed: ({ id, settings }) => this.#runner.obey({ do: 'change', id, settings }),
      unused: session => this.#close(session),
    }
  }

  /**
   * A session with a peer. It begins at once; whatever stands in the way (an address or interface that is not there yet, a port that
   * another program has) is in its status, and tried again every second. Who asks again for a session with the same peer, source and
   * interface gets the same session, as RFC 5881 section 2 wants it, with the profile given last. Throws `BAD_BFD_OPTIONS`.
   */
  session(options: BfdSessionOptions): BfdSession {
    if (this.#disposed) throw new TypeError('this Bfd is closed')
    const key = sessionKey(options)
    const text = keyText(key)
    const settings = bfdSettings(options.profile)
    let session = this.#byKey.get(text)
    if (session) session.change(settings)
    else {
      const id = this.#nextId++
      session = new SharedSession(id, key, settings, this.#world)
      this.#byKey.set(text, session)
      this.#sessions.set(id, session)
      this.#runner.obey({ do: 'open', id, key, settings })
    }
    return session.handle()
  }

  #take(report: Report): void {
    switch (report.type) {
      case 'started':
      case 'changed':
      case 'updated':
        this.#sessions.get(report.id)?.take(report)
        break
      case 'closed':
        this.#closed(report.id)
        break
      case 'dropped':
        this.#metrics.dropped(report.counts)
        break
      case 'running':
        this.#failure = undefined
        this.#log.info({ urgency: report.urgency }, 'BFD runs in a thread of its own')
        break
      case 'failed': {
        const error = revive(report.error)
        const again = error.message === this.#failure
        this.#failure = error.message
        if (again) this.#log.debug({ error: error.message }, 'the thread that runs BFD still fails')
        else this.#log.error({ error: error.message }, 'the thread that runs BFD failed')
        this.emit('thread:failed', error)
      }
    }
  }

  #close({ id, key }: SharedSession): Promise<void> {
    if (!this.#sessions.has(id)) return Promise.resolve()
    const before = this.#closing.get(id)
    if (before) return before.done
    this.#byKey.delete(keyText(key))
    let resolve = (): void => {}
    const done = new Promise<void>(settle => {
      resolve = settle
    })
    this.#closing.set(id, { done, resolve })
    this.#runner.obey({ do: 'close', id })
    return done
  }

  #closed(id: number): void {
    const peer = this.#sessions.get(id)?.key.peer
    this.#sessions.delete(id)
    if (peer !== undefined && ![...this.#sessions.values()].some(({ key }) => key.peer === peer))
      this.#metrics.forget(peer)
    this.#closing.get(id)?.resolve()
    this.#closing.delete(id)
  }

  /** Closes every session, as `BfdSession.close` does, then the sockets and the thread. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#end()
    return this.#disposed
  }

  async #end(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map(session => this.#close(session)))
    await this.#runner[Symbol.asyncDispose]()
  }
}
