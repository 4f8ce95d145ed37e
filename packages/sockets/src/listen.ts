import { closeSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import type { Endpoint, Md5Key, SocketOptions, Stream, Streams } from '@carillon/core'
import { Endpoints, endpointText, plainAddress, socketFamily } from './endpoints.ts'
import { type Attempt, check } from './failure.ts'
import { linux } from './linux.ts'
import { md5Changes, md5Signature } from './md5.ts'
import type { Native, NativeSocket } from './native.ts'
import { applyOptions, requireTtl } from './options.ts'
import { withEnds } from './stream.ts'

const BACKLOG = 511

/** Listens over TCP. On `::` it takes IPv4 as well. Nothing is accepted before `accept` is called; the kernel keeps it waiting. */
export function openListener(
  native: Native,
  at: Endpoint,
  options: SocketOptions & { readonly md5?: readonly Md5Key[] },
): Streams {
  const family = socketFamily(at.address)
  const attempt: Attempt = {
    opening: `TCP listener on ${endpointText(at)}`,
    needs: 'CAP_NET_BIND_SERVICE',
    details: { address: at.address, port: at.port },
  }
  const socket = new native.Socket()
  try {
    check(socket.open(family === 4 ? linux.AF_INET : linux.AF_INET6, linux.SOCK_STREAM, 0), 'socket', attempt)
    const scope = options.device === undefined ? 0 : native.interfaceIndex(options.device)
    const endpoints = new Endpoints(family, native, scope)
    applyOptions(socket, family, options, attempt)
    if (options.minimumTtl !== undefined) requireTtl(socket, family, options.minimumTtl, attempt)
    check(socket.setInt(linux.SOL_SOCKET, linux.SO_REUSEADDR, 1), 'SO_REUSEADDR', attempt)
    check(socket.bind(endpoints.nameOf(at)), 'bind', attempt)
    const name = new Uint8Array(28)
    check(socket.localName(name), 'getsockname', attempt)
    const streams = new TcpStreams(native, socket, family, endpoints.endpointOf(name), attempt)
    streams.setMd5Keys(options.md5 ?? [])
    check(socket.listen(BACKLOG), 'listen', attempt)
    return streams
  } catch (error) {
    socket.close()
    throw error
  }
}

class TcpStreams implements Streams {
  readonly local: Endpoint
  readonly #native: Native
  readonly #socket: NativeSocket
  readonly #family: 4 | 6
  readonly #attempt: Attempt
  #keys: readonly Md5Key[] = []
  #server: Server | undefined

  constructor(native: Native, socket: NativeSocket, family: 4 | 6, local: Endpoint, attempt: Attempt) {
    this.#native = native
    this.#socket = socket
    this.#family = family
    this.#attempt = attempt
    this.local = local
  }

  accept(handle: (stream: Stream) => void): void {
    this.#server?.removeAllListeners('connection')
    const server = this.#server ?? this.#serve()
    server.on('connection', socket => {
      // A peer that is gone already has no address any more.
      if (socket.remoteAddress === undefined || socket.localAddress === undefined) {
        socket.destroy()
        return
      }
      const end = (address: string, port: number | undefined): Endpoint => ({
        address: plainAddress(address, this.#native),
        port: port ?? 0,
      })
      const local = end(socket.localAddress, socket.localPort)
      const stream = withEnds(socket, local, end(socket.remoteAddress, socket.remotePort))
      handle(Object.assign(stream, { limitTtl: this.#limiter(socket) }))
    })
  }

  #limiter(socket: Socket): NonNullable<Stream['limitTtl']> {
    return options => {
      // Node does not show the descriptor otherwise.
      const { _handle: handle } = socket as unknown as { readonly _handle: { readonly fd: number } | null }
      const own = new this.#native.Socket()
      const attempt: Attempt = { opening: `connection accepted by the ${this.#attempt.opening}` }
      try {
        check(own.adopt(handle?.fd ?? -1), 'dup', attempt)
        applyOptions(own, this.#family, options, attempt)
        if (options.minimumTtl !== undefined) requireTtl(own, this.#family, options.minimumTtl, attempt)
      } finally {
        own.close()
      }
    }
  }

  #serve(): Server {
    // Node gets a descriptor of its own: ours stays for setMd5Keys.
    const fd = check(this.#socket.duplicate(), 'dup', this.#attempt)
    const server = createServer({ allowHalfOpen: true })
    this.#server = server
    // Node says here that accepting failed (too many open files); it goes on with the next connection.
    server.on('error', () => {})
    try {
      server.listen({ fd, exclusive: true, backlog: BACKLOG })
    } catch (error) {
      closeSync(fd)
      throw error
    }
    return server
  }

  setMd5Keys(keys: readonly Md5Key[]): void {
    const { remove, set } = md5Changes(this.#keys, keys)
    for (const key of remove) this.#apply(key, true)
    for (const key of set) this.#apply(key, false)
    this.#keys = [...keys]
  }

  #apply(key: Md5Key, remove: boolean): void {
    const option = key.prefixLength === undefined ? linux.TCP_MD5SIG : linux.TCP_MD5SIG_EXT
    const signature = md5Signature(this.#family, key, remove, this.#native)
    const result = this.#socket.setBytes(linux.IPPROTO_TCP, option, signature)
    check(result, `TCP_MD5SIG for ${key.address}`, this.#attempt)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close()
    const server = this.#server
    if (server?.listening) server.close()
  }
}
