import { EventEmitter } from 'eventemitter3'
import type { Clock } from '../clock.ts'
import { CarillonError } from '../errors.ts'
import { collect } from './collect.ts'
import type { ManifestFiles } from './files.ts'
import { type ManifestFile, ManifestReader } from './manifest.ts'
import { emptySnapshot, type Snapshot } from './snapshot.ts'
import type { Source, SourceEvents } from './source.ts'

/** What a `ManifestSource` reads, and by what time. */
export interface ManifestsOptions {
  readonly files: ManifestFiles
  readonly clock: Clock
  /**
   * Files are read when nothing has happened to them for this long, in milliseconds: a program that saves in several steps is
   * given the time to finish, and several files are read together. Where something is written all the time, what has come to rest is read
   * after ten times as long.
   * @default 120
   */
  readonly settleMs?: number
  /**
   * A changed file without a newline at its end looks half-written; it is believed after this long, in milliseconds.
   * @default 2000
   */
  readonly halfWrittenMs?: number
  /**
   * Besides the notices of the kernel, files are read again this often, in milliseconds; 0 turns it off.
   * @default 30000
   */
  readonly rereadMs?: number
}

/** The kernel's notices about one file come through 50 ms apart at least, and up to twice as much, however often it is written. */
const defaultSettleMs = 120

/** How many times `settleMs` a change waits for others to end, at most. */
const mostSettling = 10

const withoutRoom = ({ path }: ManifestFile): CarillonError =>
  new CarillonError(
    'SOURCE_UNREADABLE',
    `the change of ${path} waits: its disk is full, so it may be half-written; make room, and look whether it is whole`,
    { path, errno: 'ENOSPC' },
  )

const looksHalfWritten = (file: ManifestFile): boolean => file.text !== '' && !file.text.endsWith('\n')

/**
 * Manifests as a source. What cannot be read, or holds an object that cannot be understood, leaves the last whole snapshot in
 * force: `current()` then is that snapshot with the problems of the newer text, and an `error` among them says it is not in force.
 * What changes while its disk is full waits until there is room: a file that ends too early can look whole.
 */
export class ManifestSource implements Source {
  readonly events: EventEmitter<SourceEvents> = new EventEmitter()
  readonly #files: ManifestFiles
  readonly #clock: Clock
  readonly #settleMs: number
  readonly #halfWrittenMs: number
  readonly #rereadMs: number
  readonly #reader = new ManifestReader()
  #texts: readonly ManifestFile[] = []
  #snapshot: Snapshot = emptySnapshot
  #whole: Snapshot | undefined
  #failure: string | undefined
  #cancel: (() => void) | undefined
  /** When the first change was noticed that is not read yet. */
  #noticed: number | undefined
  /** When a file was last written, as far as it is not read since. */
  readonly #written = new Map<string, number>()
  #cancelReread: (() => void) | undefined
  #unwatch: (() => Promise<void>) | undefined
  #reading: Promise<void> | undefined
  #again = false
  #closed = false

  constructor(options: ManifestsOptions) {
    this.#files = options.files
    this.#clock = options.clock
    this.#settleMs = options.settleMs ?? defaultSettleMs
    this.#halfWrittenMs = options.halfWrittenMs ?? 2000
    this.#rereadMs = options.rereadMs ?? 30_000
  }

  async start(): Promise<Snapshot> {
    this.#take(await this.#files.read())
    void this.#watch()
    return this.#snapshot
  }

  current(): Snapshot {
    return this.#snapshot
  }

  async #watch(): Promise<void> {
    try {
      const unwatch = await this.#files.watch(path => this.#notice(path))
      if (this.#closed) return await unwatch()
      this.#unwatch = unwatch
      // Whatever happened before the watch was in place.
      this.#soon(0)
    } catch (error) {
      this.#fail(error)
    }
    this.#rereadLater()
  }

