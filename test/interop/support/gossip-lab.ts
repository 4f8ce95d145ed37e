import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { LabNet, type LabPort } from '@carillon/cli/lab'
import { bin, eventually } from '../../lab/support/speaker-lab.ts'
import { CommandPeer } from './command-peer.ts'

import { memberlistPeer } from './memberlist-peer.ts'
import { type Peer, type PeerOptions, withPort } from './peer.ts'
import { ProgramPeer } from './program-peer.ts'
import { SerfPeer } from './serf-peer.ts'
import { translated } from './translated.ts'

/**
 * `carillon`: the program `carillon gossip`. `embedded`: our package as another program embeds it. `go`: a small program on
 * Go's memberlist. `serf`: a serf agent.
 */
export type PeerKind = 'carillon' | 'embedded' | 'go' | 'serf'

type Started<Kind extends PeerKind> = Kind extends 'serf'
  ? SerfPeer
  : Kind extends 'carillon'
    ? ProgramPeer
    : CommandPeer

type StartOptions = Partial<Omit<PeerOptions, 'join'>> & {
  /** Names of running peers, or addresses, to join. */
  readonly join?: readonly string[]
  /** Further words for the command line. */
  readonly args?: readonly string[]
  /** The host to run on; by default the one that the lab had in mind for this name. */
  readonly host?: string
  readonly family?: 4 | 6
}

/** Least, greatest and spoken delegate protocol version of a serf agent. */
const serfVersions = '2,5,5'

/** Hosts on one bridge, each with room for one peer: host number i (from 1) has `10.79.0.i` and `fd79::i`. */
export class GossipLab implements AsyncDisposable {
  readonly net: LabNet
  readonly hosts: readonly string[]
  readonly ports = new Map<string, LabPort>()
  /** Those that were started last under each name. */
  readonly peers = new Map<string, Peer>()
  #folder = ''

  private constructor(name: string, hosts: readonly string[]) {
    this.net = new LabNet(name)
    this.hosts = hosts
  }

