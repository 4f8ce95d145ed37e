import type { Datagrams, Endpoint, SocketOptions } from '@carillon/core'
import { Endpoints, endpointText, socketFamily } from './endpoints.ts'
import { type Attempt, check, throwLater } from './failure.ts'
import { encodeProgram, minimumTtlProgram } from './filter.ts'
import { Inbox } from './inbox.ts'
import { linux } from './linux.ts'
import { type Native, type NativeSocket, WANT_HOP_LIMIT, WANT_NAME } from './native.ts'
import { applyOptions, growReceiveBuffer } from './options.ts'

const RECEIVE_BUFFER = 4 * 1024 * 1024

/** Opens a UDP socket. On `::` it speaks IPv4 as well. */
export function openDatagrams(
  native: Native,
  at: Endpoint,
  options: SocketOptions & { readonly reuse?: boolean },
): Datagrams {
  const family = socketFamily(at.address)
  const attempt: Attempt = {
    opening: `UDP on ${endpointText(at)}`,
    needs: 'CAP_NET_BIND_SERVICE',
    details: { address: at.address, port: at.port },
  }
  const socket = new native.Socket()
  const set = (level: number, option: number, value: number, step: string): void => {
    check(socket.setInt(level, option, value), step, attempt)
  }
  try {
    check(socket.open(family === 4 ? linux.AF_INET : linux.AF_INET6, linux.SOCK_DGRAM, 0), 'socket', attempt)
    const scope = options.device === undefined ? 0 : native.interfaceIndex(options.device)
    const endpoints = new Endpoints(family, native, scope)
    applyOptions(socket, family, options, attempt)
    set(linux.IPPROTO_IP, linux.IP_RECVTTL, 1, 'IP_RECVTTL')
    if (family === 6) set(linux.IPPROTO_IPV6, linux.IPV6_RECVHOPLIMIT, 1, 'IPV6_RECVHOPLIMIT')
    if (options.minimumTtl !== undefined) {
      // IP_MINTTL is for TCP; for UDP a filter in the kernel does the same.
      const program = encodeProgram(minimumTtlProgram(options.minimumTtl))
      check(socket.filter(program), 'SO_ATTACH_FILTER', attempt)
    }
    // Not SO_REUSEADDR: with that, any program that sets it too could take the port over unnoticed.
    if (options.reuse) set(linux.SOL_SOCKET, linux.SO_REUSEPORT, 1, 'SO_REUSEPORT')
    growReceiveBuffer(socket, RECEIVE_BUFFER)
    check(socket.bind(endpoints.nameOf(at)), 'bind', attempt)
    const name = new Uint8Array(28)
    check(socket.localName(name), 'getsockname', attempt)
    return new UdpDatagrams(native, socket, endpoints, endpoints.endpointOf(name), attempt)
  } catch (error) {
    socket.close()
    throw error
  }
}

class UdpDatagrams implements Datagrams {
  readonly local: Endpoint
  readonly #socket: NativeSocket
  readonly #endpoints: Endpoints
  readonly #inbox: Inbox
  readonly #attempt: Attempt
  /** One object for each TTL seen, so that a datagram costs none. */
  readonly #infos: { readonly ttl?: number }[] = []
  #handle: (from: Endpoint, bytes: Uint8Array, info: { readonly ttl?: number }) => void = () => {}
  #open = true

  constructor(native: Native, socket: NativeSocket, endpoints: Endpoints, local: Endpoint, attempt: Attempt) {
    this.#socket = socket
    this.#endpoints = endpoints
    this.#inbox = new Inbox(native.arena)
    this.#attempt = attempt
    this.local = local
  }

  send(to: Endpoint, bytes: Uint8Array): void {
    this.#socket.sendTo(bytes, this.#endpoints.nameOf(to))
  }

  receive(handle: (from: Endpoint, bytes: Uint8Array, info: { readonly ttl?: number }) => void): void {
    this.#handle = handle
    if (!this.#open) return
    check(this.#socket.receive(WANT_NAME | WANT_HOP_LIMIT, this.#batch), 'uv_poll', this.#attempt)
  }

  // A negative count is an ICMP error for something sent before: that datagram counts as lost.
  readonly #batch = (count: number): void => {
    const inbox = this.#inbox
    for (let slot = 0; slot < count && this.#open; slot++) {
      const bytes = inbox.message(slot)
      if (bytes === undefined) continue
      try {
        const ttl = inbox.hopLimit(slot)
        this.#handle(this.#endpoints.endpointOf(inbox.name(slot)), bytes, this.#info(ttl))
      } catch (error) {
        throwLater(error)
      }
    }
  }

  #info(ttl: number): { readonly ttl?: number } {
    if (ttl < 0) return {}
    const kept = this.#infos[ttl]
    if (kept) return kept
    const info = { ttl }
    this.#infos[ttl] = info
    return info
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#open = false
    this.#socket.close()
  }
}
