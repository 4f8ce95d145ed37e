import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'

/** What a server for tests shows of itself; without, it speaks no TLS. */
export interface ServerTls {
  readonly cert: string
  readonly key: string
  /** Clients have to show a certificate of this authority. */
  readonly clientCa?: string
}

/** A server on the loopback interface that answers as the test says. */
export class LoopbackServer implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #tls: boolean
  /** Connections so far. */
  connections = 0

  private constructor(server: Server, tls: boolean) {
    this.#server = server
    this.#tls = tls
    server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => {
      this.connections++
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  /** @param port 0 for any */
  static async start(
    answer: (request: IncomingMessage, response: ServerResponse) => void,
    tls?: ServerTls,
    port = 0,
  ): Promise<LoopbackServer> {
    const server = tls
      ? createTlsServer(
          {
            cert: tls.cert,
            key: tls.key,
            ...(tls.clientCa === undefined
              ? {}
              : { ca: tls.clientCa, requestCert: true, rejectUnauthorized: true }),
          },
          answer,
        )
      : createServer(answer)
    await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
    return new LoopbackServer(server, tls !== undefined)
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `http${this.#tls ? 's' : ''}://127.0.0.1:${this.port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }
}
