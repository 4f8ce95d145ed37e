import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { CertificateAuthority } from '@carillon/kubernetes/testing'
import type { Json } from './api.ts'

/** What a webhook answers to the request of a review; nothing to leave it without an answer. */
export type Answers = (request: Json) => Json | undefined

/** A webhook at an address of its own, with a certificate of an authority of its own. */
export class Webhook implements AsyncDisposable {
  /** The requests that came, in order. */
  readonly seen: Json[] = []
  readonly caBundle: string
  readonly #server: Server
  readonly #answers: Map<string, Answers>

  private constructor(server: Server, caBundle: string, answers: Map<string, Answers>) {
    this.#server = server
    this.caBundle = caBundle
    this.#answers = answers
  }

  static async start(hosts: readonly string[] = ['127.0.0.1']): Promise<Webhook> {
    const authority = new CertificateAuthority()
    const { certificate, key } = authority.issue({ commonName: 'webhook', hosts })
    const answers = new Map<string, Answers>()
    const server = createServer({ cert: certificate, key }, async (request, response) => {
      let text = ''
      for await (const chunk of request) text += chunk
      const review = JSON.parse(text)
      webhook.seen.push(review.request)
      const { pathname } = new URL(request.url ?? '/', 'https://localhost')
      const answer = answers.get(pathname)?.(review.request)
      if (answer === undefined) return
      const { apiVersion, kind } = review
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ apiVersion, kind, response: { uid: review.request.uid, ...answer } }))
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const webhook = new Webhook(server, Buffer.from(authority.certificate).toString('base64'), answers)
    return webhook
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** The `clientConfig` for a path at which it then answers so. */
  at(path: string, answers: Answers): Json {
    this.#answers.set(path, answers)
    return { url: `https://127.0.0.1:${this.port}${path}`, caBundle: this.caBundle }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }
}
