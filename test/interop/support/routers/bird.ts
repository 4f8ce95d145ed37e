import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RouteFamily } from '@carillon/bgp'
import { birdControl } from '@carillon/cli/lab'
import { eventually } from '../../../lab/support/speaker-lab.ts'
import { birdConfig, birdName } from './bird-config.ts'
import { Daemon } from './daemon.ts'
import { DaemonRouter } from './daemon-router.ts'
import {
  inOrder,
  type Router,
  type RouterBfd,
  type RouterPath,
  type RouterSession,
  sessionState,
} from './router.ts'
import type { OriginConfig, RouterConfig } from './router-config.ts'

const bfdStates: Readonly<Record<string, RouterBfd['state']>> = {
  Up: 'up',
  Init: 'init',
  AdminDown: 'adminDown',
}

/** BIRD's words for what a neighbour has offered, and ours. */
const capabilities: Readonly<Record<string, string>> = {
  'Route refresh': 'routeRefresh',
  'Enhanced refresh': 'enhancedRouteRefresh',
  'Extended message': 'extendedMessage',
  'Extended next hop': 'extendedNextHop',
  'Graceful restart': 'gracefulRestart',
  '4-octet AS numbers': 'fourOctetAs',
}

/** What follows a label, to the end of its line. */
const field = (block: string, label: string): string =>
  new RegExp(`^\\s+${label}:[ \\t]*(.*)$`, 'm').exec(block)?.[1]?.trim() ?? ''

function offered(block: string): readonly string[] {
  const part = /Neighbor capabilities\n((?: {6,}.*\n)*)/.exec(block)?.[1] ?? ''
  const names = Object.entries(capabilities).flatMap(([word, name]) =>
    new RegExp(`^ {6}${word}`, 'm').test(part) ? [name] : [],
  )
  for (const family of field(part, 'AF announced').split(' ').filter(Boolean))
    names.push(`multiprotocol ${family}`)
  if (/^ {6}Hostname/m.test(part)) names.push('hostname')
  return names.sort()
}

function sessionOf(block: string): RouterSession {
  const received = [...block.matchAll(/Routes:\s+(\d+) imported/g)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  )
  return {
    neighbor: field(block, 'Neighbor address').split('%')[0] ?? '',
    state: sessionState(field(block, 'BGP state')),
    remoteAs: Number(field(block, 'Neighbor AS')),
    remoteRouterId: field(block, 'Neighbor ID'),
    capabilities: offered(block),
    received,
    holdTime: Number(field(block, 'Hold timer').split('/')[1] ?? 0),
    lastError: [field(block, 'Last error'), field(block, 'Message')].filter(Boolean).join(': '),
  }
}

const communities = (text: string): readonly string[] =>
  inOrder(
    [...text.matchAll(/\(([\d, ]+)\)/g)].map(([, inner = '']) =>
      inner.replaceAll(' ', '').replaceAll(',', ':'),
    ),
  )

