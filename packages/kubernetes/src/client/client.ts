import { Buffer } from 'node:buffer'
import { CarillonError, type Clock, type Counter, type Metrics, noMetrics } from '@carillon/core'
import { type Action, pathOf, queryOf } from './action.ts'
import { badAnswer, cancelled, connectionFailure, failureOf, timeout } from './failure.ts'
import { JsonLines } from './json-lines.ts'
import { isKubeObject, type KubeObject, type Page, type WatchEvent } from './object.ts'
import { apiVersionOf, type ResourceType, resourceName } from './resource-type.ts'
import type { HttpAnswer, HttpRequest, Transport } from './transport.ts'

/** Which object is meant. */
export interface ObjectName {
  readonly namespace?: string | undefined
  readonly name: string
  /** `status` */
  readonly subresource?: string
}

/** What every call takes. */
export interface CallOptions {
  /** Gives the call up: it rejects with `API_CANCELLED`. */
  readonly signal?: AbortSignal
  /**
   * Milliseconds within which the whole answer has to be there (of a watch: its beginning).
   * @default that of the client
   */
  readonly timeoutMs?: number
}

/** Which objects are meant. */
export interface Selection {
  /** Absent: all namespaces. */
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
}

/** What a list takes. */
export interface ListOptions extends Selection, CallOptions {
  /** The most objects in one page; absent: all in one. */
  readonly limit?: number
  /** `continue` of the page before. */
  readonly continue?: string
  readonly resourceVersion?: string
}

/** What a watch takes. */
export interface WatchOptions extends Selection, CallOptions {
  readonly resourceVersion: string
  /** Seconds after which the server ends the watch. */
  readonly timeoutSeconds: number
  /** The server has accepted; nothing has to come for long. */
  readonly opened: () => void
  /** What came at once, in order; never empty. */
  readonly events: (events: readonly WatchEvent[]) => void
}

/** How a patch is meant. */
export type PatchType = 'merge' | 'strategic' | 'json' | 'apply'

/** What a patch takes. */
export interface PatchOptions extends CallOptions {
  /** @default 'merge' */
  readonly type?: PatchType
  /** Who owns the fields; `apply` needs one. */
  readonly fieldManager?: string
  /** `apply` takes fields over that others own. */
  readonly force?: boolean
}

/** What a delete takes: the object is deleted only while it is this one, in this version. */
export interface DeleteOptions extends CallOptions {
  readonly uid?: string
  readonly resourceVersion?: string
}

/** What a client is made of. */
export interface ClientOptions {
  readonly transport: Transport
  readonly clock: Clock
  /**
   * Milliseconds within which an answer has to be there.
   * @default 30000
   */
  readonly timeoutMs?: number
  /** @default 'carillon' */
  readonly userAgent?: string
  readonly metrics?: Metrics
}

const contentTypes: { readonly [Type in PatchType]: string } = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
}

const methods: { readonly [Verb in Action['verb']]: HttpRequest['method'] } = {
  get: 'GET',
  list: 'GET',
  watch: 'GET',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
}

interface Call extends CallOptions {
  readonly query?: string
  readonly body?: unknown
  readonly contentType?: string
}

/** An answer that is being received; `done` ends its time limit. */
interface Reception {
  readonly answer: HttpAnswer
  /** Runs what reads the body; its failures become coded errors. */
  read<T>(reading: () => Promise<T>): Promise<T>
}

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const metadataOf = (object: unknown): Readonly<Record<string, unknown>> =>
  isFields(object) && isFields(object.metadata) ? object.metadata : {}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  const [first] = chunks
  const whole = first && chunks.length === 1 ? first : Buffer.concat(chunks)
  return Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength).toString()
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const eventTypes: ReadonlySet<unknown> = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK'])

/**
 * The Kubernetes API, thin: what is asked for, by kind and name, and coded errors that name verb and resource. It keeps nothing and
 * repeats nothing, except that where one side does not accept the other, credentials are obtained anew, once.
 */
export class Client implements AsyncDisposable {
  readonly #transport: Transport
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #userAgent: string
  readonly #requests: Counter

