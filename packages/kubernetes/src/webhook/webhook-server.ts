import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import {
  CarillonError,
  type Clock,
  type Counter,
  type Endpoint,
  formatEndpoint,
  type Logger,
  type Metrics,
  noMetrics,
  type Snapshot,
  silentLogger,
} from '@carillon/core'
import type { Certificates, ServingCertificate } from '../certificates/certificates.ts'
import { type TlsOptions, tlsSettings } from '../certificates/tls-settings.ts'
import type { Client } from '../client/index.ts'
import { admissionAnswer, readAdmissionReview } from './admission-review.ts'
import { conversionAnswer, converted, readConversionReview } from './conversion-review.ts'
import { judge, problemLine } from './judge.ts'
import type { ConfigKind } from './kinds.ts'
import { LatestSnapshot } from './latest-snapshot.ts'
import { receiveBody } from './request-body.ts'
import { conversionPath, judgedAt } from './routes.ts'

/** What a webhook server needs. */
export interface WebhookServerOptions {
  /** Where to listen; MetalLB's port is 9443, 0 is a free one. */
  readonly at: Endpoint
  /**
   * What is known of the cluster, such as a `KubernetesSource` that has started. With a client it should follow Services, for warnings of what
   * they lose, and Nodes; without, everything.
   */
  readonly source: { current(): Snapshot }
  /**
   * By this the objects of the configuration and Secrets are read anew for every decision, as a watch is a moment behind.
   * @default the source alone decides
   */
  readonly client?: Client
  /** The namespace in which the objects of the configuration are. */
  readonly namespace: string
  readonly certificates: Certificates
  readonly clock: Clock
  readonly log?: Logger
  readonly metrics?: Metrics
  /** @default TLS 1.3 */
  readonly tls?: TlsOptions
  /**
   * The largest request that is read, in bytes. The API server converts lists in one piece.
   * @default 33554432
   */
  readonly maxBodyBytes?: number
  /**
   * Milliseconds within which a request has to be there.
   * @default 10000
   */
  readonly bodyTimeoutMs?: number
  /**
   * Milliseconds that are given to reading objects anew; after that, what is known has to do.
   * @default 3000
   */
  readonly readTimeoutMs?: number
}

/** How a request ended. */
type Result =
  | 'allowed'
  | 'denied'
  | 'converted'
  | 'not-converted'
  | 'malformed'
  | 'too-large'
  | 'too-slow'
  | 'failed'

interface Answer {
  readonly status: number
  readonly result: Result
  readonly body: object | string
}

/** Connections are kept for longer than API servers keep them, which is 90 s, so that none is closed just as it is used. */
const keepAliveMs = 120_000

/** How long what is under way may take when the server closes, in milliseconds. */
const farewellMs = 2000

/**
 * The admission and conversion webhooks, over HTTPS. It changes nothing anywhere, so a dry run is a request like any other. Whatever is sent
 * to it, it answers: with a verdict, or with a status code of HTTP and a reason.
 */
export class WebhookServer implements AsyncDisposable {
  readonly #options: WebhookServerOptions
  readonly #clock: Clock
  readonly #log: Logger
  readonly #requests: Counter
  readonly #latest: LatestSnapshot | undefined
  readonly #tls: ReturnType<typeof tlsSettings>
  readonly #rotated = (certificate: ServingCertificate): void => this.#show(certificate)
  #server: Server | undefined
  #underWay = 0
  #idle: (() => void) | undefined

