import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Holds the connections of a server to a number, so that crowds take neither all open files of the process nor the place of those who
 * come later: for one too many, the one goes that has had nothing to be answered for longest; where all are being answered, the new one.
 */
export function limitConnections(server: Server, most: number): void {
  /** Connections that are not being answered, longest first. */
  const idle = new Set<Socket>()
  const busy = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    socket.once('close', () => {
      idle.delete(socket)
      busy.delete(socket)
    })
    if (idle.size + busy.size >= most) {
      const [longest] = idle
      if (!longest) return void socket.destroy()
      idle.delete(longest)
      longest.destroy()
    }
    idle.add(socket)
  })
  server.on('request', ({ socket }, response) => {
    idle.delete(socket)
    busy.add(socket)
    response.once('close', () => {
      if (busy.delete(socket) && !socket.destroyed) idle.add(socket)
    })
  })
}
