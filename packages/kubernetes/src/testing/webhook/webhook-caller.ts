import { Buffer } from 'node:buffer'
import { Agent as HttpAgent, request as overHttp } from 'node:http'
import { Agent, request as overHttps } from 'node:https'
import type { Clock } from '@carillon/core'
import type { ClientConfig } from '../custom/definition.ts'
import { endpointOf, type ServiceResolver } from './endpoint.ts'

/** Posts reviews to webhooks, whose certificates have to be signed by the authority in their configuration. */
export class WebhookCaller implements Disposable {
  readonly #clock: Clock
  readonly #resolve: ServiceResolver
  readonly #plain = new HttpAgent({ keepAlive: true })
  readonly #agents = new Map<string, Agent>()

  constructor(clock: Clock, resolve: ServiceResolver) {
    this.#clock = clock
    this.#resolve = resolve
  }

  /** The review that comes back. @throws Error that says what is wrong with the webhook */
  async post(config: ClientConfig, review: object, timeoutSeconds: number): Promise<unknown> {
    const { url, serverName } = endpointOf(config, this.#resolve)
    const body = JSON.stringify(review)
    const query = new URL(url)
    query.searchParams.set('timeout', `${timeoutSeconds}s`)
    const ca =
      config.caBundle === undefined ? undefined : Buffer.from(config.caBundle, 'base64').toString('utf8')
    const abort = new AbortController()
    const cancel = this.#clock.after(timeoutSeconds * 1000, () =>
      abort.abort(new Error('context deadline exceeded')),
    )
    try {
      return await this.#exchange(query, body, ca, serverName, abort.signal)
    } catch (error) {
      const reason = abort.signal.aborted ? (abort.signal.reason as Error) : (error as Error)
      throw new Error(`Post "${query}": ${reason.message}`, { cause: error })
    } finally {
      cancel()
    }
  }

  #exchange(
    url: URL,
    body: string,
    ca: string | undefined,
    serverName: string | undefined,
    signal: AbortSignal,
  ): Promise<unknown> {
    const headers = { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }
    return new Promise((resolve, reject) => {
      const options = { method: 'POST', headers, signal }
      const request =
        url.protocol === 'http:'
          ? overHttp(url, { ...options, agent: this.#plain })
          : overHttps(url, { ...options, agent: this.#agent(ca, serverName) })
      request.on('error', reject)
      request.on('response', response => {
        const chunks: Buffer[] = []
        response.on('data', chunk => chunks.push(chunk as Buffer))
        response.on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8')
          const { statusCode = 0 } = response
          if (statusCode < 200 || statusCode > 299) {
            reject(new Error(`unexpected response code: ${statusCode}`))
            return
          }
          try {
            resolve(JSON.parse(text))
          } catch (error) {
            reject(new Error(`the answer is not JSON: ${(error as Error).message}`))
          }
        })
      })
      request.end(body)
    })
  }

  #agent(ca: string | undefined, serverName: string | undefined): Agent {
    const key = `${serverName ?? ''}\n${ca ?? ''}`
    let agent = this.#agents.get(key)
    if (agent === undefined) {
      agent = new Agent({
        keepAlive: true,
        ...(ca === undefined ? {} : { ca }),
        ...(serverName === undefined ? {} : { servername: serverName }),
      })
      this.#agents.set(key, agent)
    }
    return agent
  }

  [Symbol.dispose](): void {
    this.#plain.destroy()
    for (const agent of this.#agents.values()) agent.destroy()
  }
}
