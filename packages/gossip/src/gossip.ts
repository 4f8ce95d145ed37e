import {
  CarillonError,
  type Clock,
  type Datagrams,
  type Endpoint,
  formatEndpoint,
  type Logger,
  type Membership,
  type MembershipEvents,
  type MembershipStanding,
  type Network,
  noMetrics,
  parseAddress,
  type Streams,
  silentLogger,
  systemClock,
  unmap,
} from '@carillon/core'
import { EventEmitter } from 'eventemitter3'
import { Acceptor } from './acceptor.ts'
import { confirmation } from './confirmation.ts'
import { Dialer } from './dialer.ts'
import type { GossipEvents } from './gossip-events.ts'
import type { GossipOptions } from './gossip-options.ts'
import { Herald } from './herald.ts'
import { Inbox } from './inbox.ts'
import { Joiner } from './joiner.ts'
import { info, type MemberInfo } from './member-info.ts'
import { living } from './member-record.ts'
import { endpointOf, type NodeAddress } from './node-address.ts'
import type { Outlet } from './outlet.ts'
import { Prober } from './prober.ts'
import { profiles, type Settings } from './profile.ts'
import { Standing } from './standing.ts'
import { SteadyClock } from './steady-clock.ts'
import { Swim, type SwimEvent } from './swim.ts'
import { TableExchange } from './table-exchange.ts'
import { type Figures, Tally } from './tally.ts'
import { Watcher } from './watcher.ts'
import { broadcastRoom, encodeLabel, encodeMessage, encodePacket, type WireOptions } from './wire/index.ts'

/** Figures of a member since it started. */
export interface GossipStats extends Figures {
  /** 0: hears well. The higher, the more it distrusts its own view. */
  readonly healthScore: number
  /** News that is to be passed on. */
  readonly queuedBroadcasts: number
  /** Messages of others that wait to be handled. */
  readonly waiting: number
}

const mostMeta = 512
/** A timer that is this late, in milliseconds, tells that the process was held up; it then gets so much longer. */
const stallMs = 50
const graceMs = 30
/** Members up to which a goodbye goes straight to everyone, where the profile does not say so. */
const tellAllUpTo = 64
const protocolVsn = [1, 5, 2] as const
const eventNames = {
  join: 'member:join',
  update: 'member:update',
  suspect: 'member:suspect',
  leave: 'member:leave',
  dead: 'member:dead',
} as const

/**
 * A member of a gossip cluster, on the wire of hashicorp/memberlist. `create` opens its sockets, `join` finds the others, events and
 * `members()` tell who is there, `leave` says goodbye.
 */
export class Gossip extends EventEmitter<GossipEvents> implements Membership, AsyncDisposable {
  readonly events: EventEmitter<MembershipEvents> = new EventEmitter()
  readonly #options: GossipOptions
  readonly #settings: Settings
  readonly #clock: Clock
  readonly #log: Logger
  readonly #tally: Tally
  readonly #datagrams: Datagrams
  readonly #streams: Streams
  readonly #swim: Swim
  readonly #prober: Prober
  readonly #herald: Herald
  readonly #watcher: Watcher | undefined
  readonly #standing: Standing
  readonly #dialer: Dialer
  readonly #acceptor: Acceptor
  readonly #exchange: TableExchange
  readonly #joiner: Joiner
  readonly #inbox: Inbox
  #alive: ReadonlySet<string> | undefined
  #changing = false
  #cancelGossip: (() => void) | undefined
  #closed = false

