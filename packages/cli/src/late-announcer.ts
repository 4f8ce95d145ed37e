import type {
  Advertisement,
  AnnouncementStatus,
  Announcer,
  AnnouncerContext,
  AnnouncerEvents,
  AnnouncerFactory,
  AnnouncerSettings,
  SessionStatus,
} from '@carillon/core'
import { EventEmitter } from 'eventemitter3'

/** An announcer that is not loaded before there is something for it to do. */
export interface LateOptions extends Pick<Announcer, 'name' | 'speakers' | 'families'> {
  /** Whether it has something to do. Once it has, it stays. */
  needed(settings: AnnouncerSettings): boolean
  load(): Promise<AnnouncerFactory>
}

const firstRetryMs = 1000
const lastRetryMs = 30_000

class LateAnnouncer implements Announcer {
  readonly name: string
  readonly speakers: Announcer['speakers']
  readonly families: Announcer['families']
  readonly events: EventEmitter<AnnouncerEvents> = new EventEmitter()
  readonly #options: LateOptions
  readonly #context: AnnouncerContext
  #settings: AnnouncerSettings | undefined
  #desired: readonly Advertisement[] = []
  #announcer: Announcer | undefined
  #loading: Promise<void> | undefined
  #retryMs = firstRetryMs
  #cancel: (() => void) | undefined
  #closed = false

  constructor(options: LateOptions, context: AnnouncerContext) {
    const { name, speakers, families } = options
    this.name = name
    this.speakers = speakers
    this.families = families
    this.#options = options
    this.#context = context
  }

  async start(): Promise<void> {}

  configure(settings: AnnouncerSettings): void {
    if (this.#closed) return
    this.#settings = settings
    if (this.#announcer) this.#announcer.configure?.(settings)
    else if (this.#options.needed(settings)) this.#loading ??= this.#load()
  }

  announce(desired: readonly Advertisement[]): void {
    if (this.#closed) return
    this.#desired = [...desired]
    this.#announcer?.announce(desired)
  }

  retire(): void {
    this.#announcer?.retire?.()
  }

  status(): readonly AnnouncementStatus[] {
    if (this.#announcer) return this.#announcer.status()
    return this.#desired.map(({ address }) => ({ address, state: 'pending', via: [] }))
  }

  sessions(): readonly SessionStatus[] {
    return this.#announcer?.sessions?.() ?? []
  }

  /** Loads and starts the announcer, and tries it again, ever more slowly, when that fails. */
  async #load(): Promise<void> {
    let announcer: Announcer | undefined
    try {
      announcer = (await this.#options.load())(this.#context)
      this.#forward(announcer)
      await announcer.start()
    } catch (error) {
      this.#context.log.error(
        { err: error, announcer: this.name },
        'the announcer cannot start; it is tried again',
      )
      await announcer?.[Symbol.asyncDispose]()
      this.#loading = undefined
      if (this.#closed) return
      this.#cancel = this.#context.clock.after(this.#retryMs, () => {
        this.#loading ??= this.#load()
      })
      this.#retryMs = Math.min(this.#retryMs * 2, lastRetryMs)
      return
    }
    if (this.#closed) return announcer[Symbol.asyncDispose]()
    this.#announcer = announcer
    if (this.#settings) announcer.configure?.(this.#settings)
    announcer.announce(this.#desired)
  }

  #forward({ events }: Announcer): void {
    events.on('announcement:changed', status => this.#emit('announcement:changed', status))
    events.on('address:conflict', conflict => this.#emit('address:conflict', conflict))
    events.on('peer:up', peer => this.#emit('peer:up', peer))
    events.on('peer:down', (peer, reason) => this.#emit('peer:down', peer, reason))
  }

  readonly #emit: EventEmitter<AnnouncerEvents>['emit'] = (event, ...told) =>
    !this.#closed && this.events.emit(event, ...told)

  async [Symbol.asyncDispose](): Promise<void> {
    const first = !this.#closed
    this.#closed = true
    this.#cancel?.()
    await this.#loading
    if (first) await this.#announcer?.[Symbol.asyncDispose]()
  }
}

/** Wraps an announcer so that its code is loaded, and anything of it begins, only when it is needed. */
export function late(options: LateOptions): AnnouncerFactory {
  return context => new LateAnnouncer(options, context)
}