/** BIRD, with a configuration and control socket of its own. */
export class Bird extends DaemonRouter implements Router {
  async start(changes: Partial<RouterConfig> = {}): Promise<void> {
    await this.prepare(changes)
    const file = join(this.folder, 'bird.conf')
    await writeFile(file, birdConfig(this.config, this.folder))
    const words = ['-f', '-c', file, '-s', this.#socket, '-P', join(this.folder, 'pid')]
    await rm(this.#socket, { force: true })
    this.daemon = new Daemon(this.net, this.host, 'bird', [
      ...words,
      ...(this.config.returning ? ['-R'] : []),
    ])
    const ask = (): Promise<string | undefined> => this.command('show status').catch(() => undefined)
    const text = await eventually(`BIRD on ${this.host} answers`, ask).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.log}`)
    })
    this.version = /BIRD [\d.]+/.exec(text)?.[0] ?? ''
  }

  get #socket(): string {
    return join(this.folder, 'bird.ctl')
  }

  /** Gives a command as to `birdc`; resolves with what it prints. */
  command(command: string): Promise<string> {
    return birdControl(this.#socket, command)
  }

  /** Replaces the configuration of a running BIRD, which keeps the sessions that do not change. */
  async reconfigure(changes: Partial<RouterConfig>): Promise<void> {
    this.config = { ...this.config, ...changes }
    await writeFile(join(this.folder, 'bird.conf'), birdConfig(this.config, this.folder))
    await this.command('configure')
  }

  /** What BIRD has written to its log file. */
  history(): Promise<string> {
    return readFile(join(this.folder, 'log'), 'utf8')
  }

  async #blocks(): Promise<ReadonlyMap<string, string>> {
    const text = await this.command('show protocols all')
    const blocks = text.split(/\n\s*\n/).map(block => block.replace(/^\n/, ''))
    const bgp = blocks.flatMap(block => {
      const [, name] = /^(\S+)\s+BGP\s/m.exec(block) ?? []
      return name === undefined || !block.includes('BGP state:') ? [] : [[name, block] as const]
    })
    return new Map(bgp)
  }

  async sessions(): Promise<readonly RouterSession[]> {
    const blocks = [...(await this.#blocks()).values()]
    return blocks.filter(block => !block.includes('Neighbor range:')).map(sessionOf)
  }

  async routes(family: RouteFamily): Promise<ReadonlyMap<string, readonly RouterPath[]>> {
    const table = family === 'ipv4' ? 'master4' : 'master6'
    const [text, blocks] = await Promise.all([
      this.command(`show route table ${table} all where source = RTS_BGP`),
      this.#blocks(),
    ])
    const found = new Map<string, RouterPath[]>()
    let prefix = ''
    for (const entry of text.split(/\n(?=\S|\s+(?:unicast|blackhole|unreachable|recursive) \[)/)) {
      const [, own = '', name = ''] = /^(\S*)\s+\w+ \[(\S+) /.exec(entry) ?? []
      if (name === '') continue
      if (own !== '') prefix = own
      const [nextHop = ''] = field(entry, 'BGP.next_hop').split(' ')
      const med = field(entry, 'BGP.med')
      const localPref = field(entry, 'BGP.local_pref')
      const path: RouterPath = {
        neighbor: field(blocks.get(name) ?? '', 'Neighbor address').split('%')[0] ?? '',
        nextHop,
        asPath: field(entry, 'BGP.as_path').split(' ').filter(Boolean).map(Number),
        ...(localPref !== '' && { localPref: Number(localPref) }),
        ...(med !== '' && { med: Number(med) }),
        communities: communities(field(entry, 'BGP.community')),
        largeCommunities: communities(field(entry, 'BGP.large_community')),
        stale: /\(\d+s[/)]/.test(entry.split('\n')[0] ?? ''),
      }
      found.set(prefix, [...(found.get(prefix) ?? []), path])
    }
    return found
  }

  async bfd(): Promise<readonly RouterBfd[]> {
    const text = await this.command('show bfd sessions')
    const rows = [
      ...text.matchAll(/^([\da-f.:]+)\s+(\S+)\s+(Up|Down|Init|AdminDown)\s+\S+\s+([\d.]+)\s+([\d.]+)/gm),
    ]
    return rows.map(([, neighbor = '', , state = '', interval, timeout]) => ({
      neighbor,
      state: bfdStates[state] ?? 'down',
      transmitMs: Number(interval) * 1000,
      detectMs: Number(timeout) * 1000,
    }))
  }

  originate(routes: readonly OriginConfig[]): Promise<void> {
    return this.reconfigure({ routes })
  }

  async #name(neighbor: string): Promise<string> {
    for (const [name, block] of await this.#blocks()) if (sessionOf(block).neighbor === neighbor) return name
    return birdName(this.config.neighbors.findIndex(({ address }) => address === neighbor))
  }

  async refresh(neighbor: string): Promise<void> {
    await this.command(`reload in ${await this.#name(neighbor)}`)
  }

  async clear(neighbor: string): Promise<void> {
    await this.command(`restart ${await this.#name(neighbor)}`)
  }

  async shut(neighbor: string, text: string): Promise<void> {
    await this.command(`disable ${await this.#name(neighbor)} "${text}"`)
  }
}
