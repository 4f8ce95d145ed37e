import type { CarillonError, Clock, Logger, SessionError } from '@carillon/core'
import type { SessionState } from '../fsm/state.ts'

/** How a session stands, for people: its state, what it waits for, and what went wrong last. */
export class Standing {
  readonly #clock: Clock
  readonly #log: Logger
  readonly #passive: boolean
  #state: SessionState = 'Idle'
  #since: Date
  #downSince: Date | undefined
  #establishedAt: number | undefined
  #nextTryAt: number | undefined
  #lastError: SessionError | undefined

  constructor(clock: Clock, log: Logger, passive: boolean) {
    this.#clock = clock
    this.#log = log
    this.#passive = passive
    this.#since = clock.date()
    this.#downSince = this.#since
  }

  get state(): SessionState {
    return this.#state
  }

  get since(): Date {
    return this.#since
  }

  /** Since when no routes flow, whatever was tried meanwhile; undefined while they do. */
  get downSince(): Date | undefined {
    return this.#downSince
  }

  get lastError(): SessionError | undefined {
    return this.#lastError
  }

  /** How long routes have been flowing; undefined when they are not. */
  get uptimeMs(): number | undefined {
    return this.#establishedAt === undefined ? undefined : this.#clock.now() - this.#establishedAt
  }

  /** It is in this state; true when that is another one. */
  enter(state: SessionState): boolean {
    const tries = state === 'Idle' || (state === 'Active' && !this.#passive)
    if (!tries) this.#nextTryAt = undefined
    if (state === this.#state) return false
    this.#state = state
    this.#since = this.#clock.date()
    this.#downSince = state === 'Established' ? undefined : (this.#downSince ?? this.#since)
    this.#establishedAt = state === 'Established' ? this.#clock.now() : undefined
    this.#log.debug({ state }, 'BGP session changed state')
    return true
  }

  /** The next attempt comes after so many milliseconds. */
  willTry(ms: number): void {
    this.#nextTryAt = this.#clock.now() + ms
  }

  /** What it waits for, in words; undefined when it waits for nothing. */
  get waiting(): string | undefined {
    const state = this.#state
    if (state !== 'Active' && state !== 'Idle') return undefined
    if (this.#nextTryAt === undefined)
      return this.#passive && state === 'Active' ? 'waiting for the peer to connect' : undefined
    const seconds = Math.max(0, Math.ceil((this.#nextTryAt - this.#clock.now()) / 1000))
    return state === 'Active'
      ? `connecting again in ${seconds} s, unless the peer does before`
      : `trying again in ${seconds} s`
  }

  /** Keeps what went wrong, and logs it: the same thing again only for those who debug. `hint`: what else it may mean. */
  failed(reason: CarillonError, established: boolean, address: string | undefined, hint = ''): void {
    const { code } = reason
    const message = `${reason.message}${hint}`
    const again = this.#lastError?.message === message
    this.#lastError = { at: this.#clock.date(), code, message }
    const fields = { address, code, error: message }
    if (code === 'SESSION_STOPPED') this.#log.info(fields, 'BGP session ended')
    else if (established) this.#log.warn(fields, 'BGP session lost')
    else if (again) this.#log.debug(fields, 'BGP session still not established')
    else this.#log.warn(fields, 'BGP session not established')
  }
}
