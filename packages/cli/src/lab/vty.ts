import { connect } from 'node:net'

/**
 * Gives commands to a daemon of FRR over its vty socket, one after the other, and resolves with what it printed to the last. A
 * command ends with a zero byte; an answer with three of them and the result of the command.
 */
export function vty(path: string, ...commands: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const all = ['enable', ...commands]
    const socket = connect(path)
    let pieces: Buffer[] = []
    let next = 0
    const say = (): void => {
      const command = all[next]
      if (command !== undefined) socket.write(`${command}\0`)
    }
    socket.setTimeout(20_000, () => socket.destroy(new Error(`${path} does not answer ${all[next]}`)))
    socket.once('connect', say)
    socket.once('error', reject)
    socket.once('close', () => reject(new Error(`${path} was closed`)))
    socket.on('data', chunk => {
      pieces.push(chunk)
      const tail = Buffer.concat(pieces.slice(-4)).subarray(-4)
      if (tail.length < 4 || tail[0] !== 0 || tail[1] !== 0 || tail[2] !== 0) return
      const text = Buffer.concat(pieces).subarray(0, -4).toString()
      if (tail[3] !== 0) socket.destroy(new Error(`${path}: ${all[next]}: ${text}`))
      pieces = []
      next += 1
      if (next < all.length) return say()
      resolve(text)
      socket.end()
    })
  })
}
