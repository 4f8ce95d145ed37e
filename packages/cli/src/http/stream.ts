import type { FastifyInstance } from 'fastify'
import type { Feed } from '../page/feed.ts'

/** A reader that has taken nothing for this long, in milliseconds, is let go. */
const patienceMs = 15_000

/** Addresses that one may ask for at once. */
const mostAddresses = 100

const lineQuery = {
  type: 'object',
  properties: { of: { type: 'string', maxLength: 5000 } },
  required: ['of'],
}
const addressQuery = {
  type: 'object',
  properties: { address: { type: 'string', maxLength: 64 } },
  required: ['address'],
}

/** Serves what the page asks for: the stream of events, who follows, and why. */
export function serveFeed(app: FastifyInstance, feed: Feed): void {
  app.get<{ Querystring: { of: string } }>(
    '/api/v1/succession',
    { schema: { querystring: lineQuery } },
    async request => feed.successions(request.query.of.split(',').slice(0, mostAddresses)),
  )
  app.get<{ Querystring: { address: string } }>(
    '/api/v1/explanation',
    { schema: { querystring: addressQuery } },
    async (request, reply) => {
      const { address } = request.query
      const answer = feed.explanation(address)
      if (!answer) reply.code(404)
      return answer ?? { message: `${address} is assigned to no Service` }
    },
  )
  app.get('/api/v1/stream', { exposeHeadRoute: false }, (request, reply) => {
    const { raw } = reply
    let blocked: NodeJS.Timeout | undefined
    const last = request.headers['last-event-id']
    const subscription = feed.subscribe(typeof last === 'string' && last !== '' ? last : undefined, () =>
      write(),
    )
    if (!subscription) {
      reply.code(503).header('retry-after', '10')
      return reply.send({ message: 'too many read already: close another page' })
    }
    const write = (): void => {
      while (!blocked) {
        // Who is that slow gets everything anew when it comes back.
        if (subscription.lost) return void raw.destroy()
        const text = subscription.take()
        if (text === undefined) return
        if (!raw.write(text)) blocked = setTimeout(() => raw.destroy(), patienceMs)
      }
    }
    reply.hijack()
    raw.on('drain', () => {
      clearTimeout(blocked)
      blocked = undefined
      write()
    })
    raw.on('close', () => {
      clearTimeout(blocked)
      feed.unsubscribe(subscription)
    })
    raw.on('error', () => raw.destroy())
    raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      // Proxies are not to gather events.
      'x-accel-buffering': 'no',
    })
    write()
    return reply
  })
}
