import { rm, writeFile } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { RouteFamily } from '@carillon/bgp'
import { execute } from '@carillon/cli/lab'
import { eventually } from '../../../lab/support/speaker-lab.ts'
import { Daemon } from './daemon.ts'
import { DaemonRouter } from './daemon-router.ts'
import { exabgpConfig, originText } from './exabgp-config.ts'
import { inOrder, type Router, type RouterBfd, type RouterPath, type RouterSession } from './router.ts'
import { familiesOf, type OriginConfig, type RouterConfig } from './router-config.ts'

const relay = fileURLToPath(new URL('./exabgp-relay.mjs', import.meta.url))

interface UpdateJson {
  readonly attribute?: {
    readonly 'as-path'?: readonly number[]
    readonly 'local-preference'?: number
    readonly med?: number
    readonly community?: readonly (readonly [number, number])[]
    readonly 'large-community'?: readonly (readonly [number, number, number])[]
  }
  readonly announce?: Readonly<Record<string, Readonly<Record<string, readonly { readonly nlri: string }[]>>>>
  readonly withdraw?: Readonly<Record<string, readonly { readonly nlri: string }[]>>
}

interface OpenJson {
  readonly asn: number
  readonly hold_time: number
  readonly router_id: string
  readonly capabilities: Readonly<
    Record<string, { readonly name: string; readonly families?: readonly string[] }>
  >
}

/** What ExaBGP tells its processes, as far as we read it. */
interface Told {
  readonly type: string
  readonly neighbor?: {
    readonly address: { readonly peer: string }
    readonly asn: { readonly peer: number }
    readonly state?: string
    readonly reason?: string
    readonly direction?: string
    readonly open?: OpenJson
    readonly message?: {
      readonly update?: UpdateJson
      readonly eor?: { readonly afi: string; readonly safi: string }
    }
  }
}

// The text of a NOTIFICATION stands in the JSON as it is, its length included.
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it is for
const control = /[\x00-\x1f]/g

/** ExaBGP's words for what a neighbour has offered, and ours. */
const capabilities: Readonly<Record<string, string>> = {
  'route-refresh': 'routeRefresh',
  'enhanced-route-refresh': 'enhancedRouteRefresh',
  'extended-message': 'extendedMessage',
  'graceful restart': 'gracefulRestart',
  nexthop: 'extendedNextHop',
  asn4: 'fourOctetAs',
  hostname: 'hostname',
}

/** What we have heard of one neighbour; ExaBGP itself keeps no routes. */
class Heard {
  established = false
  remoteAs = 0
  lastError = ''
  open: OpenJson | undefined
  readonly routes = new Map<string, RouterPath>()
}

/** ExaBGP, with a process that tells us what it hears. */
export class Exabgp extends DaemonRouter implements Router {
  #server: Server | undefined
  #relay: Socket | undefined
  readonly #heard = new Map<string, Heard>()

