// A BGP peer that does as it is told, and no more. Its argument is a script in JSON for each address of its host: what it does on each
// connection to port 179 there. It prints JSON lines: the BGP messages that it is sent.
import { createServer, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

/** One thing to do; bytes are in hex. */
export type Step =
  /** Send bytes, so many times. */
  | { readonly do: 'send'; readonly hex: string; readonly times?: number }
  /** Send bytes one by one. */
  | { readonly do: 'drip'; readonly hex: string }
  /** Wait until a message of this type has come. */
  | { readonly do: 'await'; readonly type: number }
  /** Read nothing more. */
  | { readonly do: 'deafen' }
  | { readonly do: 'close' }
  /** Send bytes every so many milliseconds from now on. */
  | { readonly do: 'every'; readonly ms: number; readonly hex: string }

export type Scripts = Readonly<Record<string, readonly Step[]>>

/** A message that the peer was sent. */
export interface Heard {
  readonly at: string
  readonly type: number
  readonly hex: string
}

const scripts = JSON.parse(process.argv[2] ?? '{}') as Scripts
const LENGTH_AT = 16
const TYPE_AT = 18
const HEADER = 19

function listen(socket: Socket, heard: (message: Buffer) => void): void {
  let pending = Buffer.alloc(0)
  socket.on('data', chunk => {
    pending = Buffer.concat([pending, chunk])
    while (pending.length >= HEADER) {
      const length = pending.readUInt16BE(LENGTH_AT)
      if (length < HEADER || pending.length < length) return
      heard(pending.subarray(0, length))
      pending = pending.subarray(length)
    }
  })
}

const write = (socket: Socket, bytes: Buffer): Promise<void> =>
  new Promise(resolve => {
    if (socket.destroyed) return resolve()
    socket.once('close', () => resolve())
    socket.write(bytes, () => resolve())
  })

async function converse(socket: Socket): Promise<void> {
  const at = (socket.localAddress ?? '').replace('::ffff:', '')
  const types = new Set<number>()
  listen(socket, message => {
    const type = message[TYPE_AT] ?? 0
    types.add(type)
    // Of long messages the beginning will do.
    const told: Heard = { at, type, hex: message.subarray(HEADER, HEADER + 64).toString('hex') }
    process.stdout.write(`${JSON.stringify(told)}\n`)
  })
  for (const step of scripts[at] ?? []) {
    if (socket.destroyed) return
    switch (step.do) {
      case 'send': {
        const bytes = Buffer.from(step.hex, 'hex')
        for (let i = 0; i < (step.times ?? 1) && !socket.destroyed; i++) await write(socket, bytes)
        break
      }
      case 'drip':
        for (const byte of Buffer.from(step.hex, 'hex')) {
          await write(socket, Buffer.of(byte))
          await pause(2)
        }
        break
      case 'await':
        while (!types.has(step.type) && !socket.destroyed) await pause(5)
        break
      case 'deafen':
        socket.pause()
        break
      case 'every': {
        const timer = setInterval(() => void write(socket, Buffer.from(step.hex, 'hex')), step.ms)
        socket.once('close', () => clearInterval(timer))
        break
      }
      case 'close':
        socket.end()
    }
  }
}

const server = createServer(socket => {
  socket.setNoDelay(true)
  socket.on('error', () => {})
  void converse(socket)
})
server.listen({ port: 179, host: '0.0.0.0' }, () => process.stdout.write('{"at":"","type":0,"hex":""}\n'))
