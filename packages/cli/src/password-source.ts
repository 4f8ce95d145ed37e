import type { Clock, Snapshot, Source, SourceEvents } from '@carillon/core'
import { EventEmitter } from 'eventemitter3'
import type { PasswordFiles, Passwords } from './password-files.ts'

/** Files are read when nothing has happened to them for this long: whoever writes one in several steps is given the time. */
const settleMs = 50

/** Beside the notices of the kernel they are read again this often. */
const rereadMs = 30_000

/** What a source of passwords needs of the world. */
export interface PasswordWorld {
  readonly clock: Clock
  /** Calls back when any of these files may have changed; returns how to stop. */
  watch(paths: readonly string[], changed: () => void): Promise<() => Promise<void>>
}

/** What a snapshot holds with the passwords from files, and with what is wrong with these. */
export const withPasswords = (snapshot: Snapshot, { passwords, problems }: Passwords): Snapshot => ({
  ...snapshot,
  passwords,
  problems: problems.length === 0 ? snapshot.problems : [...snapshot.problems, ...problems],
})

/**
 * Another source with the passwords of BGP peers beside it, which are read again when their files change. A file that cannot be used any
 * more is a problem of the snapshot, so that the last valid configuration stays in force.
 */
export class PasswordSource implements Source {
  readonly events: EventEmitter<SourceEvents> = new EventEmitter()
  readonly #inner: Source
  readonly #files: PasswordFiles
  readonly #world: PasswordWorld
  #passwords: Passwords | undefined
  #current: Snapshot | undefined
  #cancel: (() => void) | undefined
  #cancelReread: (() => void) | undefined
  #unwatch: (() => Promise<void>) | undefined
  #closed = false

  constructor(inner: Source, files: PasswordFiles, world: PasswordWorld) {
    this.#inner = inner
    this.#files = files
    this.#world = world
  }

  /** Rejects also when a file cannot be used, with `USAGE`. */
  async start(): Promise<Snapshot> {
    this.#passwords = await this.#files.first()
    this.#inner.events.on('snapshot:changed', this.#changed)
    this.#inner.events.on('source:failed', error => this.events.emit('source:failed', error))
    await this.#inner.start()
    void this.#watch()
    return this.current()
  }

  current(): Snapshot {
    const inner = this.#inner.current()
    this.#current ??= this.#passwords ? withPasswords(inner, this.#passwords) : inner
    return this.#current
  }

  readonly #changed = (): void => {
    this.#current = undefined
    this.events.emit('snapshot:changed', this.current())
  }

  async #watch(): Promise<void> {
    // Where files cannot be watched they are still read again now and then.
    const unwatch = await this.#world.watch(this.#files.paths, () => this.#soon(settleMs)).catch(() => {})
    if (this.#closed) return await unwatch?.()
    if (unwatch) this.#unwatch = unwatch
    // Whatever happened before the watch was in place.
    this.#soon(0)
    this.#rereadLater()
  }

  #rereadLater(): void {
    this.#cancelReread = this.#world.clock.after(rereadMs, () => {
      this.#soon(0)
      this.#rereadLater()
    })
  }

  #soon(ms: number): void {
    if (this.#closed) return
    this.#cancel?.()
    this.#cancel = this.#world.clock.after(ms, () => void this.#read())
  }

  async #read(): Promise<void> {
    const passwords = await this.#files.read()
    if (this.#closed || passwords === this.#passwords) return
    this.#passwords = passwords
    this.#changed()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#cancel?.()
    this.#cancelReread?.()
    this.#inner.events.off('snapshot:changed', this.#changed)
    await this.#unwatch?.()
    await this.#inner[Symbol.asyncDispose]()
    this.events.removeAllListeners()
  }
}
