import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RouteFamily, SessionState } from '@carillon/bgp'
import { eventually } from '../../../lab/support/speaker-lab.ts'
import { Daemon } from './daemon.ts'
import { DaemonRouter } from './daemon-router.ts'
import { gobgpConfig, originWords } from './gobgp-config.ts'
import { inOrder, type Router, type RouterBfd, type RouterPath, type RouterSession } from './router.ts'
import { familyOf, type OriginConfig, type RouterConfig } from './router-config.ts'

interface CapabilityJson {
  readonly type_url: string
  /** Protocol buffers in base64. */
  readonly value?: string
}

interface NeighborJson {
  readonly conf: { readonly peer_asn?: number }
  readonly state: {
    readonly neighbor_address: string
    readonly peer_asn?: number
    readonly session_state?: number
    readonly router_id?: string
    readonly remote_cap?: readonly CapabilityJson[]
  }
  readonly timers?: { readonly state?: { readonly negotiated_hold_time?: number } }
  readonly afi_safis?: readonly { readonly state?: { readonly accepted?: number } }[]
}

interface AttributeJson {
  readonly type: number
  readonly nexthop?: string
  readonly metric?: number
  readonly value?: unknown
  readonly communities?: readonly number[]
  readonly as_paths?: readonly { readonly asns: readonly number[] }[]
}

interface PathJson {
  readonly attrs: readonly AttributeJson[]
  readonly stale: boolean
  readonly 'neighbor-ip'?: string
}

/** By the numbers that GoBGP's API gives them. */
const states: readonly SessionState[] = [
  'Idle',
  'Idle',
  'Connect',
  'Active',
  'OpenSent',
  'OpenConfirm',
  'Established',
]

/** GoBGP's words for what a neighbour has offered, and ours. */
const capabilities: Readonly<Record<string, string>> = {
  RouteRefreshCapability: 'routeRefresh',
  EnhancedRouteRefreshCapability: 'enhancedRouteRefresh',
  ExtendedNexthopCapability: 'extendedNextHop',
  GracefulRestartCapability: 'gracefulRestart',
  FourOctetASNCapability: 'fourOctetAs',
  FqdnCapability: 'hostname',
}

const LARGE_COMMUNITY = 32
const LOCAL_PREF = 5
/** Where the AFI stands in the message of a multiprotocol capability. */
const AFI_AT = 3

const offered = (all: readonly CapabilityJson[]): readonly string[] =>
  all
    .map(({ type_url, value = '' }) => {
      const word = type_url.slice(type_url.lastIndexOf('.') + 1)
      if (word === 'MultiProtocolCapability')
        return `multiprotocol ${Buffer.from(value, 'base64')[AFI_AT] === 2 ? 'ipv6' : 'ipv4'}`
      return capabilities[word] ?? ''
    })
    .filter(Boolean)
    .sort()

