// BFD as another program embeds it. Its argument is a `BfdTold` in JSON. It obeys `BfdCommand`s, one a line, and prints a line of JSON for
// each answer and for what its sessions tell, with the time by the computer's clock.
import { createSocket } from 'node:dgram'
import { createInterface } from 'node:readline'
import { Bfd, type BfdSession, type BfdSessionOptions, type BfdSettings } from '@carillon/bgp/bfd'
import { systemNetwork } from '@carillon/sockets'

/** Where the protocol runs: in the main thread, or in one of its own. */
export interface BfdTold {
  readonly where: 'main' | 'thread'
  /** What the thread has instead of the host's own network: a module that exports `network`. */
  readonly module?: string
}

export type BfdCommand =
  | { readonly do: 'open'; readonly name: string; readonly options: BfdSessionOptions }
  | { readonly do: 'change'; readonly name: string; readonly profile: Partial<BfdSettings> }
  | { readonly do: 'close' | 'status'; readonly name: string }
  /** Keeps the main thread busy, again and again. */
  | { readonly do: 'hold'; readonly ms: number; readonly times: number }
  /** Ends the thread that has the fragile network. */
  | { readonly do: 'kill' }
  | { readonly do: 'ping' }

const { module, where } = JSON.parse(process.argv[2] ?? '{}') as BfdTold
const own = { module: import.meta.resolve('@carillon/sockets') }
const threaded = module === undefined ? own : { module, export: 'network' }
const bfd = new Bfd({ network: where === 'main' ? systemNetwork() : threaded })
const sessions = new Map<string, BfdSession>()

const now = (): number => performance.timeOrigin + performance.now()
const say = (line: object): boolean => process.stdout.write(`${JSON.stringify(line)}\n`)
const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

function open(name: string, options: BfdSessionOptions): void {
  const session = bfd.session(options)
  sessions.set(name, session)
  session.on('session:up', () => say({ event: 'up', name, at: now() }))
  session.on('session:down', ({ cause, reason }) => say({ event: 'down', name, cause, reason, at: now() }))
}

function find(name: string): BfdSession {
  const session = sessions.get(name)
  if (session === undefined) throw new Error(`there is no session ${name}`)
  return session
}

async function perform(command: BfdCommand): Promise<unknown> {
  switch (command.do) {
    case 'open':
      return open(command.name, command.options)
    case 'change':
      return find(command.name).change(command.profile)
    case 'close':
      return find(command.name).close()
    case 'status': {
      const { problem, ...rest } = find(command.name).status()
      return { ...rest, ...(problem && { problem: { code: problem.code, message: problem.message } }) }
    }
    case 'hold':
      for (let i = 0; i < command.times; i++) {
        const end = performance.now() + command.ms
        while (performance.now() < end);
        await pause(20)
      }
      return
    case 'kill': {
      const socket = createSocket('udp4')
      await new Promise<void>(resolve =>
        socket.send('die', 9, '127.0.0.9', () => socket.close(() => resolve())),
      )
      return
    }
    case 'ping':
      return
  }
}

bfd.on('thread:failed', ({ message }) => say({ event: 'failed', name: '', reason: message, at: now() }))
// One after the other, so that the answers are in order.
let turn: Promise<unknown> = Promise.resolve()
createInterface(process.stdin).on('line', line => {
  turn = turn
    .then(() => perform(JSON.parse(line) as BfdCommand))
    .then(
      answer => say({ answer: answer ?? null }),
      (error: Error) => say({ error: error.message }),
    )
})
process.once('SIGTERM', async () => {
  await bfd[Symbol.asyncDispose]()
  process.exit(0)
})