  private constructor(options: GossipOptions, datagrams: Datagrams, streams: Streams, address: NodeAddress) {
    super()
    const { name, network, random = Math.random, delegate = {} } = options
    this.#options = options
    const settings = { ...profiles[options.profile ?? 'fast'], ...options.settings }
    this.#settings = settings
    const clock = options.clock ?? systemClock
    this.#clock = clock
    const log = (options.log ?? silentLogger).child({ component: 'gossip' })
    this.#log = log
    const tally = new Tally(options.metrics ?? noMetrics, log, clock)
    this.#tally = tally
    this.#datagrams = datagrams
    this.#streams = streams
    const wire = wireOf(options, settings)
    const dialer = new Dialer({ network, wire, clock, tally, log })
    this.#dialer = dialer
    const swim = new Swim({
      name,
      address,
      meta: options.meta ?? new Uint8Array(0),
      vsn: versionsOf(options, settings),
      settings,
      // Timers that fell due while this process was held up wait until what arrived meanwhile has been read.
      clock: new SteadyClock(clock, stallMs, graceMs),
      random,
      outlet: this.#outlet(wire),
      delegate,
      emit: event => this.#tell(event),
    })
    this.#swim = swim
    const prober = new Prober(swim)
    this.#prober = prober
    const herald = new Herald(swim, settings.watch?.tellAllUpTo ?? tellAllUpTo)
    this.#herald = herald
    const exchange = new TableExchange({ swim, dialer, tally, clock, met: () => herald.tellOfUs() })
    this.#exchange = exchange
    const standing = new Standing(
      clock,
      () => confirmation(swim, exchange, clock),
      (now, before) => {
        this.#standingChanged(now)
        if (before === 'isolated' && now === 'confirmed') void exchange.catchUp()
      },
    )
    this.#standing = standing
    const { watch } = settings
    this.#watcher = watch && new Watcher({ swim, prober, herald, standing, clock, settings: watch })
    swim.hook({
      accused: message => this.#watcher?.accused(message),
      changed: member => this.#watcher?.changed(member),
      refuted: () => {
        if (watch) herald.tellOfUs()
      },
      returned: member => exchange.welcome(member),
    })
    this.#joiner = new Joiner({
      swim,
      targets: options.join ?? [],
      defaultPort: address.port,
      exchange: at => exchange.meet(at, true),
      log,
      ...(options.resolve ? { resolve: options.resolve } : {}),
    })
    this.#acceptor = new Acceptor({
      name,
      wire,
      clock,
      tally,
      timeoutMs: settings.tcpTimeoutMs,
      table: join => swim.table(join),
      merge: (table, from) => exchange.merge(table, from),
      user: payload => this.#user(payload),
    })
    this.#inbox = new Inbox({
      swim,
      prober,
      wire,
      clock,
      tally,
      heard: (member, unasked) => this.#watcher?.heard(member, unasked),
      died: message => {
        if (watch) herald.passOn(message)
      },
      user: payload => this.#user(payload),
    })
  }

  /** Opens the sockets and becomes a cluster of one, which then joins the others. Rejects when a socket cannot be opened. */
  static async create(options: GossipOptions): Promise<Gossip> {
    const { network, bind = { address: '0.0.0.0', port: 7946 }, advertise = {}, meta } = options
    checkMeta(meta)
    const datagrams = await network.datagrams(bind)
    let streams: Streams | undefined
    try {
      const at = { address: bind.address, port: datagrams.local.port }
      streams = await network.listen(at)
      const address = advertise.address ?? (await reachable(network, bind.address))
      const node = { addr: unmap(parseAddress(address)), port: advertise.port ?? at.port }
      const gossip = new Gossip(options, datagrams, streams, node)
      gossip.#start()
      return gossip
    } catch (error) {
      await Promise.allSettled([datagrams[Symbol.asyncDispose](), streams?.[Symbol.asyncDispose]()])
      throw error
    }
  }

  #start(): void {
    this.#datagrams.receive((from, bytes) => this.#inbox.receive(from, bytes))
    this.#streams.accept(stream => this.#acceptor.accept(stream))
    this.#swim.start()
    this.#prober.start()
    this.#watcher?.start()
    this.#gossipLater()
    this.#exchange.start()
    this.#joiner.start()
  }

  // ---- asking

  /** Everybody we know of, ourselves included; the departed for a while. */
  members(): readonly MemberInfo[] {
    return [...this.#swim.members.all()].map(info).sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** Names of the living; suspects are among them, as in MetalLB. */
  alive(): ReadonlySet<string> {
    this.#alive ??= new Set([...this.#swim.members.all()].filter(living).map(record => record.name))
    return this.#alive
  }

  standing(): MembershipStanding {
    return this.#standing.now
  }

  /** Where others reach us. */
  get local(): Endpoint {
    return endpointOf(this.#swim.options.address)
  }

  stats(): GossipStats {
    return {
      ...this.#tally.figures(),
      healthScore: this.#swim.awareness.score,
      queuedBroadcasts: this.#swim.broadcasts.size,
      waiting: this.#inbox.waiting,
    }
  }

  // ---- acting

  /** Exchanges tables with each of these members; gives how many answered. Those that did not are not tried again. */
  join(...targets: readonly string[]): Promise<number> {
    return this.#joiner.join(targets)
  }

  /** Other metadata, which every member sees. */
  updateMeta(meta: Uint8Array): void {
    checkMeta(meta)
    this.#swim.updateMeta(meta)
  }

  /** A message to the applications of all other members, one datagram to each; up to about a kilobyte, best effort. */
  broadcast(payload: Uint8Array): void {
    const bytes = encodeMessage({ type: 'user', payload })
    for (const record of this.#swim.others()) this.#swim.sendBare(record, [bytes], record)
  }

  /** A message to the application of one member: over UDP, or reliably over TCP. False when that did not work, or nobody has that name. */
  async tell(
    member: string,
    payload: Uint8Array,
    options: { readonly reliable?: boolean } = {},
  ): Promise<boolean> {
    const record = this.#swim.members.get(member)
    if (!record) return false
    if (options.reliable) return this.#dialer.tell(record, payload, this.#settings.tcpTimeoutMs)
    this.#swim.sendBare(record, [encodeMessage({ type: 'user', payload })], record)
    return true
  }

  /**
   * Says goodbye, and resolves once that has been passed on, or after `timeoutMs`. Goes on answering until it is closed.
   */
  async leave(timeoutMs = 1000): Promise<void> {
    const { name: node, incarnation } = this.#swim.self
    await new Promise<void>(resolve => {
      const cancel = this.#clock.after(timeoutMs, resolve)
      this.#swim.leave(() => {
        cancel()
        resolve()
      })
      this.#herald.tell(encodeMessage({ type: 'dead', incarnation, node, from: node }), this.#swim.self, [])
    })
  }

  /** Closes without a word; others will find out. Call `leave` first to go politely. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#cancelGossip?.()
    this.#joiner.stop()
    this.#prober.stop()
    this.#watcher?.stop()
    this.#standing.stop()
    this.#exchange.stop()
    this.#inbox.close()
    this.#acceptor.close()
    this.#swim.stop()
    this.#tally.stop()
    await Promise.allSettled([this.#datagrams[Symbol.asyncDispose](), this.#streams[Symbol.asyncDispose]()])
    this.removeAllListeners()
    this.events.removeAllListeners()
  }

  #gossipLater(): void {
    const { gossipIntervalMs } = this.#settings
    if (gossipIntervalMs <= 0) return
    this.#cancelGossip = this.#clock.after(gossipIntervalMs, () => {
      this.#swim.gossip()
      this.#gossipLater()
    })
  }

  #outlet(wire: WireOptions): Outlet {
    const checked = { ...wire, checksum: true }
    return {
      packet: (to, parts, checksum) => {
        if (this.#closed) return
        const bytes = encodePacket(parts, checksum ? checked : wire)
        this.#tally.sent(bytes.length)
        this.#datagrams.send(endpointOf(to), bytes)
      },
      room: carrier => broadcastRoom(this.#settings.udpBufferSize, wire, carrier),
      streamPing: (to, ping, timeoutMs) => this.#dialer.ping(to, ping, timeoutMs),
    }
  }

  // ---- telling

  #user(payload: Uint8Array): void {
    this.#safely(() => this.#options.delegate?.userMessage?.(payload))
    this.#safely(() => this.emit('user:message', payload))
  }

  /** What a listener throws is its own trouble, not the protocol's. */
  #safely(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#log.error({ err: error }, 'a listener of the gossip failed')
    }
  }

  #tell({ type, member, other }: SwimEvent): void {
    const shown = info(member)
    if (type === 'conflict') {
      this.#tally.dropped('nameConflict', endpointOf(member))
      this.#safely(() => this.emit('member:conflict', shown, other ? formatEndpoint(endpointOf(other)) : ''))
      return
    }
    if (type !== 'update' && type !== 'suspect') this.#membershipChanged()
    this.#safely(() => this.emit(eventNames[type], shown))
  }

  #membershipChanged(): void {
    this.#alive = undefined
    if (this.#changing) return
    this.#changing = true
    // Deaths come in bursts, and are acted upon as one; but not a moment later than the packet that told of them.
    queueMicrotask(() => {
      this.#changing = false
      if (this.#closed) return
      this.#safely(() => this.emit('membership:changed'))
      this.#safely(() => this.events.emit('membership:changed'))
    })
  }

  #standingChanged(standing: MembershipStanding): void {
    this.#log.warn({ standing }, 'standing in the cluster changed')
    this.#safely(() => this.emit('standing:changed', standing))
    this.#safely(() => this.events.emit('standing:changed', standing))
  }
}

