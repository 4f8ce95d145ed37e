import { createHash } from 'node:crypto'
import { CarillonError, type Clock, type Logger, silentLogger } from '@carillon/core'
import type { Client } from '../client/index.ts'
import { review } from './review.ts'

/** Whether somebody may have what they ask for. `unavailable`: the API server cannot say. */
export type Admittance = 'allowed' | 'unauthenticated' | 'forbidden' | 'unavailable'

/** What deciding about requests takes. */
export interface GatekeeperOptions {
  /** Its account needs `create` on `tokenreviews` and `subjectaccessreviews`. */
  readonly client: Client
  readonly clock: Clock
  readonly log?: Logger
  /**
   * Milliseconds for which a decision to let somebody in is not asked for again.
   * @default 60000
   */
  readonly allowedMs?: number
  /**
   * The same for a refusal: somebody who is given a right wants to use it.
   * @default 10000
   */
  readonly refusedMs?: number
  /**
   * Milliseconds for which the last decision holds while the API server cannot be asked.
   * @default 600000
   */
  readonly staleMs?: number
  /**
   * Milliseconds that the API server is given for an answer.
   * @default 5000
   */
  readonly timeoutMs?: number
  /** @default 1000 */
  readonly maxDecisions?: number
  /**
   * How many tokens are asked about at once, whoever may send them.
   * @default 8
   */
  readonly maxReviews?: number
}

interface Decision {
  readonly admittance: Exclude<Admittance, 'unavailable'>
  readonly at: number
}

/** RFC 6750 section 2.1. */
const tokenShape = /^[A-Za-z0-9._~+/-]+=*$/

/**
 * Lets in whom Kubernetes would let in: it asks the API server who the bearer of a token is (TokenReview), and whether they may `get` a path that is
 * no resource (SubjectAccessReview). Decisions are kept for a while by a hash of the token; while the API server is away, for longer. Nobody
 * is ever let in by default.
 */
export class Gatekeeper {
  readonly #client: Client
  readonly #clock: Clock
  readonly #log: Logger
  readonly #limits: Required<Omit<GatekeeperOptions, 'client' | 'clock' | 'log'>>
  readonly #decisions = new Map<string, Decision>()
  readonly #underWay = new Map<string, Promise<Admittance>>()
  #told: string | undefined

  constructor(options: GatekeeperOptions) {
    const { client, clock, log = silentLogger, ...limits } = options
    this.#client = client
    this.#clock = clock
    this.#log = log
    this.#limits = {
      allowedMs: 60_000,
      refusedMs: 10_000,
      staleMs: 600_000,
      timeoutMs: 5000,
      maxDecisions: 1000,
      maxReviews: 8,
      ...limits,
    }
  }

  /** @param authorization the header of the request, `Bearer …` */
  async admit(authorization: string | undefined, path: string): Promise<Admittance> {
    const token = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]
    if (token === undefined || !tokenShape.test(token)) return 'unauthenticated'
    const key = createHash('sha256').update(`${path}\n${token}`).digest('base64')
    const known = this.#decisions.get(key)
    if (known && this.#age(known) < this.#freshMs(known)) return known.admittance
    const asked = this.#underWay.get(key)
    if (asked) return asked
    if (this.#underWay.size >= this.#limits.maxReviews) return this.#stale(known)
    const asking = this.#ask(token, path, key, known).finally(() => this.#underWay.delete(key))
    this.#underWay.set(key, asking)
    return asking
  }

  async #ask(token: string, path: string, key: string, known: Decision | undefined): Promise<Admittance> {
    try {
      const admittance = await review(this.#client, token, path, this.#limits.timeoutMs)
      this.#keep(key, { admittance, at: this.#clock.now() })
      this.#told = undefined
      return admittance
    } catch (error) {
      const message = error instanceof CarillonError ? error.message : String(error)
      if (this.#told !== message) this.#log.warn({ message }, 'who may read metrics cannot be found out')
      this.#told = message
      return this.#stale(known)
    }
  }

  #stale(known: Decision | undefined): Admittance {
    return known && this.#age(known) < this.#limits.staleMs ? known.admittance : 'unavailable'
  }

  /** The oldest decisions make room. */
  #keep(key: string, decision: Decision): void {
    this.#decisions.delete(key)
    this.#decisions.set(key, decision)
    for (const oldest of this.#decisions.keys()) {
      if (this.#decisions.size <= this.#limits.maxDecisions) break
      this.#decisions.delete(oldest)
    }
  }

  #age({ at }: Decision): number {
    return this.#clock.now() - at
  }

  #freshMs({ admittance }: Decision): number {
    return admittance === 'allowed' ? this.#limits.allowedMs : this.#limits.refusedMs
  }
}