  #rereadLater(): void {
    if (this.#rereadMs === 0 || this.#closed) return
    this.#cancelReread = this.#clock.after(this.#rereadMs, () => {
      this.#written.clear()
      this.#soon(0)
      this.#rereadLater()
    })
  }

  #notice(path?: string): void {
    const now = this.#clock.now()
    if (path !== undefined) this.#written.set(path, now)
    this.#noticed ??= now
    const latest = this.#noticed + mostSettling * this.#settleMs
    this.#soon(Math.max(0, Math.min(this.#settleMs, latest - now)))
  }

  #soon(ms: number): void {
    if (this.#closed) return
    this.#cancel?.()
    this.#cancel = this.#clock.after(ms, () => {
      this.#cancel = undefined
      this.#noticed = undefined
      void this.#read()
    })
  }

  async #read(): Promise<void> {
    if (this.#reading) {
      this.#again = true
      return
    }
    this.#reading = this.#readOnce()
    await this.#reading
    this.#reading = undefined
    if (this.#again && !this.#closed) {
      this.#again = false
      this.#soon(this.#settleMs)
    }
  }

  async #readOnce(): Promise<void> {
    try {
      const files = this.#atRest(await this.#files.read())
      if (this.#closed) return
      const known = new Map(this.#texts.map(file => [file.path, file.text]))
      const changed = files.filter(file => known.get(file.path) !== file.text)
      const full = await this.#full(changed)
      if (this.#closed) return
      if (full) {
        this.#fail(withoutRoom(full))
        return this.#soon(this.#halfWrittenMs)
      }
      const suspicious = changed.filter(looksHalfWritten)
      if (suspicious.length > 0 && !this.#heldBack(suspicious)) return
      this.#failure = undefined
      if (changed.length > 0 || files.length !== this.#texts.length || this.#snapshot !== this.#whole)
        this.#take(files)
    } catch (error) {
      if (!this.#closed) this.#fail(error)
    }
  }

  /** What was read, with what is still being written left as it was before, to be read later. */
  #atRest(files: readonly ManifestFile[]): readonly ManifestFile[] {
    const now = this.#clock.now()
    for (const [path, at] of this.#written) if (now - at >= this.#settleMs) this.#written.delete(path)
    if (this.#written.size === 0) return files
    this.#soon(this.#settleMs)
    const busy = ({ path }: ManifestFile): boolean => this.#written.has(path)
    return [...files.filter(file => !busy(file)), ...this.#texts.filter(busy)]
  }

  /** The first of these files that may not have found room for all that was written. */
  async #full(files: readonly ManifestFile[]): Promise<ManifestFile | undefined> {
    for (const file of files) if (await this.#files.full?.(file.path)) return file
    return undefined
  }

  #suspicion: { readonly text: string; readonly since: number } | undefined

  /** True once these files have stood as they are for long enough to be meant so. */
  #heldBack(files: readonly ManifestFile[]): boolean {
    const text = JSON.stringify(files)
    const now = this.#clock.now()
    if (this.#suspicion?.text !== text) this.#suspicion = { text, since: now }
    const left = this.#suspicion.since + this.#halfWrittenMs - now
    if (left <= 0) return true
    this.#soon(left)
    return false
  }

  #take(files: readonly ManifestFile[]): void {
    this.#texts = files
    this.#suspicion = undefined
    const documents = this.#reader.read(files)
    const resources = documents.flatMap(document => document.resources)
    const problems = documents.flatMap(document => document.problems)
    const next = collect(resources, problems, this.#whole ?? emptySnapshot)
    if (next.problems.some(problem => problem.severity === 'error') && this.#whole) {
      this.#publish({ ...this.#whole, problems: next.problems })
      return
    }
    if (!next.problems.some(problem => problem.severity === 'error')) this.#whole = next
    this.#publish(next)
  }

  #publish(next: Snapshot): void {
    const same = (Object.keys(next) as (keyof Snapshot)[]).every(key => next[key] === this.#snapshot[key])
    if (same) return
    this.#snapshot = next
    this.events.emit('snapshot:changed', next)
  }

  #fail(error: unknown): void {
    const failure =
      error instanceof CarillonError
        ? error
        : new CarillonError('SOURCE_UNREADABLE', String(error), {}, { cause: error })
    if (failure.message === this.#failure) return
    this.#failure = failure.message
    this.events.emit('source:failed', failure)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#cancel?.()
    this.#cancelReread?.()
    await this.#reading
    await this.#unwatch?.()
    this.events.removeAllListeners()
  }
}
