import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import type { Clock, Endpoint, Logger } from '@carillon/core'
import {
  type Admittance,
  type Certificates,
  type Client,
  Gatekeeper,
  MountedCertificates,
  PassingCertificates,
  type ServingCertificate,
  type TlsOptions,
  tlsSettings,
} from '@carillon/kubernetes'
import type { PrometheusMetrics } from '../http/metrics.ts'
import { portError } from '../http/port.ts'
import type { HttpServer } from '../http/server.ts'

/** How metrics are served to those alone whom Kubernetes lets have them. */
export interface SecureMetricsOptions {
  /** Absent or 0: they are not. */
  readonly secureMetricsPort?: number
  /** A mounted folder with `tls.crt` and `tls.key`; absent: certificates that nobody can know. */
  readonly metricsCertDir?: string
  readonly tlsMinVersion?: string
  readonly tlsCipherSuites?: readonly string[]
  readonly tlsCurvePreferences?: readonly string[]
}

/** What it takes to serve them so. */
export interface SecureMetricsParts {
  readonly client: Client
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: PrometheusMetrics
}

/** The words of these flags as settings of TLS. */
export function tlsOptions(
  options: Pick<SecureMetricsOptions, 'tlsMinVersion' | 'tlsCipherSuites' | 'tlsCurvePreferences'>,
): TlsOptions {
  const { tlsMinVersion, tlsCipherSuites, tlsCurvePreferences } = options
  return {
    ...(tlsMinVersion === undefined ? {} : { minVersion: tlsMinVersion }),
    ...(tlsCipherSuites === undefined ? {} : { cipherSuites: tlsCipherSuites }),
    ...(tlsCurvePreferences === undefined ? {} : { curvePreferences: tlsCurvePreferences }),
  }
}

const path = '/metrics'

/** What is answered to those who are not let in. */
const refusals: Readonly<Record<Exclude<Admittance, 'allowed'>, readonly [status: number, text: string]>> = {
  unauthenticated: [401, 'show a token of this cluster: Authorization: Bearer …'],
  forbidden: [403, `this account may not get the path ${path}: give it a ClusterRole with nonResourceURLs`],
  unavailable: [503, 'the API server cannot say who this is'],
}

/**
 * Serves /metrics, and nothing else, over TLS, to who may `get` the path `/metrics` by the roles of the cluster. Throws `PORT_IN_USE`,
 * `CERTIFICATE_UNUSABLE` and `BAD_TLS_OPTION`.
 */
export async function serveSecureMetrics(
  at: Endpoint,
  options: SecureMetricsOptions,
  { client, clock, log, metrics }: SecureMetricsParts,
): Promise<HttpServer> {
  const { metricsCertDir: folder } = options
  const settings = tlsSettings(tlsOptions(options))
  const certificates: Certificates =
    folder === undefined
      ? new PassingCertificates({ commonName: 'carillon metrics', hosts: [hostname(), 'localhost'], clock })
      : new MountedCertificates({ folder, clock, log })
  const gatekeeper = new Gatekeeper({ client, clock, log })
  const context = ({ certificate, key }: ServingCertificate): object => ({
    cert: certificate,
    key,
    ...settings,
  })
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method, url = '/' } = request
    if (url.split('?', 1)[0] !== path) return send(response, 404, `there is ${path} here, nothing else`)
    if (method !== 'GET' && method !== 'HEAD') return send(response, 405, 'metrics are asked for by GET')
    const admittance = await gatekeeper.admit(request.headers.authorization, path)
    if (admittance !== 'allowed') {
      if (admittance === 'unauthenticated') response.setHeader('www-authenticate', 'Bearer')
      if (admittance === 'unavailable') response.setHeader('retry-after', '10')
      return send(response, ...refusals[admittance])
    }
    const { type, text } = await metrics.scrape()
    response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' })
    response.end(method === 'HEAD' ? undefined : text)
  }
  const first = await certificates.start()
  const server = createServer(
    { ...context(first), headersTimeout: 10_000, requestTimeout: 10_000, keepAliveTimeout: 5000 },
    (request, response) => {
      answer(request, response).catch(error => {
        log.error({ err: error }, 'metrics cannot be served')
        send(response, 500, 'metrics cannot be served; the log says why')
      })
    },
  )
  server.on('tlsClientError', error => log.debug({ message: error.message }, 'a TLS handshake failed'))
  certificates.events.on('certificate:changed', next => server.setSecureContext(context(next)))
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host: at.address, port: at.port }, resolve)
    })
  } catch (error) {
    await certificates[Symbol.asyncDispose]()
    throw portError(at, error)
  }
  return {
    at: { address: at.address, port: (server.address() as AddressInfo).port },
    async [Symbol.asyncDispose]() {
      await certificates[Symbol.asyncDispose]()
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

function send(response: ServerResponse, status: number, text: string): void {
  if (response.destroyed || response.headersSent) return
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' })
  response.end(`${text}\n`)
}
