import { type ClientRequest, type IncomingMessage, request as overHttp } from 'node:http'
import { request as overHttps } from 'node:https'
import { Watching } from './watching.ts'

/** How a cluster is reached. */
export interface Access {
  readonly url: string
  readonly token?: string
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

/** An answer, read to its end. */
export interface Answer {
  readonly code: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
  // What the tests look into has as many shapes as the API.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly body: any
}

export interface Asking {
  readonly body?: unknown
  readonly type?: string
  readonly accept?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** An object as tests write it down and look at it. */
// biome-ignore lint/suspicious/noExplicitAny: what the tests look into has as many shapes as the API
export type Json = any

/** Plain HTTP to a cluster: what goes over the wire is what the test says. */
export class Api {
  readonly access: Access

  constructor(access: Access) {
    this.access = access
  }

  /** The answer to one request. */
  async ask(method: string, path: string, asking: Asking = {}): Promise<Answer> {
    const response = await this.#open(method, path, asking)
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString('utf8')
    const json = (response.headers['content-type'] ?? '').includes('json')
    return {
      code: response.statusCode ?? 0,
      headers: response.headers,
      text,
      body: json ? JSON.parse(text) : text,
    }
  }

  /** What a request that has to succeed answers. */
  async must(method: string, path: string, asking: Asking = {}): Promise<Json> {
    const { code, text, body } = await this.ask(method, path, asking)
    if (code >= 400) throw new Error(`${method} ${path}: ${code} ${text}`)
    return body
  }

  get(path: string): Promise<Json> {
    return this.must('GET', path)
  }

  post(path: string, body: unknown): Promise<Json> {
    return this.must('POST', path, { body })
  }

  put(path: string, body: unknown): Promise<Json> {
    return this.must('PUT', path, { body })
  }

  /** A patch of a kind: `merge`, `json`, `strategic` or `apply`. */
  patch(path: string, kind: keyof typeof patchTypes, body: unknown): Promise<Json> {
    return this.must('PATCH', path, { body, type: patchTypes[kind] })
  }

  delete(path: string, body?: unknown): Promise<Json> {
    return this.must('DELETE', path, body === undefined ? {} : { body })
  }

  /** A watch that runs until the test ends it, or the server does. */
  async watch(path: string, asking: Asking = {}): Promise<Watching> {
    const response = await this.#open('GET', `${path}${path.includes('?') ? '&' : '?'}watch=true`, asking)
    return new Watching(response)
  }

  #open(
    method: string,
    path: string,
    { body, type, accept, headers = {} }: Asking,
  ): Promise<IncomingMessage> {
    const { url, token, ca, cert, key } = this.access
    const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
    const open = url.startsWith('https:') ? overHttps : overHttp
    return new Promise((resolve, reject) => {
      const request: ClientRequest = open(
        `${url}${path}`,
        {
          method,
          agent: false,
          ...(ca === undefined ? {} : { ca }),
          ...(cert === undefined ? {} : { cert, key }),
          headers: {
            accept: accept ?? 'application/json',
            'user-agent': 'conformance/1',
            ...(text === undefined
              ? {}
              : {
                  'content-type': type ?? 'application/json',
                  'content-length': String(Buffer.byteLength(text)),
                }),
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            ...headers,
          },
        },
        resolve,
      )
      request.on('error', reject)
      request.end(text)
    })
  }
}

export const patchTypes = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const
