import type { SocketOptions } from '@carillon/core'
import { type Attempt, check } from './failure.ts'
import { linux, littleEndian } from './linux.ts'
import type { NativeSocket } from './native.ts'

const encoder = new TextEncoder()

/** Takes the largest receive buffer we may have: beyond net.core.rmem_max only with CAP_NET_ADMIN. */
export function growReceiveBuffer(socket: NativeSocket, bytes: number): void {
  if (socket.setInt(linux.SOL_SOCKET, linux.SO_RCVBUFFORCE, bytes) < 0) {
    socket.setInt(linux.SOL_SOCKET, linux.SO_RCVBUF, bytes)
  }
}

/** The error that waits on the socket, as a negative errno, which clears it; 0 for none. */
export function socketError(socket: NativeSocket): number {
  const value = new Uint8Array(4)
  const result = socket.getBytes(linux.SOL_SOCKET, linux.SO_ERROR, value)
  return result < 0 ? result : -new DataView(value.buffer).getInt32(0, littleEndian)
}

/** SO_BINDTODEVICE, by interface name. */
export function bindToDevice(socket: NativeSocket, device: string, attempt: Attempt): void {
  const result = socket.setBytes(linux.SOL_SOCKET, linux.SO_BINDTODEVICE, encoder.encode(`${device}\0`))
  check(result, `SO_BINDTODEVICE ${device}`, { ...attempt, needs: 'CAP_NET_RAW' })
}

/** Device and TTL. An IPv6 socket may carry IPv4 as well, so it gets the IPv4 options too. */
export function applyOptions(
  socket: NativeSocket,
  family: 4 | 6,
  options: SocketOptions,
  attempt: Attempt,
): void {
  if (options.device !== undefined) bindToDevice(socket, options.device, attempt)
  const { ttl } = options
  if (ttl !== undefined) {
    check(socket.setInt(linux.IPPROTO_IP, linux.IP_TTL, ttl), 'IP_TTL', attempt)
    if (family === 6)
      check(socket.setInt(linux.IPPROTO_IPV6, linux.IPV6_UNICAST_HOPS, ttl), 'IPV6_UNICAST_HOPS', attempt)
  }
}

/** The kernel drops TCP segments that arrive with a lower TTL or hop limit. */
export function requireTtl(socket: NativeSocket, family: 4 | 6, minimum: number, attempt: Attempt): void {
  check(socket.setInt(linux.IPPROTO_IP, linux.IP_MINTTL, minimum), 'IP_MINTTL', attempt)
  if (family === 6)
    check(socket.setInt(linux.IPPROTO_IPV6, linux.IPV6_MINHOPCOUNT, minimum), 'IPV6_MINHOPCOUNT', attempt)
}