  /** Throws `BAD_TLS_OPTION`. */
  constructor(options: WebhookServerOptions) {
    const { source, client, namespace, clock, log = silentLogger } = options
    this.#options = options
    this.#clock = clock
    this.#log = log
    this.#tls = tlsSettings(options.tls)
    this.#requests = (options.metrics ?? noMetrics).counter(
      'carillon_webhook_requests_total',
      'Requests to the webhooks, by path and how they ended',
      ['path', 'result'],
    )
    this.#latest =
      client &&
      new LatestSnapshot({
        client,
        namespace,
        current: () => source.current(),
        clock,
        log,
        timeoutMs: options.readTimeoutMs ?? 3000,
      })
  }

  /** Where it listens; before it does, where it is going to. */
  get local(): Endpoint {
    const { at } = this.#options
    const address = this.#server?.address() as AddressInfo | null | undefined
    return address ? { address: at.address, port: address.port } : at
  }

  /**
   * Listens as soon as there is a certificate. Rejects with `WEBHOOK_UNAVAILABLE`, and with what the certificates reject with.
   */
  async start(): Promise<void> {
    const { certificates, at } = this.#options
    const first = await certificates.start()
    const server = createServer(
      {
        ...this.#context(first),
        keepAliveTimeout: keepAliveMs,
        headersTimeout: 10_000,
        ALPNProtocols: ['http/1.1'],
      },
      (request, response) => void this.#serve(request, response),
    )
    server.on('tlsClientError', error =>
      this.#log.debug({ message: error.message }, 'a TLS handshake failed'),
    )
    await new Promise<void>((resolve, reject) => {
      server.once('error', cause =>
        reject(
          new CarillonError(
            'WEBHOOK_UNAVAILABLE',
            `the webhook server cannot listen at ${formatEndpoint(at)}: ${cause.message}`,
            { errno: (cause as NodeJS.ErrnoException).code },
            { cause },
          ),
        ),
      )
      server.listen(at.port, at.address, resolve)
    })
    this.#server = server
    certificates.events.on('certificate:changed', this.#rotated)
    const current = certificates.current()
    // It may have changed while the socket was opened.
    if (current && current !== first) this.#show(current)
    this.#log.info({ at: formatEndpoint(this.local) }, 'the webhooks listen')
  }

  /** Takes no more requests, and ends when those that are under way are answered. */
  async [Symbol.asyncDispose](): Promise<void> {
    const server = this.#server
    this.#server = undefined
    this.#options.certificates.events.off('certificate:changed', this.#rotated)
    if (!server) return
    const closed = new Promise<void>(resolve => server.close(() => resolve()))
    server.closeIdleConnections()
    if (this.#underWay > 0) {
      await new Promise<void>(resolve => {
        const cancel = this.#clock.after(farewellMs, resolve)
        this.#idle = () => {
          cancel()
          resolve()
        }
      })
    }
    server.closeAllConnections()
    await closed
  }

  #context({ certificate, key }: ServingCertificate): object {
    return { cert: certificate, key, ...this.#tls }
  }

  /** New connections see the new certificate; those that are open stay. */
  #show(certificate: ServingCertificate): void {
    this.#server?.setSecureContext(this.#context(certificate))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#underWay++
    const path = pathOf(request)
    try {
      const { status, result, body } = await this.#answer(request, path)
      this.#requests.inc({ path: isKnown(path) ? path : 'other', result })
      send(response, status, body)
    } catch (error) {
      this.#requests.inc({ path: isKnown(path) ? path : 'other', result: 'failed' })
      this.#log.error(
        { path, message: error instanceof Error ? error.stack : String(error) },
        'a webhook failed',
      )
      send(response, 500, 'the webhook failed; its log says why')
    } finally {
      this.#underWay--
      if (this.#underWay === 0) this.#idle?.()
    }
  }

  async #answer(request: IncomingMessage, path: string): Promise<Answer> {
    if (!isKnown(path)) return malformed(404, `there is no webhook at ${path.slice(0, 100)}`)
    if (request.method !== 'POST') return malformed(405, 'webhooks are asked by POST')
    const { maxBodyBytes = 33_554_432, bodyTimeoutMs = 10_000 } = this.#options
    const body = await receiveBody(request, {
      maxBytes: maxBodyBytes,
      timeoutMs: bodyTimeoutMs,
      clock: this.#clock,
    })
    if ('failed' in body) return refusedBody(body.failed, maxBodyBytes)
    try {
      const kind = judgedAt.get(path)
      return kind === undefined ? this.#convert(body.text) : await this.#admit(body.text, kind)
    } catch (error) {
      if (!(error instanceof CarillonError) || error.code !== 'BAD_REVIEW') throw error
      this.#log.warn({ path, message: error.message }, 'a webhook was asked what it cannot read')
      return malformed(400, error.message)
    }
  }

  async #admit(text: string, kind: ConfigKind): Promise<Answer> {
    const { namespace, source } = this.#options
    const { uid, change, user } = readAdmissionReview(text, kind)
    const snapshot = (await this.#latest?.read()) ?? source.current()
    const verdict = change
      ? judge(change, snapshot, namespace)
      : { allowed: true, problems: [], warnings: [] }
    if (!verdict.allowed) {
      this.#log.info(
        {
          user,
          operation: change?.operation,
          kind,
          name: change?.name,
          problems: verdict.problems.map(problemLine),
        },
        'a change was refused',
      )
    }
    return {
      status: 200,
      result: verdict.allowed ? 'allowed' : 'denied',
      body: admissionAnswer(uid, verdict),
    }
  }

  #convert(text: string): Answer {
    const question = readConversionReview(text)
    const result = converted(question)
    const failed = 'failures' in result
    if (failed) this.#log.warn({ failures: result.failures.slice(0, 10) }, 'objects could not be converted')
    return {
      status: 200,
      result: failed ? 'not-converted' : 'converted',
      body: conversionAnswer(question.uid, result),
    }
  }
}

const isKnown = (path: string): boolean => path === conversionPath || judgedAt.has(path)

/** The path without the query, in which the API server says how long it waits. */
const pathOf = ({ url = '/' }: IncomingMessage): string => url.split('?', 1)[0] as string

const malformed = (status: number, body: string): Answer => ({ status, result: 'malformed', body })

function refusedBody(failed: 'too-large' | 'too-slow' | 'broken-off', maxBytes: number): Answer {
  switch (failed) {
    case 'too-large':
      return { status: 413, result: 'too-large', body: `the request is larger than ${maxBytes} bytes` }
    case 'too-slow':
      return { status: 408, result: 'too-slow', body: 'the request took too long' }
    case 'broken-off':
      return { status: 400, result: 'malformed', body: 'the request was broken off' }
  }
}

function send(response: ServerResponse, status: number, body: object | string): void {
  if (response.destroyed) return
  const json = typeof body === 'object'
  const text = json ? JSON.stringify(body) : `${body}\n`
  // After a request that was not read to its end nothing more can be understood.
  if (status === 413 || status === 408) response.setHeader('connection', 'close')
  response.writeHead(status, { 'content-type': json ? 'application/json' : 'text/plain; charset=utf-8' })
  response.end(text)
}
