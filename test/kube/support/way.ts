import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A way to a server that can be cut. */
export class Way implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #cut = false

  private constructor(server: Server) {
    this.#server = server
  }

  static async to(url: string): Promise<Way> {
    const { hostname, port } = new URL(url)
    const server = createServer()
    const way = new Way(server)
    server.on('connection', socket => {
      if (way.#cut) return socket.destroy()
      const onward = connect(Number(port), hostname)
      for (const [from, into] of [
        [socket, onward],
        [onward, socket],
      ] as const) {
        way.#sockets.add(from)
        from.on('error', () => into.destroy())
        from.on('close', () => {
          way.#sockets.delete(from)
          into.destroy()
        })
        from.pipe(into)
      }
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    return way
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Breaks every connection, and lets none through until it is mended. */
  cut(): void {
    this.#cut = true
    for (const socket of this.#sockets) socket.destroy()
  }

  mend(): void {
    this.#cut = false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    await new Promise<void>(resolve => this.#server.close(() => resolve()))
  }
}
