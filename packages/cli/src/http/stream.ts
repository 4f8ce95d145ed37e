import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Feed } from '../page/feed.ts'
import type { Subscription } from '../page/subscription.ts'

/** A reader that has taken nothing for this long, in milliseconds, is let go. */
const patienceMs = 15_000

/** From one comment in a stream to the next, in milliseconds. */
const pulseMs = 5000

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

const streamQuery = {
  type: 'object',
  properties: {
    only: { type: 'string', enum: ['events'] },
    since: { type: 'string', maxLength: 64 },
  },
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
  app.get<{ Querystring: { only?: 'events'; since?: string } }>(
    '/api/v1/stream',
    { exposeHeadRoute: false, schema: { querystring: streamQuery } },
    (request, reply) => {
      const header = request.headers['last-event-id']
      const last = request.query.since ?? (typeof header === 'string' ? header : '')
      const source = request.query.only === 'events' ? feed.chronicle : feed
      if (!stream(reply, source, last === '' ? undefined : last)) {
        reply.code(503).header('retry-after', '10')
        return reply.send({ message: 'too many read already: close another page' })
      }
      return reply
    },
  )
}

/** What can be read as a stream. */
interface Source {
  subscribe(last: string | undefined, news: () => void): Subscription | undefined
  unsubscribe(subscription: Subscription): void
}

/** Writes what there is, and whatever comes, until the reader goes. False: there are too many readers. */
function stream(reply: FastifyReply, source: Source, last: string | undefined): boolean {
  const { raw } = reply
  let blocked: NodeJS.Timeout | undefined
  const subscription = source.subscribe(last, () => write())
  if (!subscription) return false
  const write = (): void => {
    while (!blocked) {
      // Who is that slow comes back, and gets what is kept.
      if (subscription.lost) return void raw.destroy()
      const text = subscription.take()
      if (text === undefined) return
      if (!raw.write(text)) blocked = setTimeout(() => raw.destroy(), patienceMs)
    }
  }
  // A comment: whoever reads knows that the other end is there, and finds out that a connection is dead.
  const pulse = setInterval(() => blocked ?? raw.write(':\n\n'), pulseMs)
  reply.hijack()
  raw.on('drain', () => {
    clearTimeout(blocked)
    blocked = undefined
    write()
  })
  raw.on('close', () => {
    clearTimeout(blocked)
    clearInterval(pulse)
    source.unsubscribe(subscription)
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
  return true
}