  static async build(name: string, hosts: readonly string[]): Promise<GossipLab> {
    const lab = new GossipLab(name, hosts)
    try {
      lab.#folder = await mkdtemp(join(tmpdir(), 'carillon-interop-'))
      await lab.net.bridge('switch')
      for (const host of hosts) {
        await lab.net.host(host)
        const addresses = [`${lab.address(host)}/24`, `${lab.address(host, 6)}/64`]
        lab.ports.set(host, await lab.net.join('switch', host, addresses))
      }
      return lab
    } catch (error) {
      await lab[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Address of a host. */
  address(host: string, family: 4 | 6 = 4): string {
    const number = this.hosts.indexOf(host) + 1
    return family === 4 ? `10.79.0.${number}` : `fd79::${number.toString(16)}`
  }

  /** Starts a peer named like its host, and resolves when it is ready. */
  async start<Kind extends PeerKind>(
    kind: Kind,
    name: string,
    options: StartOptions = {},
  ): Promise<Started<Kind>> {
    const { host = name, family = 4, args = [] } = options
    const join = (options.join ?? []).map(other => this.peers.get(other)?.address ?? other)
    const told: PeerOptions = { address: this.address(host, family), ...options, name, join }
    const peer = await this.#launch(kind, host, told, args)
    this.peers.set(name, peer)
    await peer
      .hears('is ready', said => said.event === 'ready')
      .catch((error: Error) => {
        throw new Error(`${error.message}\n${peer.log}`)
      })
    return peer as Started<Kind>
  }

  async #launch(kind: PeerKind, host: string, told: PeerOptions, args: readonly string[]): Promise<Peer> {
    const pipes = { stdio: ['pipe', 'pipe', 'pipe'] as ('pipe' | 'ignore')[] }
    const spawn = (command: string, words: readonly string[]) =>
      this.net.spawn(host, command, [...words, ...args], pipes)
    switch (kind) {
      case 'go':
        return new CommandPeer(host, told, spawn(await memberlistPeer(), goWords(told)))
      case 'serf':
        return new SerfPeer(host, told, spawn('serf', serfWords(told)))
      case 'embedded':
        return new CommandPeer(
          host,
          told,
          spawn(process.execPath, [await translated('embedder'), JSON.stringify(told)]),
        )
      case 'carillon':
        return new ProgramPeer(host, told, spawn(process.execPath, [bin, ...(await this.#ourWords(told))]))
    }
  }

  async #ourWords(told: PeerOptions): Promise<readonly string[]> {
    const words = ['gossip', '--name', told.name, '--bind', withPort(told.address)]
    for (const other of told.join) words.push('--join', withPort(other))
    if (told.profile !== undefined) words.push('--profile', told.profile)
    if (told.label !== undefined) words.push('--label', told.label)
    if (told.besideSerf) words.push('--delegate-versions', serfVersions)
    const { keys = [] } = told
    if (keys.length > 0) words.push('--key-file', await this.file(`${told.name}.key`, keyFile(keys)))
    return words
  }

  /** Writes a file that is removed with the lab; gives its path. */
  async file(name: string, content: string | Uint8Array): Promise<string> {
    const path = join(this.#folder, name)
    await writeFile(path, content)
    return path
  }

  /** Peers whose process runs. */
  get running(): readonly Peer[] {
    return [...this.peers.values()].filter(peer => peer.running)
  }

  /**
   * Waits until each of `peers` (all that run, by default) counts exactly `names` as members. Gossip is soon done; where it has
   * missed somebody, the next exchange of tables brings it, which may take memberlist a minute.
   */
  async agree(names: readonly string[], seconds = 75, peers: readonly Peer[] = this.running): Promise<void> {
    const wanted = [...names].sort().join(' ')
    const view = (peer: Peer): string => [...peer.alive()].sort().join(' ')
    try {
      await eventually(
        `all see ${wanted}`,
        () => peers.every(peer => view(peer) === wanted) || undefined,
        seconds,
      )
    } catch (error) {
      const views = peers.map(peer => `  ${peer.name} sees ${view(peer)}: ${peer.log}`)
      throw new Error(`${(error as Error).message}:\n${views.join('\n')}`)
    }
  }

  /** Waits until each of `peers` reports since `from` that `name` is gone; gives after how many seconds each did, and as what. */
  async departed(
    name: string,
    from: number,
    peers: readonly Peer[],
    seconds = 20,
  ): Promise<ReadonlyMap<string, { readonly event: string; readonly seconds: number }>> {
    const found = new Map<string, { readonly event: string; readonly seconds: number }>()
    for (const peer of peers) {
      const { event, at } = await eventually(
        `${peer.name} sees ${name} go`,
        () => peer.departures(from, name)[0],
        seconds,
      )
      found.set(peer.name, { event, seconds: (at - from) / 1000 })
    }
    return found
  }

  /** Lets the cluster run for a while. Fails when somebody reports a departure, or has since `from`. */
  async quiet(seconds: number, from: number = performance.now()): Promise<void> {
    const end = performance.now() + seconds * 1000
    while (performance.now() < end) {
      for (const peer of this.running) {
        const [said] = peer.departures(from)
        if (said) throw new Error(`${peer.name} says of ${said.name}: ${said.event}\n${peer.log}`)
      }
      await pause(50)
    }
  }

  /** Disables or enables a host's switch port: its own link stays up, and nothing passes. */
  async cut(host: string): Promise<void> {
    await this.#portState(host, 0)
  }

  async mend(host: string): Promise<void> {
    await this.#portState(host, 3)
  }

  async #portState(host: string, state: number): Promise<void> {
    const port = this.ports.get(host)
    if (!port) throw new Error(`no host ${host}`)
    const words = ['link', 'set', 'dev', port.port, 'state', String(state)]
    const { code, stderr } = await this.net.exec('switch', 'bridge', words)
    if (code !== 0) throw new Error(`bridge ${words.join(' ')}: ${stderr}`)
  }

  /** Drops all UDP that reaches a host, so that only TCP is left to talk to it. */
  async dropUdp(host: string): Promise<void> {
    const rules =
      'table inet lab { chain input { type filter hook input priority 0; meta l4proto udp drop; }; }'
    const { code, stderr } = await this.net.exec(host, 'nft', [rules])
    if (code !== 0) throw new Error(`nft on ${host}: ${stderr}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.net[Symbol.asyncDispose]()
    if (this.#folder !== '') await rm(this.#folder, { recursive: true, force: true })
  }
}

/** One key as it is, several as lines of base64. */
function keyFile(keys: readonly string[]): string | Uint8Array {
  const [key, ...more] = keys.map(hex => Buffer.from(hex, 'hex'))
  if (key === undefined || more.length === 0) return key ?? ''
  return [key, ...more].map(one => `${one.toString('base64')}\n`).join('')
}

function goWords(told: PeerOptions): readonly string[] {
  const words = ['-name', told.name, '-bind', told.address]
  for (const key of told.keys ?? []) words.push('-key', key)
  if (told.label !== undefined) words.push('-label', told.label)
  if (told.profile !== undefined) words.push('-profile', told.profile)
  if (told.compress === false) words.push('-compress=false')
  if (told.meta !== undefined) words.push('-meta', told.meta)
  if (told.state !== undefined) words.push('-state', told.state)
  if (told.bare) words.push('-bare')
  if (told.besideSerf) words.push('-delegate-versions', serfVersions)
  if (told.reclaimSeconds !== undefined) words.push('-reclaim', `${told.reclaimSeconds}s`)
  for (const other of told.join) words.push('-join', withPort(other))
  return words
}

function serfWords(told: PeerOptions): readonly string[] {
  const words = ['agent', '-node', told.name, '-bind', withPort(told.address)]
  const [key] = told.keys ?? []
  if (key !== undefined) words.push('-encrypt', Buffer.from(key, 'hex').toString('base64'))
  if (told.profile !== undefined) words.push('-profile', told.profile)
  if (told.compress === false) words.push('-disable-compression')
  if (told.meta !== undefined) words.push('-tag', told.meta)
  for (const other of told.join) words.push('-retry-join', withPort(other))
  return words
}
