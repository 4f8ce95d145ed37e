import { chown, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RouteFamily } from '@carillon/bgp'
import { execute, type LabNet, vty } from '@carillon/cli/lab'
import { eventually } from '../../../lab/support/speaker-lab.ts'
import { Daemon } from './daemon.ts'
import { frrConfig, frrName, originLine, originMap } from './frr-config.ts'
import {
  inOrder,
  type Router,
  type RouterBfd,
  type RouterPath,
  type RouterSession,
  sessionState,
} from './router.ts'
import { familiesOf, familyOf, type OriginConfig, type RouterConfig, routesOf } from './router-config.ts'

/** Where Debian puts the daemons. */
const programs = '/usr/lib/frr'

interface NeighborJson {
  readonly bgpState: string
  readonly remoteAs: number
  readonly remoteRouterId: string
  readonly bgpTimerHoldTimeMsecs?: number
  readonly lastNotificationReason?: string
  readonly lastResetDueTo?: string
  readonly lastShutdownDescription?: string
  readonly neighborCapabilities?: Readonly<Record<string, unknown>>
  readonly addressFamilyInfo?: Readonly<Record<string, { readonly acceptedPrefixCounter?: number }>>
}

interface PathJson {
  readonly prefix?: string
  readonly aspath?: { readonly segments?: readonly { readonly list: readonly number[] }[] }
  readonly community?: { readonly string: string }
  readonly largeCommunity?: { readonly string: string }
  readonly locPrf?: number
  readonly metric?: number
  readonly stale?: boolean
  readonly nexthops?: readonly { readonly ip: string; readonly scope?: string }[]
  readonly peer?: { readonly peerId: string; readonly interface?: string }
}

interface BfdJson {
  readonly peer: string
  readonly status: string
  readonly 'transmit-interval': number
  readonly 'receive-interval': number
  readonly 'remote-transmit-interval': number
  readonly 'remote-receive-interval': number
  readonly 'remote-detect-multiplier': number
}

const bfdStates: Readonly<Record<string, RouterBfd['state']>> = {
  up: 'up',
  init: 'init',
  down: 'down',
  shutdown: 'adminDown',
}

/** FRR's words for what a neighbour has offered, and ours. */
const capabilities: Readonly<Record<string, string>> = {
  '4byteAs': 'fourOctetAs',
  extendedMessage: 'extendedMessage',
  routeRefresh: 'routeRefresh',
  enhancedRouteRefresh: 'enhancedRouteRefresh',
  gracefulRestart: 'gracefulRestart',
  extendedNexthop: 'extendedNextHop',
}

/** How it calls the neighbour of its own routes. */
const own = ['0.0.0.0', '::', '(unspec)']

const wellKnown: Readonly<Record<string, string>> = {
  'graceful-shutdown': '65535:0',
  'no-export': '65535:65281',
  'no-advertise': '65535:65282',
  'local-AS': '65535:65283',
  'no-peer': '65535:65284',
  blackhole: '65535:666',
}

function offered(all: Readonly<Record<string, unknown>>): readonly string[] {
  const names = Object.entries(capabilities)
    .filter(([word]) => /received/i.test(typeof all[word] === 'string' ? all[word] : ''))
    .map(([, name]) => name)
  const families = JSON.stringify(all.multiprotocolExtensions ?? {})
  for (const family of ['ipv4', 'ipv6'])
    if (new RegExp(`"${family}Unicast":\\{"(advertisedAndR|r)eceived":true`).test(families))
      names.push(`multiprotocol ${family}`)
  if ('rcvHostName' in ((all.hostName ?? {}) as object)) names.push('hostname')
  return names.sort()
}

/** FRR: zebra, bfdd and bgpd, with files of their own. */
export class Frr implements Router {
  readonly host: string
  config: RouterConfig
  version = ''
  readonly #net: LabNet
  readonly #folder: string
  #daemons: Daemon[] = []
  #bgpd: Daemon | undefined
  #log = ''