/** How everything that we send is wrapped, and what we accept. */
function wireOf(options: GossipOptions, { enableCompression: compress }: Settings): WireOptions {
  const { keyring: keys = { keys: [] }, label = '', verifyIncoming = true, verifyOutgoing = true } = options
  return { label: encodeLabel(label), keys, verifyIncoming, verifyOutgoing, compress }
}

/** Members that watch closely know each other by a highest version above the one that they speak, which others do not mind. */
function versionsOf({ delegateVersions = [0, 0, 0] }: GossipOptions, { watch }: Settings): Uint8Array {
  const [min, max, current] = delegateVersions
  return Uint8Array.of(...protocolVsn, min, watch ? max + 1 : max, current)
}

function checkMeta(meta: Uint8Array | undefined): void {
  if (!meta || meta.length <= mostMeta) return
  const message = `the metadata of a member has ${meta.length} bytes: at most ${mostMeta} fit`
  throw new CarillonError('MESSAGE_TOO_LARGE', message, { bytes: meta.length })
}

/** An address at which others reach a socket that is bound to `address`. */
async function reachable(network: Network, address: string): Promise<string> {
  if (address !== '0.0.0.0' && address !== '::') return address
  const links = await network.links()
  try {
    const candidates = links
      .current()
      .filter(link => link.up && !link.loopback)
      .flatMap(link => link.addresses)
      .filter(one => one.scope === 'global')
    const ofFamily = candidates.find(one => one.address.includes(':') === (address === '::'))
    return (ofFamily ?? candidates[0])?.address ?? (address === '::' ? '::1' : '127.0.0.1')
  } finally {
    await links[Symbol.asyncDispose]()
  }
}
