import {
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { Access, Credentials, TlsMaterial } from './credentials.ts'
import type { HttpAnswer, HttpRequest, Transport } from './transport.ts'

/** After this many milliseconds without traffic the kernel asks whether the other side still lives; ten unanswered seconds later it does not. */
const keepAliveMs = 15_000

/** Connections that stay open while nothing is asked. */
const maxIdle = 16

type Agent = HttpAgent | HttpsAgent

const headersOf = ({ headers }: IncomingMessage): HttpAnswer['headers'] =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  )

/**
 * Requests over HTTP/1.1, with connections that are kept. When certificates have changed, new connections use the new ones; what is
 * under way ends on the old.
 */
export class HttpTransport implements Transport {
  readonly server: string
  readonly #credentials: Credentials
  readonly #url: URL
  #tls: TlsMaterial | undefined
  #agent: Agent | undefined

  constructor(credentials: Credentials) {
    this.#credentials = credentials
    this.#url = new URL(credentials.server)
    this.server = credentials.server
  }

  async send(request: HttpRequest): Promise<HttpAnswer> {
    const access = await this.#credentials.access()
    const agent = access.agent ?? this.#agentFor(access)
    try {
      return await this.#once(request, access, agent)
    } catch (error) {
      // The server may close an idle connection just as it is used again; asking once more is harmless where nothing is changed.
      const stale = request.method === 'GET' && (error as { reused?: boolean }).reused === true
      if (!stale || request.signal.aborted) throw error
      return this.#once(request, access, agent)
    }
  }

  renew(): void {
    this.#credentials.renew()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent?.destroy()
  }

  #agentFor({ tls }: Access): Agent {
    if (this.#agent && this.#tls === tls) return this.#agent
    if (this.#agent) retire(this.#agent)
    this.#tls = tls
    const options = { keepAlive: true, keepAliveMsecs: keepAliveMs, maxFreeSockets: maxIdle }
    const agent =
      this.#url.protocol === 'http:' ? new HttpAgent(options) : new HttpsAgent({ ...options, ...tls })
    // It has one server and one identity; its own name for connections is made of whole certificates, for each request anew.
    agent.getName = () => this.server
    this.#agent = agent
    return agent
  }

  #once(request: HttpRequest, access: Access, agent: Agent): Promise<HttpAnswer> {
    const { method, path, body, signal } = request
    const { hostname, port, pathname, protocol } = this.#url
    const options: RequestOptions = {
      method,
      // A URL keeps the brackets of an IPv6 address; a connection is made without them.
      hostname: hostname.replace(/^\[(.*)\]$/, '$1'),
      port,
      // Some servers are reached below a path, such as that of a proxy.
      path: pathname.replace(/\/$/, '') + path,
      headers: {
        ...request.headers,
        ...access.headers,
        ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
      },
      agent,
    }
    return new Promise((resolve, reject) => {
      const sent = (protocol === 'http:' ? httpRequest : httpsRequest)(options)
      const giveUp = (): void => void sent.destroy(new Error('given up'))
      if (signal.aborted) giveUp()
      else signal.addEventListener('abort', giveUp, { once: true })
      sent.on('socket', socket => socket.setKeepAlive(true, keepAliveMs))
      sent.on('response', answer =>
        resolve({
          status: answer.statusCode ?? 0,
          // Few answers are read for their headers.
          get headers() {
            return headersOf(answer)
          },
          body: answer,
        }),
      )
      sent.on('error', error => reject(Object.assign(error, { reused: sent.reusedSocket })))
      sent.end(body)
    })
  }
}

/** Lets go of idle connections now, and of the others as soon as they are idle. */
function retire(agent: Agent): void {
  agent.maxFreeSockets = 0
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy()
}