  /** @param folder an empty folder of its own */
  constructor(net: LabNet, host: string, folder: string, config: RouterConfig) {
    this.#net = net
    this.host = host
    this.#folder = folder
    this.config = config
  }

  get running(): boolean {
    return this.#bgpd?.running ?? false
  }

  get pid(): number | undefined {
    return this.#bgpd?.pid
  }

  get log(): string {
    return this.#log + this.#daemons.map(({ log }) => log).join('')
  }

  async start(changes: Partial<RouterConfig> = {}): Promise<void> {
    this.config = { ...this.config, ...changes }
    await rm(this.#folder, { recursive: true, force: true })
    await mkdir(this.#folder, { recursive: true })
    // The daemons drop root, and have to create their sockets here.
    const { stdout } = await execute('id', ['-u', 'frr'])
    await chown(this.#folder, Number(stdout), -1)
    await writeFile(join(this.#folder, 'bgpd.conf'), frrConfig(this.config))
    await writeFile(join(this.#folder, 'none.conf'), '')
    this.#launch('zebra', 'none.conf')
    if (this.config.neighbors.some(({ bfd }) => bfd)) {
      // A client that comes before zebra listens tries again after ten seconds.
      await this.#answers('zebra')
      this.#launch('bfdd', 'none.conf', '--bfdctl', join(this.#folder, 'bfdd.sock'))
      await this.#answers('bfdd')
    }
    await this.#answers('zebra')
    const { port, install } = this.config
    const words = [...(port === undefined ? [] : ['-p', `${port}`]), ...(install ? [] : ['-n'])]
    this.#bgpd = this.#launch('bgpd', 'bgpd.conf', ...words)
    const text = await this.#answers('bgpd')
    this.version = `FRR ${/FRRouting ([\d.]+)/.exec(text)?.[1] ?? ''}`
  }

  #launch(name: string, file: string, ...more: readonly string[]): Daemon {
    const own = ['-f', join(this.#folder, file), '-i', join(this.#folder, `${name}.pid`)]
    const sockets = ['--vty_socket', this.#folder, '-z', join(this.#folder, 'zserv.api'), '-P', '0']
    const daemon = new Daemon(this.#net, this.host, join(programs, name), [...own, ...sockets, ...more])
    this.#daemons.push(daemon)
    return daemon
  }

  #answers(daemon: string): Promise<string> {
    const ask = (): Promise<string | undefined> => this.#ask(daemon, 'show version').catch(() => undefined)
    return eventually(`${daemon} on ${this.host} answers`, ask).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.log}`)
    })
  }

  #ask(daemon: string, ...commands: readonly string[]): Promise<string> {
    return vty(join(this.#folder, `${daemon}.vty`), ...commands)
  }

  /** Gives commands to bgpd, one after the other; resolves with its answer to the last. */
  command(...commands: readonly string[]): Promise<string> {
    return this.#ask('bgpd', ...commands)
  }

  async sessions(): Promise<readonly RouterSession[]> {
    const all = JSON.parse((await this.command('show bgp neighbors json')) || '{}') as Record<
      string,
      NeighborJson
    >
    return Object.entries(all).map(([neighbor, one]) => ({
      neighbor,
      state: sessionState(one.bgpState),
      remoteAs: one.remoteAs,
      remoteRouterId: one.remoteRouterId,
      capabilities: offered(one.neighborCapabilities ?? {}),
      received: Object.values(one.addressFamilyInfo ?? {}).reduce(
        (sum, { acceptedPrefixCounter = 0 }) => sum + acceptedPrefixCounter,
        0,
      ),
      holdTime: (one.bgpTimerHoldTimeMsecs ?? 0) / 1000,
      lastError: [one.lastResetDueTo, one.lastNotificationReason, one.lastShutdownDescription]
        .filter(Boolean)
        .join(': '),
    }))
  }

  async routes(family: RouteFamily): Promise<ReadonlyMap<string, readonly RouterPath[]>> {
    const { routes } = JSON.parse(await this.command(`show bgp ${family} unicast json detail`)) as {
      readonly routes: Readonly<Record<string, readonly PathJson[]>>
    }
    const found = new Map<string, readonly RouterPath[]>()
    for (const [prefix, paths] of Object.entries(routes)) {
      const learnt = paths.flatMap(path =>
        path.peer && !own.includes(path.peer.peerId) ? [pathOf(path, path.peer)] : [],
      )
      if (learnt.length > 0) found.set(prefix, learnt)
    }
    return found
  }

  async bfd(): Promise<readonly RouterBfd[]> {
    const all = JSON.parse((await this.#ask('bfdd', 'show bfd peers json')) || '[]') as readonly BfdJson[]
    return all.map(one => ({
      neighbor: one.peer,
      state: bfdStates[one.status] ?? 'down',
      transmitMs: Math.max(one['transmit-interval'], one['remote-receive-interval']),
      detectMs:
        Math.max(one['receive-interval'], one['remote-transmit-interval']) * one['remote-detect-multiplier'],
    }))
  }

  async originate(routes: readonly OriginConfig[]): Promise<void> {
    const old = this.config.routes ?? []
    this.config = { ...this.config, routes }
    const commands = ['configure terminal', ...routes.flatMap(originMap), `router bgp ${this.config.as}`]
    for (const family of ['ipv4', 'ipv6'] as const) {
      const kept = new Set(routesOf(this.config, family).map(({ prefix }) => prefix))
      const gone = old.filter(({ prefix }) => familyOf(prefix) === family && !kept.has(prefix))
      commands.push(
        `address-family ${family} unicast`,
        ...gone.map(({ prefix }) => `no network ${prefix}`),
        ...routesOf(this.config, family).map(originLine),
        'exit-address-family',
      )
    }
    await this.command(...commands)
  }

  async refresh(neighbor: string): Promise<void> {
    const told = this.config.neighbors.find((one, i) => frrName(one, i) === neighbor)
    for (const family of familiesOf(told ?? { address: neighbor, remoteAs: 'external' }))
      await this.command(`clear bgp ${family} unicast ${neighbor} soft in`)
  }

  async clear(neighbor: string): Promise<void> {
    await this.command(`clear bgp ${neighbor}`)
  }

  async shut(neighbor: string, text: string): Promise<void> {
    const words = `neighbor ${neighbor} shutdown message ${text}`
    await this.command('configure terminal', `router bgp ${this.config.as}`, words)
  }

  async stop(): Promise<void> {
    await this.#end(daemon => daemon.stop())
  }

  async kill(): Promise<void> {
    await this.#end(daemon => daemon.kill())
  }

  async #end(how: (daemon: Daemon) => Promise<void>): Promise<void> {
    for (const daemon of this.#daemons.reverse()) {
      await how(daemon)
      this.#log += daemon.log
      // Where each leaves notes on a crash, by its process id.
      const notes = (name: string): string => `/var/tmp/frr/${name}.${daemon.pid}`
      for (const name of ['zebra', 'bfdd', 'bgpd']) await rm(notes(name), { recursive: true, force: true })
    }
    this.#daemons = []
    this.#bgpd = undefined
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill()
  }
}

function pathOf(path: PathJson, peer: NonNullable<PathJson['peer']>): RouterPath {
  const hops = path.nexthops ?? []
  const words = (text = ''): readonly string[] => text.split(' ').filter(Boolean)
  return {
    neighbor: peer.interface ?? peer.peerId,
    nextHop: (hops.find(({ scope }) => scope !== 'link-local') ?? hops[0])?.ip ?? '',
    asPath: (path.aspath?.segments ?? []).flatMap(({ list }) => list),
    ...(path.locPrf !== undefined && { localPref: path.locPrf }),
    ...(path.metric !== undefined && { med: path.metric }),
    communities: inOrder(words(path.community?.string).map(word => wellKnown[word] ?? word)),
    largeCommunities: inOrder(words(path.largeCommunity?.string)),
    stale: path.stale ?? false,
  }
}
