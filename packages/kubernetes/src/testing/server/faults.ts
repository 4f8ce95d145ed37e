import type { Clock } from '@carillon/core'
import { expired, internalError, type Refusal, tooManyRequests } from '../api/status.ts'
import type { Verb } from '../kinds/api-type.ts'
import type { Watcher } from '../watch/watcher.ts'

/** Which requests a fault meets; every one where nothing is said. */
export interface FaultTarget {
  readonly verb?: Verb
  /** Such as `services`, `services/status` or `ipaddresspools.metallb.io`. */
  readonly resource?: string
}

/** What faults need of the server that they are injected into. */
export interface Faulty {
  readonly clock: Clock
  readonly watchers: ReadonlySet<Watcher>
  compact(): void
  close(): Promise<void>
  open(): Promise<void>
  forget(token: string): void
}

interface Planned {
  left: number
  readonly target: FaultTarget
  readonly refusal: () => Refusal
}

/** What can go wrong with an API server, on demand. */
export class Faults {
  readonly #server: Faulty
  #planned: Planned[] = []
  #delayMs = 0

  /** @internal */
  constructor(server: Faulty) {
    this.#server = server
  }

  /** Forgets all history: open watches are told so (410), and who resumes from an older version is, too. */
  gone(): void {
    this.compact()
    for (const watcher of [...this.#server.watchers])
      watcher.fail(expired('The resourceVersion for the provided watch is too old.'))
  }

  /** Forgets all history; open watches go on. */
  compact(): void {
    this.#server.compact()
  }

  /** Refuses the next `count` requests with 429 and when to come back. */
  tooManyRequests(count: number, retryAfterSeconds = 1, target: FaultTarget = {}): void {
    this.#planned.push({ left: count, target, refusal: () => tooManyRequests(retryAfterSeconds) })
  }

  /** Refuses the next `count` requests with 500. */
  internalErrors(count: number, target: FaultTarget = {}): void {
    this.#planned.push({ left: count, target, refusal: () => internalError('injected by a test') })
  }

  /** Refuses the next `count` requests in the words of a refusal of one's own. */
  refuse(count: number, refusal: Refusal, target: FaultTarget = {}): void {
    this.#planned.push({ left: count, target, refusal: () => refusal })
  }

  /** Breaks all open watches off, as a dying load balancer does: the connection ends, nothing is said. */
  dropWatches(): void {
    for (const watcher of [...this.#server.watchers]) watcher.drop()
  }

  /** Ends all open watches in good order, as the API server does when their time is over. */
  endWatches(): void {
    for (const watcher of [...this.#server.watchers]) watcher.end()
  }

  /** Answers every request `ms` later from now on; 0 ends it. */
  slow(ms: number): void {
    this.#delayMs = ms
  }

  /** Refuses connections, and breaks off those that are open. What is stored stays. */
  async down(): Promise<void> {
    await this.#server.close()
  }

  /** Takes connections again, at the same port. */
  async up(): Promise<void> {
    await this.#server.open()
  }

  /** Does not know a bearer token any more: 401 for who uses it. */
  expireToken(token: string): void {
    this.#server.forget(token)
  }

  /** Ends all faults that are still to come; a server that is down stays so. */
  clear(): void {
    this.#planned = []
    this.#delayMs = 0
  }

  /** @internal What a request meets. @throws Refusal */
  async meet(verb: Verb | undefined, resource: string): Promise<void> {
    const { clock } = this.#server
    if (this.#delayMs > 0) await new Promise<void>(resolve => clock.after(this.#delayMs, resolve))
    const found = this.#planned.find(
      ({ target }) =>
        (target.verb === undefined || target.verb === verb) &&
        (target.resource === undefined || target.resource === resource),
    )
    if (found === undefined) return
    found.left--
    if (found.left === 0) this.#planned = this.#planned.filter(one => one !== found)
    throw found.refusal()
  }
}
