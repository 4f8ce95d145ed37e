import type { Endpoint } from '@carillon/core'
import { type FastifyError, fastify } from 'fastify'
import { limitConnections } from './doorkeeper.ts'
import type { PrometheusMetrics } from './metrics.ts'
import { servePage } from './page.ts'
import { portError } from './port.ts'
import type { Served } from './served.ts'
import { serveFeed } from './stream.ts'

/** The door for people and programs. Read-only: nothing that it serves changes anything. */
export interface HttpServer extends AsyncDisposable {
  readonly at: Endpoint
}

/** Connections at once, those that read the stream among them. */
const mostConnections = 128

/** Milliseconds within which the head of a request must have come; looked at as often. */
const headersMs = 5000

/** `of`: only the Services that this means, `namespace/name` or an address. */
const querystring = { type: 'object', properties: { of: { type: 'string', maxLength: 600 } } }

/** Serves /healthz, /readyz, /metrics, /api/v1/status, and where there is a feed the page and what it asks for. Throws `PORT_IN_USE`. */
export async function serveHttp(
  at: Endpoint,
  served: Served,
  metrics: PrometheusMetrics,
): Promise<HttpServer> {
  const app = fastify({
    logger: false,
    bodyLimit: 1024,
    connectionTimeout: 10_000,
    requestTimeout: 10_000,
    keepAliveTimeout: 5000,
    forceCloseConnections: true,
    exposeHeadRoutes: true,
    http: { headersTimeout: headersMs, connectionsCheckingInterval: headersMs },
  })
  limitConnections(app.server, mostConnections)
  app.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff')
  })
  app.setErrorHandler<FastifyError>((error, _request, reply) => {
    const { statusCode = 500 } = error
    if (statusCode < 500) return reply.send(error)
    // What went wrong inside is nobody's business outside.
    return reply.code(500).send({ statusCode: 500, error: 'Internal Server Error' })
  })
  app.get('/healthz', async () => ({ status: 'ok' }))
  app.get('/readyz', async (_request, reply) => {
    const { ready, ...detail } = served.readiness()
    reply.code(ready ? 200 : 503)
    return { status: ready ? 'ready' : 'not ready', ...detail }
  })
  app.get('/metrics', async (_request, reply) => {
    const { type, text } = await metrics.scrape()
    reply.type(type)
    return text
  })
  app.get<{ Querystring: { of?: string } }>(
    '/api/v1/status',
    { schema: { querystring } },
    async (request, reply) => {
      reply.type('application/json')
      return JSON.stringify(served.status(request.query.of))
    },
  )
  if (served.feed) {
    servePage(app)
    serveFeed(app, served.feed)
  }
  try {
    await app.listen({ host: at.address, port: at.port })
  } catch (error) {
    throw portError(at, error)
  }
  const bound = app.server.address()
  return {
    at: { address: at.address, port: typeof bound === 'object' && bound ? bound.port : at.port },
    [Symbol.asyncDispose]: () => app.close(),
  }
}