  async start(changes: Partial<RouterConfig> = {}): Promise<void> {
    await this.prepare(changes)
    const file = join(this.folder, 'exabgp.conf')
    const socket = join(this.folder, 'relay.sock')
    this.#heard.clear()
    for (const { address = '' } of this.config.neighbors) this.#heard.set(address, new Heard())
    await this.#listen(socket)
    await writeFile(file, exabgpConfig(this.config, `${process.execPath} ${relay} ${socket}`))
    const settings: Readonly<Record<string, string>> = {
      'exabgp.daemon.user': 'root',
      'exabgp.daemon.drop': 'false',
      'exabgp.api.ack': 'false',
      'exabgp.api.cli': 'false',
      'exabgp.log.level': 'INFO',
      'exabgp.log.destination': 'stdout',
    }
    const env = { ...process.env, ...settings }
    this.daemon = new Daemon(this.net, this.host, 'exabgp', [file], { env, cwd: this.folder })
    await eventually(`ExaBGP on ${this.host} answers`, () => this.#relay, 15).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.log}`)
    })
    const { stdout } = await execute('exabgp', ['--version'])
    this.version = `ExaBGP ${/ExaBGP : ([\d.]+)/.exec(stdout)?.[1] ?? ''}`
  }

  async #listen(path: string): Promise<void> {
    this.#server?.close()
    this.#relay = undefined
    await rm(path, { force: true })
    const server = createServer(relay => {
      this.#relay = relay
      relay.on('error', () => {})
      createInterface(relay).on('line', line => this.#hear(line))
    })
    this.#server = server
    await new Promise<void>(resolve => server.listen(path, resolve))
  }

  #hear(line: string): void {
    if (!line.startsWith('{')) return
    const { type, neighbor } = JSON.parse(line.replaceAll(control, ' ')) as Told
    if (!neighbor) return
    const heard = this.#heard.get(neighbor.address.peer)
    if (!heard) return
    heard.remoteAs = neighbor.asn.peer
    if (type === 'state') {
      // Attempts to connect come to nothing without end, and are no news.
      if (neighbor.state === 'down' && heard.established) heard.lastError = neighbor.reason ?? ''
      heard.established = neighbor.state === 'up'
      if (neighbor.state === 'down') heard.routes.clear()
    }
    if (neighbor.open && neighbor.direction === 'receive') heard.open = neighbor.open
    const update = neighbor.message?.update
    if (update) learn(heard.routes, neighbor.address.peer, update)
  }

  /** Gives a command to ExaBGP, as its processes do; it answers none. */
  command(text: string): void {
    this.#relay?.write(`${text}\n`)
  }

  async sessions(): Promise<readonly RouterSession[]> {
    return [...this.#heard].map(([neighbor, { established, remoteAs, open, routes, lastError }]) => ({
      neighbor,
      state: established ? 'Established' : 'Idle',
      remoteAs: open?.asn ?? remoteAs,
      remoteRouterId: open?.router_id ?? '',
      capabilities: offered(open),
      received: routes.size,
      holdTime: open?.hold_time ?? 0,
      lastError,
    }))
  }

  async routes(family: RouteFamily): Promise<ReadonlyMap<string, readonly RouterPath[]>> {
    const found = new Map<string, RouterPath[]>()
    for (const { routes } of this.#heard.values())
      for (const [prefix, path] of routes)
        if (prefix.includes(':') === (family === 'ipv6'))
          found.set(prefix, [...(found.get(prefix) ?? []), path])
    return found
  }

  /** It has no BFD. */
  bfd(): Promise<readonly RouterBfd[]> {
    return Promise.resolve([])
  }

  async originate(routes: readonly OriginConfig[]): Promise<void> {
    const kept = new Set(routes.map(({ prefix }) => prefix))
    const gone = (this.config.routes ?? []).filter(({ prefix }) => !kept.has(prefix))
    for (const neighbor of this.config.neighbors) {
      const to = `neighbor ${neighbor.address}`
      for (const { prefix } of gone) this.command(`${to} withdraw ${originText({ prefix }, neighbor)}`)
      for (const route of routes) this.command(`${to} announce ${originText(route, neighbor)}`)
    }
    this.config = { ...this.config, routes }
  }

  async refresh(neighbor: string): Promise<void> {
    const told = this.config.neighbors.find(({ address }) => address === neighbor)
    for (const family of familiesOf(told ?? { address: neighbor, remoteAs: 'external' }))
      this.command(`neighbor ${neighbor} announce route-refresh ${family} unicast`)
  }

  async clear(neighbor: string): Promise<void> {
    this.command(`neighbor ${neighbor} teardown 4`)
  }

  /** ExaBGP sends no text of ours, and tries again later. */
  async shut(neighbor: string): Promise<void> {
    this.command(`neighbor ${neighbor} teardown 2`)
  }

  override async kill(): Promise<void> {
    await super.kill()
    for (const heard of this.#heard.values()) {
      heard.established = false
      heard.routes.clear()
    }
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]()
    this.#relay?.destroy()
    this.#server?.close()
  }
}

function offered(open: OpenJson | undefined): readonly string[] {
  const all = Object.values(open?.capabilities ?? {})
  return all
    .flatMap(({ name, families = [] }) => {
      if (name === 'multiprotocol') return families.map(family => `multiprotocol ${family.split('/')[0]}`)
      return capabilities[name.toLowerCase()] ?? []
    })
    .sort()
}

function learn(routes: Map<string, RouterPath>, neighbor: string, update: UpdateJson): void {
  for (const gone of Object.values(update.withdraw ?? {})) for (const { nlri } of gone) routes.delete(nlri)
  const { attribute = {} } = update
  for (const hops of Object.values(update.announce ?? {}))
    for (const [nextHop, prefixes] of Object.entries(hops))
      for (const { nlri } of prefixes)
        routes.set(nlri, {
          neighbor,
          nextHop,
          asPath: attribute['as-path'] ?? [],
          ...(attribute['local-preference'] !== undefined && { localPref: attribute['local-preference'] }),
          ...(attribute.med !== undefined && { med: attribute.med }),
          communities: inOrder((attribute.community ?? []).map(one => one.join(':'))),
          largeCommunities: inOrder((attribute['large-community'] ?? []).map(one => one.join(':'))),
          stale: false,
        })
}
