import { contentSecurityPolicy, pageFile, pageFileNames } from '@carillon/web'
import type { FastifyInstance } from 'fastify'

/** Serves the page at `/`, and its files beside it. */
export function servePage(app: FastifyInstance): void {
  for (const name of pageFileNames) {
    app.get(name === 'index.html' ? '/' : `/${name}`, async (_request, reply) => {
      const { type, body } = await pageFile(name)
      return reply
        .type(type)
        .header('content-security-policy', contentSecurityPolicy)
        .header('referrer-policy', 'no-referrer')
        .header('cross-origin-resource-policy', 'same-origin')
        .send(Buffer.from(body))
    })
  }
}
