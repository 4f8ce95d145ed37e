import { Buffer } from 'node:buffer'
import { apiVersionOf, type KubeObject } from '../api/object.ts'
import { expired, type Refusal } from '../api/status.ts'
import { partial, table } from '../http/table.ts'
import type { ApiType } from '../kinds/api-type.ts'
import type { Call } from '../registry/call.ts'
import { checkWatchOptions, revisionOf } from '../registry/list-options.ts'
import { collectionOf, inVersion, type Machinery } from '../registry/machinery.ts'
import { matcher } from '../registry/read.ts'
import type { Change } from '../store/change.ts'
import { Compacted } from '../store/collection.ts'
import type { Matcher } from '../store/selector.ts'
import type { Stored } from '../store/stored.ts'
import type { Sink, WatchOptions } from './watch-options.ts'

/** The last event that was written down: the same one goes to everybody who watches. */
let last:
  | { readonly event: string; readonly stored: Stored; readonly type: ApiType; readonly line: Uint8Array }
  | undefined

function eventLine(event: string, stored: Stored, type: ApiType): Uint8Array {
  if (last === undefined || last.stored !== stored || last.event !== event || last.type !== type) {
    const json = stored.json(type.group, type.version, type.kind)
    last = { event, stored, type, line: Buffer.from(`{"type":"${event}","object":${json}}\n`, 'utf8') }
  }
  return last.line
}

const bookmarkMs = 60_000
const maxWaiting = 256 * 1024 * 1024

/** One client that is told of every change to the objects that it selected. */
export class Watcher {
  readonly call: Call
  readonly #machinery: Machinery
  readonly #options: WatchOptions
  readonly #sink: Sink
  readonly #matches: Matcher
  readonly #everything: boolean
  readonly #from: number | undefined
  readonly #cancel = new Set<() => void>()
  #queue: Promise<void> | undefined
  #headers = true
  #ended = false
  #onEnd: () => void = () => {}

  /** @throws Refusal 400, 422 */
  constructor(machinery: Machinery, call: Call, options: WatchOptions, sink: Sink) {
    this.#machinery = machinery
    this.call = call
    this.#options = options
    this.#sink = sink
    checkWatchOptions(options.initialEvents, options.resourceVersionMatch)
    this.#from = revisionOf(options.resourceVersion)
    const { matches, everything } = matcher(call.type, options)
    this.#everything = everything && call.namespace === undefined && call.name === ''
    this.#matches = object =>
      (call.namespace === undefined || object.metadata.namespace === call.namespace) &&
      (call.name === '' || object.metadata.name === call.name) &&
      matches(object)
  }

  /** Sends what the client has missed, and from then on every change. `ended` is called once. */
  start(ended: () => void): void {
    this.#onEnd = ended
    const { clock, random } = this.#machinery
    const collection = collectionOf(this.#machinery, this.call.type)
    const { bookmarks, initialEvents, timeoutSeconds } = this.#options
    const missed = this.#missed()
    if (missed === undefined) return
    const seconds = timeoutSeconds ?? 1800 + Math.floor(random() * 1800)
    this.#cancel.add(clock.after(seconds * 1000, () => this.#timeOut()))
    if (Array.isArray(missed)) for (const change of missed) this.#offer(change)
    else
      for (const stored of collection.list(this.call.namespace))
        if (this.#matches(stored.object)) this.#emit('ADDED', stored)
    if (bookmarks) {
      if (initialEvents === true) this.#bookmark({ 'k8s.io/initial-events-end': 'true' })
      this.#remind()
    }
    this.#cancel.add(collection.subscribe(change => this.#offer(change)))
  }

  /** The changes to begin with, or `all` for everything that is there; nothing when the history is gone. */
  #missed(): readonly Change[] | 'all' | undefined {
    const from = this.#from
    const { initialEvents } = this.#options
    if (initialEvents === true) return 'all'
    if (from === undefined || from === 0) return initialEvents === false ? [] : 'all'
    try {
      return collectionOf(this.#machinery, this.call.type).since(from)
    } catch (error) {
      if (!(error instanceof Compacted)) throw error
      this.fail(expired(`too old resource version: ${from} (${error.oldest})`))
      return undefined
    }
  }

  /** Tells the client what is wrong, and ends. */
  fail(refusal: Refusal): void {
    this.#later(() => {
      this.#line('ERROR', JSON.stringify(refusal.status))
      this.end()
    })
  }

