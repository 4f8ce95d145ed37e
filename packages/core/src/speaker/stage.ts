import { familyOf } from '../address.ts'
import type { Clock } from '../clock.ts'
import type { CarillonError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type {
  AddressConflict,
  Advertisement,
  AnnouncementStatus,
  Announcer,
  AnnouncerSettings,
} from './announcer.ts'
import type { SpeakerEvent } from './history.ts'
import type { SessionStatus } from './session-status.ts'

interface StageContext {
  readonly clock: Clock
  readonly log: Logger
  readonly tell: (event: Omit<SpeakerEvent, 'at'>) => void
  /** Told when an address has been announced, or cannot be. */
  readonly said: (address: string, able: boolean) => void
}

const firstRetryMs = 1000
const lastRetryMs = 30_000

/** Where one announcer performs: what it does wrong stays here. A start that fails is tried again, ever more slowly. */
export class Stage implements AsyncDisposable {
  readonly announcer: Announcer
  readonly #context: StageContext
  #desired: readonly Advertisement[] = []
  #from: readonly Advertisement[] | undefined
  #settings: AnnouncerSettings | undefined
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
    announcer.events.on('peer:up', this.#peerUp)
    announcer.events.on('peer:down', this.#peerDown)
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

  /** Tells the announcer the whole set, of the families that it can announce, and before it what it may go by. */
  perform(advertisements: readonly Advertisement[], settings: AnnouncerSettings): void {
    const { announcer } = this
    const known = this.#settings
    const settled =
      !announcer.configure || (known?.config === settings.config && known.labels === settings.labels)
    if (settled && advertisements === this.#from) return
    const { families } = announcer
    const desired = advertisements.filter(one => families.includes(familyOf(one.address)))
    try {
      if (!settled) announcer.configure?.(settings)
      announcer.announce(desired)
      this.#settings = settings
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

  sessions(): readonly SessionStatus[] {
    try {
      return this.announcer.sessions?.() ?? []
    } catch (error) {
      this.#fail(error, 'the announcer cannot say how its sessions are')
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
    if (status.state !== 'pending') this.#context.said(address, status.state === 'announced')
    if (status.state !== 'failed') return
    this.#context.tell({
      type: 'announcementFailed',
      address,
      message: error?.message ?? `${address} cannot be announced`,
    })
  }

  readonly #peerUp = (peer: string): void => {
    const message = `the session with ${peer} is up`
    this.#context.tell({ type: 'peerUp', peer, message })
  }

  readonly #peerDown = (peer: string, reason: CarillonError): void => {
    this.#context.tell({
      type: 'peerDown',
      peer,
      message: `the session with ${peer} is down: ${reason.message}`,
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#cancel?.()
    this.announcer.events.off('address:conflict', this.#conflict)
    this.announcer.events.off('announcement:changed', this.#changed)
    this.announcer.events.off('peer:up', this.#peerUp)
    this.announcer.events.off('peer:down', this.#peerDown)
    await this.announcer[Symbol.asyncDispose]()
  }
}
