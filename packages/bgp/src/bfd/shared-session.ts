import type { Clock, Logger } from '@carillon/core'
import { noEcho, parametersOf } from './association.ts'
import type { BfdMetrics } from './metrics.ts'
import { type BfdSettings, bfdSettings, type SessionKey } from './options.ts'
import { newAssociation } from './protocol.ts'
import type { Report, Snapshot } from './report.ts'
import { BfdSession, type SessionOwner } from './session.ts'
import { type BfdStatus, describeDown, statusOf } from './status.ts'

/** What a shared session is given, and whom it tells. */
export interface SharedWorld {
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: BfdMetrics
  changed(session: SharedSession): void
  /** Nobody uses it any more. Resolves once it is closed. */
  unused(session: SharedSession): Promise<void>
}

/** A session as users see it: what was last heard of it from where it runs. All who ask for a session with one peer share it. */
export class SharedSession implements SessionOwner {
  readonly id: number
  readonly key: SessionKey
  readonly #world: SharedWorld
  readonly #handles = new Set<BfdSession>()
  #settings: BfdSettings
  #snapshot: Snapshot
  #ups = 0
  #downs = 0

  constructor(id: number, key: SessionKey, settings: BfdSettings, world: SharedWorld) {
    this.id = id
    this.key = key
    this.#settings = settings
    this.#world = world
    this.#snapshot = {
      association: newAssociation(parametersOf(settings, noEcho), 0),
      since: world.clock.date().getTime(),
      counters: { controlIn: 0, controlOut: 0, echoIn: 0, echoOut: 0 },
      echoRoundTripMs: undefined,
      echoProblem: undefined,
      problem: undefined,
    }
    world.metrics.state(key.peer, false)
  }

  get settings(): BfdSettings {
    return this.#settings
  }

  handle(): BfdSession {
    const session = new BfdSession(this)
    this.#handles.add(session)
    return session
  }

  status(): BfdStatus {
    return statusOf(this.key, this.#snapshot, { ups: this.#ups, downs: this.#downs })
  }

  change(profile: Partial<BfdSettings> | undefined): void {
    this.#settings = bfdSettings(profile)
    this.#world.changed(this)
  }

  async release(session: BfdSession): Promise<void> {
    session.removeAllListeners()
    if (this.#handles.delete(session) && this.#handles.size === 0) await this.#world.unused(this)
  }

  /** Takes over what is told of the session, and tells it on. */
  take(report: Report & { readonly snapshot: Snapshot }): void {
    const before = this.status()
    const { problem } = this.#snapshot
    const { log, metrics } = this.#world
    const { peer } = this.key
    metrics.passed(peer, this.#snapshot.counters, report.snapshot.counters)
    this.#snapshot = report.snapshot
    const { state } = report.snapshot.association
    if (report.snapshot.problem && report.snapshot.problem.message !== problem?.message)
      log.warn({ peer, error: report.snapshot.problem.message }, 'a BFD session cannot run')
    const handles = [...this.#handles]
    if (report.type === 'changed' && state === 'up') {
      this.#ups++
      metrics.cameUp(peer)
      metrics.state(peer, true)
      log.info({ peer, detectionTimeMs: this.status().detectionTimeMs }, 'BFD session up')
      for (const session of handles) session.emit('session:up', this.status())
    } else if (report.type === 'changed' && report.from === 'up' && report.cause !== 'closed') {
      this.#downs++
      metrics.wentDown(peer)
      metrics.state(peer, false)
      const { cause } = report
      const down = { cause, reason: describeDown(cause, before, this.status()), status: this.status() }
      log.warn({ peer, cause, reason: down.reason }, 'BFD session down')
      for (const session of handles) session.emit('session:down', down)
    }
    const now = this.status()
    if (face(now) !== face(before)) for (const session of handles) session.emit('session:changed', now)
  }
}

/** What is worth telling of a status: all of it but what packets change. */
const face = ({ counters: _, echoRoundTripMs: __, problem, ...rest }: BfdStatus): string =>
  JSON.stringify([rest, problem?.message])