/** GoBGP; its API listens in its own host only. */
export class Gobgp extends DaemonRouter implements Router {
  async start(changes: Partial<RouterConfig> = {}): Promise<void> {
    await this.prepare(changes)
    const file = join(this.folder, 'gobgpd.toml')
    await writeFile(file, gobgpConfig(this.config))
    const words = ['-f', file, '-t', 'toml', '--pprof-disable', '--api-hosts', '127.0.0.1:50051']
    this.daemon = new Daemon(this.net, this.host, 'gobgpd', [
      ...words,
      ...(this.config.returning ? ['-r'] : []),
    ])
    const ask = (): Promise<string | undefined> => this.command('neighbor', '-j').catch(() => undefined)
    await eventually(`GoBGP on ${this.host} answers`, ask).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.log}`)
    })
    this.version = `GoBGP ${/[\d.]+/.exec(await this.command('--version'))?.[0] ?? ''}`
    await this.#announce(this.config.routes ?? [])
  }

  async #announce(routes: readonly OriginConfig[]): Promise<void> {
    for (const route of routes) {
      const hop = familyOf(route.prefix) === 'ipv6' ? this.config.neighbors[0]?.nextHop6 : undefined
      await this.command(...originWords(route, hop))
    }
  }

  async originate(routes: readonly OriginConfig[]): Promise<void> {
    const kept = new Set(routes.map(({ prefix }) => prefix))
    for (const { prefix } of this.config.routes ?? [])
      if (!kept.has(prefix)) await this.command('global', 'rib', 'del', prefix, '-a', familyOf(prefix))
    this.config = { ...this.config, routes }
    await this.#announce(routes)
  }

  /** Runs `gobgp`; resolves with what it prints. */
  async command(...words: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.net.exec(this.host, 'gobgp', words)
    if (code !== 0) throw new Error(`gobgp ${words.join(' ')}: ${stdout}${stderr}`)
    return stdout
  }

  async sessions(): Promise<readonly RouterSession[]> {
    const all = JSON.parse((await this.command('neighbor', '-j')) || '[]') as readonly NeighborJson[] | null
    return (all ?? []).map(({ conf, state, timers, afi_safis = [] }) => ({
      neighbor: state.neighbor_address,
      state: states[state.session_state ?? 0] ?? 'Idle',
      remoteAs: state.peer_asn ?? conf.peer_asn ?? 0,
      remoteRouterId: state.router_id ?? '',
      capabilities: offered(state.remote_cap ?? []),
      received: afi_safis.reduce((sum, family) => sum + (family.state?.accepted ?? 0), 0),
      holdTime: timers?.state?.negotiated_hold_time ?? 0,
      lastError: this.#lastError(state.neighbor_address),
    }))
  }

  /** GoBGP tells why a session ended only in its log: the NOTIFICATION, and then that the neighbour is down. */
  #lastError(neighbor: string): string {
    const lines = this.log.split('\n').filter(line => line.includes(`"Key":"${neighbor}"`))
    const told = lines.map(line => JSON.parse(line) as Readonly<Record<string, string>>)
    const down = told.findLastIndex(({ msg }) => msg === 'Peer Down')
    const text = told[down - 1]?.['Communicated-Reason']
    return [told[down]?.Reason, text].filter(Boolean).join(': ')
  }

  async routes(family: RouteFamily): Promise<ReadonlyMap<string, readonly RouterPath[]>> {
    const text = await this.command('global', 'rib', '-a', family, '-j')
    const all = JSON.parse(text || '{}') as Readonly<Record<string, readonly PathJson[]>>
    const found = new Map<string, readonly RouterPath[]>()
    for (const [prefix, paths] of Object.entries(all)) {
      const learnt = paths.flatMap(path => {
        const neighbor = path['neighbor-ip']
        return neighbor === undefined ? [] : [pathOf(path, neighbor)]
      })
      if (learnt.length > 0) found.set(prefix, learnt)
    }
    return found
  }

  /** It has no BFD. */
  bfd(): Promise<readonly RouterBfd[]> {
    return Promise.resolve([])
  }

  async refresh(neighbor: string): Promise<void> {
    await this.command('neighbor', neighbor, 'softresetin')
  }

  async clear(neighbor: string): Promise<void> {
    await this.command('neighbor', neighbor, 'reset')
  }

  async shut(neighbor: string, text: string): Promise<void> {
    await this.command('neighbor', neighbor, 'shutdown', '--reason', text)
  }
}

function pathOf({ attrs, stale }: PathJson, neighbor: string): RouterPath {
  const large = (attrs.find(({ type }) => type === LARGE_COMMUNITY)?.value ?? []) as readonly {
    readonly ASN: number
    readonly LocalData1: number
    readonly LocalData2: number
  }[]
  const standard = attrs.flatMap(({ communities = [] }) => communities)
  const localPref = attrs.find(({ type }) => type === LOCAL_PREF)?.value
  const med = attrs.find(({ metric }) => metric !== undefined)?.metric
  return {
    neighbor,
    nextHop: attrs.find(({ nexthop }) => nexthop !== undefined)?.nexthop ?? '',
    asPath: attrs.flatMap(({ as_paths = [] }) => as_paths.flatMap(({ asns }) => asns)),
    ...(typeof localPref === 'number' && { localPref }),
    ...(med !== undefined && { med }),
    communities: inOrder(standard.map(value => `${value >>> 16}:${value & 0xffff}`)),
    largeCommunities: inOrder(large.map(one => `${one.ASN}:${one.LocalData1}:${one.LocalData2}`)),
    stale,
  }
}
