import { Socket } from 'node:net'
import type { Endpoint, Stream } from '@carillon/core'

/** A `node:net` Socket that knows both its ends. It stays half open until both sides have ended. */
export type SystemStream = Socket & Stream

/** Wraps a descriptor of a connected TCP socket, which the Socket then owns. */
export function streamOf(fd: number, local: Endpoint, remote: Endpoint): SystemStream {
  return withEnds(new Socket({ fd, readable: true, writable: true, allowHalfOpen: true }), local, remote)
}

/** Gives a Socket its ends, and turns off Nagle's algorithm: our messages are whole when written. */
export function withEnds(socket: Socket, local: Endpoint, remote: Endpoint): SystemStream {
  socket.setNoDelay(true)
  return Object.assign(socket, { local, remote })
}