  constructor(options: ClientOptions) {
    this.#transport = options.transport
    this.#clock = options.clock
    this.#timeoutMs = options.timeoutMs ?? 30_000
    this.#userAgent = options.userAgent ?? 'carillon'
    this.#requests = (options.metrics ?? noMetrics).counter(
      'carillon_k8s_requests_total',
      'Requests to the API server, by verb, resource and how they ended',
      ['verb', 'resource', 'result'],
    )
  }

  /** Where the API server is; for messages. */
  get server(): string {
    return this.#transport.server
  }

  /** One page of a list. */
  async list(type: ResourceType, options: ListOptions = {}): Promise<Page> {
    const action: Action = { verb: 'list', type, ...placed(type, options) }
    const { labelSelector, fieldSelector, limit, resourceVersion } = options
    const query = queryOf({
      labelSelector,
      fieldSelector,
      limit,
      continue: options.continue,
      resourceVersion,
    })
    const list = await this.#call(action, { ...options, query })
    const { resourceVersion: version, continue: next } = metadataOf(list)
    if (!isFields(list) || typeof version !== 'string')
      throw badAnswer(action, 'the answer is not a list with a resource version')
    // A list without items may say null.
    const items = Array.isArray(list.items) ? list.items : []
    return {
      items,
      resourceVersion: version,
      ...(typeof next === 'string' && next !== '' ? { continue: next } : {}),
    }
  }

  /** Every page of a list, one after another, as one. */
  async listAll(type: ResourceType, options: ListOptions = {}): Promise<Page> {
    const pages = [await this.list(type, options)]
    for (let next = pages[0]?.continue; next !== undefined; next = pages.at(-1)?.continue)
      pages.push(await this.list(type, { ...options, continue: next }))
    const { resourceVersion } = pages.at(-1) as Page
    return { items: pages.flatMap(({ items }) => items), resourceVersion }
  }

  /** One object. */
  get(type: ResourceType, name: ObjectName, options: CallOptions = {}): Promise<KubeObject> {
    return this.#object({ verb: 'get', type, ...name }, options)
  }

  /** Makes an object and gives what became of it. Its namespace is that of its metadata. */
  create(type: ResourceType, object: KubeObject, options: CallOptions = {}): Promise<KubeObject> {
    const { namespace } = object.metadata
    const body = { apiVersion: apiVersionOf(type), kind: type.kind, ...object }
    const action: Action = { verb: 'create', type, ...(namespace === undefined ? {} : { namespace }) }
    return this.#object(action, { ...options, body, contentType: 'application/json' })
  }

  /** Replaces an object, or its subresource. A resource version in its metadata has to be the present one. */
  update(
    type: ResourceType,
    name: ObjectName,
    object: KubeObject,
    options: CallOptions = {},
  ): Promise<KubeObject> {
    const body = { apiVersion: apiVersionOf(type), kind: type.kind, ...object }
    const action: Action = { verb: 'update', type, ...name }
    return this.#object(action, { ...options, body, contentType: 'application/json' })
  }

  /** Changes part of an object, or of its subresource. */
  patch(
    type: ResourceType,
    name: ObjectName,
    patch: unknown,
    options: PatchOptions = {},
  ): Promise<KubeObject> {
    const { fieldManager, force } = options
    const body = { query: queryOf({ fieldManager, force }), body: patch }
    const contentType = contentTypes[options.type ?? 'merge']
    return this.#object({ verb: 'patch', type, ...name }, { ...options, ...body, contentType })
  }

  /** Deletes an object. */
  async delete(type: ResourceType, name: ObjectName, options: DeleteOptions = {}): Promise<void> {
    const { uid, resourceVersion } = options
    const only = uid !== undefined || resourceVersion !== undefined
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      ...(only
        ? {
            preconditions: {
              ...(uid === undefined ? {} : { uid }),
              ...(resourceVersion === undefined ? {} : { resourceVersion }),
            },
          }
        : {}),
    }
    const action: Action = { verb: 'delete', type, ...name }
    await this.#call(action, { ...options, ...(only ? { body, contentType: 'application/json' } : {}) })
  }

  /**
   * Tells of every change after `resourceVersion`. Resolves when the server ends the watch in an orderly way; rejects with `API_GONE` when
   * that version is too old.
   */
  async watch(type: ResourceType, options: WatchOptions): Promise<void> {
    const action: Action = { verb: 'watch', type, ...placed(type, options) }
    const { labelSelector, fieldSelector, resourceVersion, timeoutSeconds } = options
    const query = queryOf({
      watch: true,
      allowWatchBookmarks: true,
      resourceVersion,
      timeoutSeconds,
      labelSelector,
      fieldSelector,
    })
    await this.#receive(action, { ...options, query }, async ({ answer, read }, opened) => {
      if (answer.status !== 200) throw await refusal(action, answer)
      opened()
      options.opened()
      await read(async () => {
        const lines = new JsonLines()
        for await (const chunk of answer.body) {
          const events = linesOf(lines, chunk, action).map(line => eventOf(line, action))
          if (events.length > 0) options.events(events)
        }
      })
    })
  }

  /** Ends what is under way and closes the connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport[Symbol.asyncDispose]()
  }

  async #object(action: Action, call: Call): Promise<KubeObject> {
    const object = await this.#call(action, call)
    if (!isKubeObject(object)) throw badAnswer(action, 'the answer is not an object with metadata')
    return object
  }

  /** A call with a whole answer. */
  #call(action: Action, call: Call): Promise<unknown> {
    return this.#receive(action, call, async ({ answer, read }) => {
      if (answer.status >= 300) throw await read(() => refusal(action, answer))
      const text = await read(() => textOf(answer.body))
      const body = parse(text)
      if (typeof body === 'string') throw badAnswer(action, 'the answer is not JSON')
      return body
    })
  }

  async #receive<T>(
    action: Action,
    call: Call,
    use: (reception: Reception, opened: () => void) => Promise<T>,
  ): Promise<T> {
    const count = (result: string): void =>
      this.#requests.inc({ verb: action.verb, resource: resourceName(action.type), result })
    for (let again = false; ; again = true) {
      try {
        const result = await this.#receiveOnce(action, call, use)
        count('ok')
        return result
      } catch (error) {
        const failure = error instanceof CarillonError ? error : undefined
        count(failure?.code ?? 'thrown')
        if (failure?.code !== 'API_UNAUTHORIZED' && failure?.code !== 'API_UNTRUSTED') throw error
        this.#transport.renew()
        if (again) throw error
      }
    }
  }

  async #receiveOnce<T>(
    action: Action,
    call: Call,
    use: (reception: Reception, opened: () => void) => Promise<T>,
  ): Promise<T> {
    const { server } = this.#transport
    const stop = new AbortController()
    const giveUp = (): void => stop.abort(cancelled(action))
    if (call.signal?.aborted) throw cancelled(action)
    call.signal?.addEventListener('abort', giveUp, { once: true })
    const ms = call.timeoutMs ?? this.#timeoutMs
    const cancelTimeout = this.#clock.after(ms, () => stop.abort(timeout(action, server, ms)))
    const read = async <R>(reading: () => Promise<R>): Promise<R> => {
      try {
        return await reading()
      } catch (error) {
        // Whoever ends the request says why; what the connection says of that is of no interest.
        throw stop.signal.aborted ? stop.signal.reason : connectionFailure(action, server, error)
      }
    }
    let whole = false
    try {
      const request: HttpRequest = {
        method: methods[action.verb],
        path: pathOf(action) + (call.query ?? ''),
        headers: {
          accept: 'application/json',
          'user-agent': this.#userAgent,
          ...(call.contentType === undefined ? {} : { 'content-type': call.contentType }),
        },
        ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
        signal: stop.signal,
      }
      const answer = await read(() => this.#transport.send(request))
      const result = await use({ answer, read }, cancelTimeout)
      whole = true
      return result
    } finally {
      cancelTimeout()
      call.signal?.removeEventListener('abort', giveUp)
      // An answer that was not read to its end must not hold its connection.
      if (!whole) stop.abort(cancelled(action))
    }
  }
}

/** Kinds without namespace are never asked for by one. */
const placed = (type: ResourceType, { namespace }: Selection): { readonly namespace?: string } =>
  type.namespaced && namespace !== undefined ? { namespace } : {}

async function refusal(action: Action, answer: HttpAnswer): Promise<CarillonError> {
  const body = parse(await textOf(answer.body))
  return failureOf(action, answer.status, body, answer.headers['retry-after'])
}

function linesOf(lines: JsonLines, chunk: Uint8Array, action: Action): readonly string[] {
  try {
    return lines.push(chunk)
  } catch (error) {
    throw badAnswer(action, (error as RangeError).message)
  }
}

function eventOf(line: string, action: Action): WatchEvent {
  const event = parse(line)
  if (!isFields(event)) throw badAnswer(action, 'the watch holds a line that is not JSON')
  const { type, object } = event
  if (type === 'ERROR') {
    const code = isFields(object) && typeof object.code === 'number' ? object.code : 500
    throw failureOf(action, code, object)
  }
  const { resourceVersion } = metadataOf(object)
  if (!eventTypes.has(type) || typeof resourceVersion !== 'string')
    throw badAnswer(action, 'the watch holds something that is no event')
  return { type: type as WatchEvent['type'], object, resourceVersion }
}
