import { familyOf } from '../address.ts'
import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'
import type { AddressConflict, Advertisement, AnnouncementStatus, Announcer } from './announcer.ts'
import type { SpeakerEvent } from './history.ts'

interface StageContext {
  readonly clock: Clock
  readonly log: Logger
  readonly tell: (event: Omit<SpeakerEvent, 'at'>) => void
}

const firstRetryMs = 1000
const lastRetryMs = 30_000

/** Where one announcer performs: what it does wrong stays here. A start that fails is tried again, ever more slowly. */
export class Stage implements AsyncDisposable {
  readonly announcer: Announcer
  readonly #context: StageContext
  #desired: readonly Advertisement[] = []
  #from: readonly Advertisement[] | undefined
  #started = false
  #failure: string | undefined
  #retryMs = firstRetryMs
  #cancel: (() => void) | undefined
  #closed = false

  constructor(announcer: Announcer, context: StageContext) {
    this.announcer = announcer
    this.#context = context
    announcer.events.on('address:conflict', this.#conflict)
    announcer.events.on('announcement:changed', this.#changed)
  }

  get started(): boolean {
    return this.#started
  }

  /** Why the announcer does not work as a whole; undefined when it does. */
  get failure(): string | undefined {
    return this.#failure
  }

  /** What it was last told to announce. */
  get desired(): readonly Advertisement[] {
    return this.#desired
  }

  async start(): Promise<void> {
    if (this.#closed || this.#started) return
    try {
      await this.announcer.start()
      this.#started = true
      this.#failure = undefined
    } catch (error) {
      this.#fail(error, 'the announcer cannot start; the others go on')
      this.#cancel = this.#context.clock.after(this.#retryMs, () => void this.start())
      this.#retryMs = Math.min(this.#retryMs * 2, lastRetryMs)
    }
  }

  /** Tells the announcer the whole set, of the families that it can announce. */
  perform(advertisements: readonly Advertisement[]): void {
    if (advertisements === this.#from) return
    const { families } = this.announcer
    const desired = advertisements.filter(one => families.includes(familyOf(one.address)))
    try {
      this.announcer.announce(desired)
      this.#from = advertisements
      this.#desired = desired
      if (this.#started) this.#failure = undefined
    } catch (error) {
      this.#fail(error, 'the announcer failed; the others go on')
    }
  }

  status(): readonly AnnouncementStatus[] {
    try {
      return this.announcer.status()
    } catch (error) {
      this.#fail(error, 'the announcer cannot say how it is')
      return []
    }
  }

  #fail(error: unknown, message: string): void {
    const why = error instanceof Error ? error.message : String(error)
    if (why === this.#failure) return
    this.#failure = why
    this.#context.log.error({ err: error }, message)
    this.#context.tell({ type: 'announcerFailed', message: `${this.announcer.name}: ${why}` })
  }

  readonly #conflict = (conflict: AddressConflict): void => {
    const { address, mac } = conflict
    const message = `${mac} on ${conflict.interface} uses ${address}, which this node announces`
    this.#context.tell({ type: 'addressConflict', address, message })
  }

  readonly #changed = (status: AnnouncementStatus): void => {
    const { address, error } = status
    if (status.state !== 'failed') return
    this.#context.tell({
      type: 'announcementFailed',
      address,
      message: error?.message ?? `${address} cannot be announced`,
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#cancel?.()
    this.announcer.events.off('address:conflict', this.#conflict)
    this.announcer.events.off('announcement:changed', this.#changed)
    await this.announcer[Symbol.asyncDispose]()
  }
}
