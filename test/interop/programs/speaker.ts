// A BGP speaker as another program embeds it. It prints JSON lines, events and answers, and obeys commands on its standard input, a JSON
// object a line. Its argument is `SpeakerTold` in JSON.
import { createInterface } from 'node:readline'
import { type BgpPeer, type BgpRoute, BgpSpeaker, bfdWatcher, type RouteChanges } from '@carillon/bgp'
import { Bfd } from '@carillon/bgp/bfd'
import { type Logger, noMetrics, systemClock } from '@carillon/core'
import { systemNetwork } from '@carillon/sockets'

/** What the program is told when it starts. */
export interface SpeakerTold {
  readonly node: string
  /** The port to listen on; absent: only if a peer is passive, on 179. */
  readonly listen?: number
}

/** What it does on command. */
export type SpeakerCommand =
  | { readonly do: 'peers'; readonly peers: readonly BgpPeer[] }
  | { readonly do: 'routes'; readonly peer: string; readonly routes: readonly BgpRoute[] }
  /** So many routes, from 10.100.0.0/32 on, beside `routes`. */
  | {
      readonly do: 'many'
      readonly peer: string
      readonly count: number
      readonly routes: readonly BgpRoute[]
    }
  | { readonly do: 'change'; readonly peer: string; readonly changes: RouteChanges }
  | { readonly do: 'sessions' }
  /** Resident memory in bytes, the most it was, and milliseconds of processor time. */
  | { readonly do: 'usage' }

const told = JSON.parse(process.argv[2] ?? '{}') as SpeakerTold

const say = (line: object): boolean => process.stdout.write(`${JSON.stringify(line)}\n`)

const logger = (bound: object): Logger => {
  const line =
    (level: string) =>
    (fields: object, message: string): void => {
      process.stderr.write(`${JSON.stringify({ level, ...bound, ...fields, message })}\n`)
    }
  return {
    error: line('error'),
    warn: line('warn'),
    info: line('info'),
    debug: line('debug'),
    trace: () => {},
    child: more => logger({ ...bound, ...more }),
  }
}
const log = logger({})

const bfd = new Bfd({ network: { module: import.meta.resolve('@carillon/sockets') }, log })

const speaker = new BgpSpeaker({
  clock: systemClock,
  network: systemNetwork(),
  random: Math.random,
  log,
  metrics: noMetrics,
  bfd: bfdWatcher(bfd),
  node: told.node,
  ...(told.listen !== undefined && { listen: { port: told.listen } }),
})

speaker.events.on('peer:up', peer => say({ event: 'up', peer }))
speaker.events.on('peer:down', (peer, { code, message }) => say({ event: 'down', peer, code, message }))
speaker.events.on('session:changed', ({ peer, state }) => say({ event: 'state', peer, state }))

const many = (count: number): readonly BgpRoute[] =>
  Array.from({ length: count }, (_, i) => ({
    prefix: `10.${100 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}/32`,
  }))

function perform(command: SpeakerCommand): unknown {
  switch (command.do) {
    case 'peers':
      return speaker.setPeers(command.peers) ?? null
    case 'routes':
      return speaker.setRoutes(command.peer, command.routes) ?? null
    case 'many':
      return speaker.setRoutes(command.peer, [...many(command.count), ...command.routes]) ?? null
    case 'change':
      return speaker.changeRoutes(command.peer, command.changes) ?? null
    case 'sessions':
      return speaker.sessions()
    case 'usage': {
      const { user, system } = process.cpuUsage()
      return {
        rss: process.memoryUsage.rss(),
        most: process.resourceUsage().maxRSS * 1024,
        cpuMs: (user + system) / 1000,
      }
    }
  }
}

createInterface(process.stdin).on('line', line => {
  try {
    say({ answer: perform(JSON.parse(line) as SpeakerCommand) })
  } catch (error) {
    const { code, message } = error as Error & { readonly code?: string }
    say({ error: message, code })
  }
})

process.once('SIGTERM', async () => {
  await speaker.close()
  await bfd[Symbol.asyncDispose]()
  process.exit(0)
})

await speaker.start()
say({ event: 'ready' })
