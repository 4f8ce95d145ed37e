import { env } from 'node:process'
import { FakeClock, MemoryNetwork, seededRandom, settle } from '@carillon/core/testing'
import { Gossip, type GossipOptions, type MemberInfo } from '@carillon/gossip'
import { it } from 'vitest'
import { Freezer } from './freezer.ts'

/** From one look at promises to the next; no network is much faster. */
const sliceMs = 5

/** Something that a node noticed. */
export interface Noticed {
  readonly at: number
  readonly what: 'join' | 'update' | 'suspect' | 'leave' | 'dead' | 'conflict'
  readonly who: string
}

/** A node of a cluster in memory. */
export interface Node {
  readonly name: string
  /** Its place in the network, which can be cut off. */
  readonly host: string
  readonly address: string
  readonly gossip: Gossip
  readonly noticed: Noticed[]
  /** How often the set of living members changed. */
  changes: number
  readonly freezer: Freezer
}

export type NodeOptions = Partial<GossipOptions> & { readonly address?: string }

/** A cluster of real members on a network in memory, whose time stands still unless it is told to run. */
export class Cluster {
  readonly clock = new FakeClock()
  readonly network: MemoryNetwork
  readonly random: () => number
  readonly nodes = new Map<string, Node>()
  readonly #seed: number
  readonly #options: NodeOptions
  #hosts = 0

  /** @param options of every node, unless it has its own */
  constructor(seed: number, options: NodeOptions = {}) {
    this.#seed = seed
    this.#options = options
    this.random = seededRandom(seed)
    this.network = new MemoryNetwork({ clock: this.clock, random: seededRandom(seed + 1) })
    this.network.everywhere({ delayMs: 0.2, jitterMs: 0.3 })
  }

  /** Starts a node; without `join` it looks for the first one of the cluster. */
  async add(name: string, options: NodeOptions = {}): Promise<Node> {
    const number = ++this.#hosts
    const { address = `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`, ...own } = {
      ...this.#options,
      ...options,
    }
    const host = `${name}#${number}`
    const freezer = new Freezer(this.clock, this.network.host(host, address))
    const first = this.all[0]
    const gossip = await Gossip.create({
      name,
      network: freezer.network,
      clock: freezer.clock,
      random: seededRandom(this.#seed * 100_003 + number),
      bind: { address, port: 7946 },
      join: first ? [first.address] : [],
      ...own,
    })
    const node: Node = { name, host, address, gossip, noticed: [], changes: 0, freezer }
    const note = (what: Noticed['what']) => (member: MemberInfo) => {
      node.noticed.push({ at: this.clock.now(), what, who: member.name })
    }
    gossip
      .on('member:join', note('join'))
      .on('member:update', note('update'))
      .on('member:suspect', note('suspect'))
      .on('member:leave', note('leave'))
      .on('member:dead', note('dead'))
      .on('member:conflict', note('conflict'))
      .on('membership:changed', () => node.changes++)
    this.nodes.set(name, node)
    return node
  }

  /** Starts `count` nodes at once, and runs until they know each other. */
  async form(count: number, options: NodeOptions = {}): Promise<readonly Node[]> {
    for (let i = 0; i < count; i++) await this.add(`node-${i}`, options)
    await this.until('everybody knows everybody', 180_000, () => this.agreed())
    return this.all
  }

  get all(): readonly Node[] {
    return [...this.nodes.values()]
  }

  node(name: string): Node {
    const node = this.nodes.get(name)
    if (!node) throw new TypeError(`there is no node ${name}`)
    return node
  }

  /** Whether each of these counts as living exactly these. */
  agreed(among: readonly Node[] = this.all): boolean {
    if (!among.every(({ gossip }) => gossip.alive().size === among.length)) return false
    const names = among.map(({ name }) => name)
    return among.every(({ gossip }) => {
      const alive = gossip.alive()
      return names.every(name => alive.has(name))
    })
  }

  async run(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= sliceMs) {
      this.clock.advance(Math.min(sliceMs, left))
      await settle()
    }
  }

  /** Runs until `reached`, and gives how long that took; fails after `limitMs`. */
  async until(what: string, limitMs: number, reached: () => boolean): Promise<number> {
    const start = this.clock.now()
    while (!reached()) {
      if (this.clock.now() - start >= limitMs)
        throw new Error(`after ${limitMs} ms it is not so: ${what}\n${this.view()}`)
      await this.run(sliceMs)
    }
    return this.clock.now() - start
  }

  /** Cuts nodes off from all others. */
  cut(...nodes: readonly Node[]): void {
    this.network.partition(nodes.map(({ host }) => host))
  }

  heal(): void {
    this.network.heal()
  }

  /** The node is gone without a word; its address is free. */
  async kill(node: Node): Promise<void> {
    this.nodes.delete(node.name)
    this.network.remove(node.host)
    await node.gossip[Symbol.asyncDispose]()
  }

  /** Forgets what was noticed so far. */
  forget(): void {
    for (const node of this.all) {
      node.noticed.length = 0
      node.changes = 0
    }
  }

  /** Deaths noticed, as `observer: who`. */
  deaths(observers: readonly Node[] = this.all): readonly string[] {
    return observers.flatMap(({ name, noticed }) =>
      noticed.filter(({ what }) => what === 'dead').map(({ who }) => `${name}: ${who}`),
    )
  }

  /** How long after `since` the last of the observers noticed something for the first time; undefined when one did not. */
  lastOf(what: Noticed['what'], who: string, since: number, observers: readonly Node[]): number | undefined {
    const times = observers.map(
      ({ noticed }) => noticed.find(one => one.what === what && one.who === who && one.at >= since)?.at,
    )
    if (times.some(at => at === undefined)) return undefined
    return Math.max(...(times as number[])) - since
  }

  /** Whom each node counts as living, for failures. */
  view(): string {
    return this.all
      .slice(0, 10)
      .map(
        ({ name, gossip }) =>
          `${name} sees ${gossip.alive().size}: ${[...gossip.alive()].slice(0, 12).join(' ')}`,
      )
      .join('\n')
  }

  async close(): Promise<void> {
    for (const node of this.all) await node.gossip[Symbol.asyncDispose]()
  }
}

/**
 * A test that is told with several seeds, or with the one of CARILLON_SEED. A failure names the seed.
 */
export function story(
  what: string,
  options: NodeOptions & { readonly seeds?: readonly number[] },
  tell: (cluster: Cluster) => Promise<void>,
): void {
  const { seeds = [1, 2, 3], ...node } = options
  const chosen = env.CARILLON_SEED === undefined ? seeds : [Number(env.CARILLON_SEED)]
  it(what, { timeout: 600_000 }, async () => {
    for (const seed of chosen) {
      const cluster = new Cluster(seed, node)
      try {
        await tell(cluster)
      } catch (error) {
        if (error instanceof Error) error.message = `CARILLON_SEED=${seed}: ${error.message}`
        throw error
      } finally {
        await cluster.close()
      }
    }
  })
}
