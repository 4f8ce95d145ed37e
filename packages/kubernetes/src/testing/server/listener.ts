import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { CertificateAuthority } from '../certificate/authority.ts'

const names = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'localhost', '127.0.0.1', '::1']

/** Takes connections at one address; can stop that, and begin again at the same port. */
export class Listener {
  readonly #host: string
  readonly #authority: CertificateAuthority | undefined
  readonly #handle: RequestListener
  #port: number
  #server: Server | undefined

  /** `authority`: signs the certificate of the server, and those of clients; without one it is plain HTTP. */
  constructor(
    host: string,
    port: number,
    authority: CertificateAuthority | undefined,
    handle: RequestListener,
  ) {
    this.#host = host
    this.#port = port
    this.#authority = authority
    this.#handle = handle
  }

  /** The port that it listens at; once it has listened. */
  get port(): number {
    return this.#port
  }

  async open(): Promise<void> {
    if (this.#server !== undefined) return
    const server = this.#make()
    server.keepAliveTimeout = 60_000
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.#port, this.#host, () => {
        server.off('error', reject)
        resolve()
      })
    })
    this.#server = server
    this.#port = (server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    await new Promise<void>(resolve => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  }

  #make(): Server {
    if (this.#authority === undefined) return createServer(this.#handle)
    const hosts = [...new Set([...names, this.#host])]
    const { certificate, key } = this.#authority.issue({ commonName: 'kube-apiserver', hosts })
    return createSecureServer(
      {
        cert: certificate,
        key,
        ca: this.#authority.certificate,
        requestCert: true,
        rejectUnauthorized: false,
      },
      this.#handle,
    )
  }
}