  /** Ends in good order; the client sees that the list of events is over. */
  end(): void {
    if (this.#finish()) this.#sink.end()
  }

  /** Breaks off. */
  drop(): void {
    if (this.#finish()) this.#sink.destroy()
  }

  #finish(): boolean {
    if (this.#ended) return false
    this.#ended = true
    for (const cancel of this.#cancel) cancel()
    this.#onEnd()
    return true
  }

  #timeOut(): void {
    if (this.#options.bookmarks) this.#bookmark()
    this.#later(() => this.end())
  }

  #remind(): void {
    const cancel = this.#machinery.clock.after(bookmarkMs, () => {
      this.#cancel.delete(cancel)
      this.#bookmark()
      this.#remind()
    })
    this.#cancel.add(cancel)
  }

  #bookmark(annotations?: Readonly<Record<string, string>>): void {
    const { type } = this.call
    const metadata = {
      resourceVersion: String(this.#machinery.store.revision),
      creationTimestamp: null,
      ...(annotations === undefined ? {} : { annotations }),
    }
    const empty = { kind: type.kind, apiVersion: apiVersionOf(type.group, type.version), metadata }
    this.#later(() =>
      this.#line('BOOKMARK', JSON.stringify(this.#shape(empty as unknown as KubeObject, true))),
    )
  }

  #offer(change: Change): void {
    if (this.#ended) return
    const { current, previous, type } = change
    if (this.#everything) {
      this.#emit(type, current)
      return
    }
    const is = type !== 'DELETED' && this.#matches(current.object)
    const was = previous !== undefined && this.#matches(previous.object)
    if (is) this.#emit(was ? 'MODIFIED' : 'ADDED', current)
    else if (was) this.#emit('DELETED', current)
  }

  #emit(event: string, stored: Stored): void {
    const { type } = this.call
    if (type.stored !== undefined) {
      this.#later(async () => {
        const [object] = await inVersion(this.#machinery, type, [stored])
        this.#line(event, JSON.stringify(this.#shape(object as KubeObject, false)))
      })
    } else if (this.#options.as === 'object') {
      const line = eventLine(event, stored, type)
      this.#later(() => this.#write(line))
    } else this.#later(() => this.#line(event, JSON.stringify(this.#shape(stored.object, false))))
  }

  #shape(object: KubeObject, bookmark: boolean): object {
    const { as, include } = this.#options
    if (as === 'object') return object
    if (as === 'metadata') return partial(object)
    const made = table(this.call.type, bookmark ? [] : [object], {
      metadata: { resourceVersion: object.metadata.resourceVersion },
      include,
      now: this.#machinery.clock.date(),
      headers: this.#headers,
    })
    this.#headers = false
    return made
  }

  /** Runs at once, or behind what still waits for a conversion. */
  #later(run: () => void | Promise<void>): void {
    if (this.#queue === undefined) {
      const result = run()
      if (result === undefined) return
      this.#enqueue(result)
    } else this.#enqueue(this.#queue.then(run))
  }

  #enqueue(promise: Promise<void>): void {
    const queue = promise
      .catch(() => this.drop())
      .then(() => {
        if (this.#queue === queue) this.#queue = undefined
      })
    this.#queue = queue
  }

  #line(event: string, json: string): void {
    this.#write(`{"type":"${event}","object":${json}}\n`)
  }

  #write(line: string | Uint8Array): void {
    if (this.#ended) return
    this.#sink.write(line)
    if (this.#sink.waiting > maxWaiting) this.drop()
  }
}
