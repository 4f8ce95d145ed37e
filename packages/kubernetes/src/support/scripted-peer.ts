import { Buffer } from 'node:buffer'
import type { HttpAnswer, HttpRequest, Transport } from '../client/transport.ts'

/** Lets whoever waits for the peer go on. */
async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise(resolve => setImmediate(resolve))
}

/** A body that a test sends piece by piece. */
class Stream implements AsyncIterable<Uint8Array> {
  readonly #pieces: (Uint8Array | Error | undefined)[] = []
  #wake: (() => void) | undefined

  push(piece: Uint8Array | Error | undefined): void {
    this.#pieces.push(piece)
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    for (;;) {
      while (this.#pieces.length === 0) {
        await new Promise<void>(resolve => {
          this.#wake = resolve
        })
      }
      const piece = this.#pieces.shift()
      if (piece === undefined) return
      if (piece instanceof Error) throw piece
      yield piece
    }
  }
}

/** A request that has arrived, to be answered by the test. */
export class ScriptedRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
  readonly signal: AbortSignal
  readonly #stream = new Stream()
  readonly #answer: (answer: HttpAnswer) => void
  readonly #fail: (error: Error) => void

  constructor(request: HttpRequest, answer: (answer: HttpAnswer) => void, fail: (error: Error) => void) {
    const url = new URL(request.path, 'http://api.test')
    this.method = request.method
    this.path = url.pathname
    this.query = url.searchParams
    this.headers = request.headers
    this.body = request.body === undefined ? undefined : JSON.parse(request.body)
    this.signal = request.signal
    this.#answer = answer
    this.#fail = fail
    request.signal.addEventListener('abort', () => {
      const error = new Error('aborted')
      fail(error)
      this.#stream.push(error)
    })
  }

  /** Whether the caller has given up. */
  get given(): boolean {
    return this.signal.aborted
  }

  /** A whole answer. */
  async reply(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<void> {
    this.#answer({ status, headers, body: this.#stream })
    this.#stream.push(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)))
    this.#stream.push(undefined)
    await settle()
  }

  /** The page of a list. */
  list(resourceVersion: string, items: readonly unknown[], next?: string): Promise<void> {
    const metadata = { resourceVersion, ...(next === undefined ? {} : { continue: next }) }
    return this.reply(200, { kind: 'List', apiVersion: 'v1', metadata, items })
  }

  /** A refusal, as Kubernetes words it. */
  refuse(code: number, reason: string, message = '', details: object = {}): Promise<void> {
    return this.reply(code, {
      kind: 'Status',
      apiVersion: 'v1',
      status: 'Failure',
      code,
      reason,
      message,
      details,
    })
  }

  /** The headers of a watch. */
  async open(): Promise<void> {
    this.#answer({ status: 200, headers: {}, body: this.#stream })
    await settle()
  }

  /** Events of a watch, in one piece. */
  async tell(...events: readonly object[]): Promise<void> {
    this.#stream.push(Buffer.from(events.map(event => `${JSON.stringify(event)}\n`).join('')))
    await settle()
  }

  /** Bytes of a watch as they are. */
  async bytes(text: string): Promise<void> {
    this.#stream.push(Buffer.from(text))
    await settle()
  }

  /** The server ends the watch. */
  async end(): Promise<void> {
    this.#stream.push(undefined)
    await settle()
  }

  /** The connection breaks, before the answer or within it. */
  async break(code = 'ECONNRESET'): Promise<void> {
    const error = Object.assign(new Error(code), { code })
    this.#fail(error)
    this.#stream.push(error)
    await settle()
  }
}

/** An API server of which the test plays the part, request by request. */
export class ScriptedPeer implements Transport {
  readonly server = 'https://api.test:6443'
  /** Requests that nobody has answered yet, in order of arrival. */
  readonly pending: ScriptedRequest[] = []
  /** Every request so far: `GET /api/v1/services`. */
  readonly log: string[] = []
  renewals = 0
  closed = false

  send(request: HttpRequest): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const scripted = new ScriptedRequest(request, resolve, reject)
      this.pending.push(scripted)
      this.log.push(`${request.method} ${request.path}`)
    })
  }

  renew(): void {
    this.renewals++
  }

  /** The next unanswered request; of those whose path contains `part`, where given. */
  async next(part = ''): Promise<ScriptedRequest> {
    await settle()
    const at = this.pending.findIndex(request => `${request.path}?${request.query}`.includes(part))
    const [request] = at === -1 ? [] : this.pending.splice(at, 1)
    if (!request)
      throw new Error(`no request for "${part}" among ${JSON.stringify(this.pending.map(one => one.path))}`)
    return request
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.closed = true
  }
}
