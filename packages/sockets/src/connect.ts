import type { Endpoint, Md5Key, SocketOptions } from '@carillon/core'
import { CarillonError } from '@carillon/core'
import { Endpoints, endpointText, socketFamily } from './endpoints.ts'
import { type Attempt, check, errnoName } from './failure.ts'
import { linux } from './linux.ts'
import { md5Signature } from './md5.ts'
import type { Native, NativeSocket } from './native.ts'
import { applyOptions, requireTtl, socketError } from './options.ts'
import { isLinkLocal } from './sockaddr.ts'
import { type SystemStream, streamOf } from './stream.ts'

/** How to connect; see core's `Network`. */
export interface ConnectOptions extends SocketOptions {
  readonly from?: Partial<Endpoint>
  readonly md5?: Md5Key
  readonly timeoutMs?: number
}

/** Connects over TCP with every option in place before the first segment is sent. */
export async function connectStream(
  native: Native,
  to: Endpoint,
  options: ConnectOptions,
): Promise<SystemStream> {
  const family = socketFamily(to.address)
  const attempt: Attempt = {
    opening: `TCP to ${endpointText(to)}`,
    details: { address: to.address, port: to.port },
  }
  const socket = new native.Socket()
  try {
    const scope = options.device === undefined ? 0 : native.interfaceIndex(options.device)
    const endpoints = new Endpoints(family, native, scope)
    prepare(native, socket, family, endpoints, to, options, attempt)
    const started = socket.connect(endpoints.nameOf(to))
    if (started < 0 && errnoName(started) !== 'EINPROGRESS') check(started, 'connect', attempt)
    await connected(socket, options.timeoutMs, attempt)
    const name = new Uint8Array(28)
    check(socket.localName(name), 'getsockname', attempt)
    const local = endpoints.endpointOf(name)
    check(socket.remoteName(name), 'getpeername', attempt)
    return streamOf(check(socket.detach(), 'detach', attempt), local, endpoints.endpointOf(name))
  } finally {
    socket.close()
  }
}

function prepare(
  native: Native,
  socket: NativeSocket,
  family: 4 | 6,
  endpoints: Endpoints,
  to: Endpoint,
  options: ConnectOptions,
  attempt: Attempt,
): void {
  const { from, md5, minimumTtl } = options
  const { bytes, scope } = endpoints.scoped(to.address)
  if (isLinkLocal(bytes) && scope === 0) {
    throw new CarillonError(
      'ENODEV',
      `${attempt.opening}: a link-local address needs an interface that exists: write ${to.address}%eth0, or give a device`,
      { ...attempt.details },
    )
  }
  check(socket.open(family === 4 ? linux.AF_INET : linux.AF_INET6, linux.SOCK_STREAM, 0), 'socket', attempt)
  applyOptions(socket, family, options, attempt)
  if (minimumTtl !== undefined) requireTtl(socket, family, minimumTtl, attempt)
  if (md5) {
    const option = md5.prefixLength === undefined ? linux.TCP_MD5SIG : linux.TCP_MD5SIG_EXT
    const signature = md5Signature(family, md5, false, native)
    check(socket.setBytes(linux.IPPROTO_TCP, option, signature), 'TCP_MD5SIG', attempt)
  }
  if (!from) return
  const source = { address: from.address ?? (family === 4 ? '0.0.0.0' : '::'), port: from.port ?? 0 }
  check(socket.setInt(linux.SOL_SOCKET, linux.SO_REUSEADDR, 1), 'SO_REUSEADDR', attempt)
  if (source.port === 0) socket.setInt(linux.IPPROTO_IP, linux.IP_BIND_ADDRESS_NO_PORT, 1)
  const binding: Attempt = { ...attempt, needs: 'CAP_NET_BIND_SERVICE' }
  check(socket.bind(endpoints.nameOf(source)), `bind to ${endpointText(source)}`, binding)
}

function connected(socket: NativeSocket, timeoutMs: number | undefined, attempt: Attempt): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            const errno = 'ETIMEDOUT'
            const text = `${attempt.opening}: connect: ${errno}, nobody answered within ${timeoutMs} ms`
            reject(
              new CarillonError(errno, text, {
                ...attempt.details,
                errno,
                opening: attempt.opening,
                timeoutMs,
              }),
            )
          }, timeoutMs)
    const settle = (): void => {
      clearTimeout(timer)
      try {
        check(socketError(socket), 'connect', attempt)
        resolve()
      } catch (error) {
        reject(error)
      }
    }
    try {
      check(socket.writable(settle), 'uv_poll', attempt)
    } catch (error) {
      clearTimeout(timer)
      reject(error)
    }
  })
}
