import {
  CarillonError,
  type Clock,
  type Datagrams,
  type Endpoint,
  formatEndpoint,
  type Logger,
  type Member,
  type Membership,
  type MembershipEvents,
  type MembershipStanding,
  type Metrics,
  type Network,
  noMetrics,
  parseAddress,
  type Stream,
  type Streams,
  silentLogger,
  systemClock,
  unmap,
} from '@carillon/core'
import { EventEmitter } from 'eventemitter3'
import type { Delegate } from './delegate.ts'
import { Joiner, type Resolve } from './joiner.ts'
import type { Keyring } from './keyring.ts'
import { living, type MemberRecord } from './member-record.ts'
import { endpointOf, type NodeAddress } from './node-address.ts'
import type { Outlet } from './outlet.ts'
import { Prober } from './prober.ts'
import { type ProfileName, profiles, type Settings } from './profile.ts'
import { SteadyClock } from './steady-clock.ts'
import { Swim, type SwimEvent } from './swim.ts'
import { Tally } from './tally.ts'
import { Watcher } from './watcher.ts'
import {
  broadcastRoom,
  type Dead,
  decodePacket,
  encodeLabel,
  encodeMessage,
  encodePacket,
  encodeStream,
  type PacketMessage,
  type Ping,
  type PushPull,
  type StreamMessage,
  StreamReader,
  streamLimits,
  type WireOptions,
} from './wire/index.ts'

/** How a member takes part. */
export interface GossipOptions {
  /** Unique in the cluster; in Kubernetes the name of the node. */
  readonly name: string
  /** What it speaks through: `systemNetwork()` of `@carillon/sockets`, or a host of a `MemoryNetwork`. */
  readonly network: Network
  /**
   * Where to listen, for UDP and TCP.
   * @default 0.0.0.0:7946
   */
  readonly bind?: Endpoint
  /**
   * Where others reach us.
   * @default the bind address; where that is 0.0.0.0 or ::, the first global address of an interface that is up
   */
  readonly advertise?: Partial<Endpoint>
  /** Members to join: `address`, `address:port`, `[address]:port`, `name`, `name:port`. Tried again and again until they are members. */
  readonly join?: readonly string[]
  /**
   * @default 'fast'
   */
  readonly profile?: ProfileName
  /** What is to be different from the profile. */
  readonly settings?: Partial<Settings>
  /** Keys for encryption; absent or empty: none. Keys may be added and removed while it runs. */
  readonly keyring?: Keyring
  /** Clusters of different labels do not hear each other. */
  readonly label?: string
  /**
   * With keys: refuse what comes in the clear.
   * @default true
   */
  readonly verifyIncoming?: boolean
  /**
   * With keys: encrypt what we send.
   * @default true
   */
  readonly verifyOutgoing?: boolean
  /** Up to 512 bytes that every member sees of us. */
  readonly meta?: Uint8Array
  readonly delegate?: Delegate
  /**
   * Version of the delegate protocol: lowest and highest understood, and spoken. Serf wants 2, 5, 5.
   * @default 0, 0, 0
   */
  readonly delegateVersions?: readonly [min: number, max: number, current: number]
  readonly clock?: Clock
  /** 0 <= x < 1 */
  readonly random?: () => number
  readonly log?: Logger
  readonly metrics?: Metrics
  /** Finds the addresses of host names in the join list. */
  readonly resolve?: Resolve
}

/** A member as the events show it. */
export interface MemberInfo extends Member {
  readonly meta: Uint8Array
  readonly incarnation: number
}

export interface GossipEvents {
  /** A member is new, or is back. We are the first. */
  'member:join': (member: MemberInfo) => void
  /** Its metadata is different. */
  'member:update': (member: MemberInfo) => void
  /** It does not answer; it still counts as a member. */
  'member:suspect': (member: MemberInfo) => void
  /** It said goodbye. */
  'member:leave': (member: MemberInfo) => void
  'member:dead': (member: MemberInfo) => void
  /** Another node uses the name of a member; its address is given. */
  'member:conflict': (member: MemberInfo, other: string) => void
  /** A message of another member's application. */
  'user:message': (payload: Uint8Array) => void
  /** The set of living members is different; once for a burst of changes. */
  'membership:changed': () => void
  'standing:changed': (standing: MembershipStanding) => void
}

/** Figures of a member since it started. */
export interface GossipStats {
  /** 0: hears well. The higher, the more it distrusts its own view. */
  readonly healthScore: number
  readonly packetsSent: number
  readonly packetsReceived: number
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly streams: number
  /** What arrived and was not taken, by cause. */
  readonly dropped: Readonly<Record<string, number>>
  readonly queuedBroadcasts: number
}

const mostStreams = 128
const mostMeta = 512
/** From a meeting that brought new members to the next, on average. */
const lookAgainMs = 1000
/** A timer that is this late, in milliseconds, tells that the process was held up; it then gets so much longer. */
const stallMs = 50
const graceMs = 30
/** Milliseconds for which one who asked for confirmation waits for more answers, when it has one. */
const stragglersMs = 60
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
  readonly #wire: WireOptions
  readonly #clock: Clock
  readonly #log: Logger
  readonly #tally: Tally
  readonly #datagrams: Datagrams
  readonly #streams: Streams
  readonly #swim: Swim
  readonly #prober: Prober
  readonly #watcher: Watcher | undefined
  readonly #joiner: Joiner
  readonly #addresses = new Map<string, string>()
  #alive: ReadonlySet<string> | undefined
  #changing = false
  #open = 0
  #cancelGossip: (() => void) | undefined
  #cancelPushPull: (() => void) | undefined
  #cancelLook: (() => void) | undefined
  #closed = false

  private constructor(options: GossipOptions, datagrams: Datagrams, streams: Streams, address: NodeAddress) {
    super()
    const { keyring, label = '', verifyIncoming = true, verifyOutgoing = true } = options
    this.#options = options
    this.#settings = { ...profiles[options.profile ?? 'fast'], ...options.settings }
    this.#clock = options.clock ?? systemClock
    this.#log = (options.log ?? silentLogger).child({ component: 'gossip' })
    this.#tally = new Tally(options.metrics ?? noMetrics, this.#log, this.#clock)
    this.#datagrams = datagrams
    this.#streams = streams
    const empty = { keys: [] }
    this.#wire = {
      label: encodeLabel(label),
      keys: keyring ?? empty,
      verifyIncoming,
      verifyOutgoing,
      compress: this.#settings.enableCompression,
    }
    const random = options.random ?? Math.random
    const delegate = options.delegate ?? {}
    const [min, max, current] = options.delegateVersions ?? [0, 0, 0]
    // Members that watch closely know each other by a highest version above the one that they speak, which others do not mind.
    const vsn = Uint8Array.of(...protocolVsn, min, this.#settings.watch ? max + 1 : max, current)
    // Timers that fell due while this process was held up wait until what arrived meanwhile has been read.
    const steady = new SteadyClock(this.#clock, stallMs, graceMs)
    this.#swim = new Swim({
      name: options.name,
      address,
      meta: options.meta ?? new Uint8Array(0),
      vsn,
      settings: this.#settings,
      clock: steady,
      random,
      outlet: this.#outlet(),
      delegate,
      emit: event => this.#tell(event),
    })
    this.#prober = new Prober(this.#swim)
    const { watch } = this.#settings
    this.#watcher =
      watch &&
      new Watcher(
        this.#swim,
        this.#prober,
        this.#clock,
        watch,
        standing => this.#standingChanged(standing),
        () => this.#confirm(),
      )
    this.#swim.hook({
      accused: message => this.#watcher?.accused(message),
      changed: () => this.#watcher?.membersChanged(),
      refuted: () => this.#watcher?.tellOfUs(),
    })
    this.#joiner = new Joiner({
      swim: this.#swim,
      targets: options.join ?? [],
      defaultPort: address.port,
      exchange: at => this.#meet(at, true),
      log: this.#log,
      ...(options.resolve ? { resolve: options.resolve } : {}),
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
    this.#datagrams.receive((from, bytes) => this.#received(from, bytes))
    this.#streams.accept(stream => this.#accepted(stream))
    this.#swim.start()
    this.#prober.start()
    this.#watcher?.start()
    this.#gossipLater()
    this.#pushPullLater(true)
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
    return this.#watcher?.standing ?? 'confirmed'
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

  /** A message to the application of one member: over UDP, or reliably over TCP. */
  async tell(
    member: string,
    payload: Uint8Array,
    options: { readonly reliable?: boolean } = {},
  ): Promise<boolean> {
    const record = this.#swim.members.get(member)
    if (!record) return false
    const message = { type: 'user', payload } as const
    if (!options.reliable) {
      this.#swim.sendBare(record, [encodeMessage(message)], record)
      return true
    }
    return (
      (await this.#dial(record, message, () => undefined, this.#settings.tcpTimeoutMs, false)) !== undefined
    )
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
      // To everyone at once where they are few; gossip reaches the rest.
      const others = this.#swim.others()
      if (others.length > (this.#settings.watch?.tellAllUpTo ?? 64)) return
      const bytes = encodeMessage({ type: 'dead', incarnation, node, from: node })
      for (const record of others) this.#swim.sendBare(record, [bytes], record)
    })
  }

  /** Closes without a word; others will find out. Call `leave` first to go politely. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#cancelGossip?.()
    this.#cancelPushPull?.()
    this.#cancelLook?.()
    this.#joiner.stop()
    this.#prober.stop()
    this.#watcher?.stop()
    this.#swim.stop()
    this.#tally.stop()
    await Promise.allSettled([this.#datagrams[Symbol.asyncDispose](), this.#streams[Symbol.asyncDispose]()])
    this.removeAllListeners()
    this.events.removeAllListeners()
  }

  // ---- schedules

  #gossipLater(): void {
    const { gossipIntervalMs } = this.#settings
    if (gossipIntervalMs <= 0) return
    this.#cancelGossip = this.#clock.after(gossipIntervalMs, () => {
      this.#swim.gossip()
      this.#gossipLater()
    })
  }

  #pushPullLater(first: boolean): void {
    const { pushPullIntervalMs } = this.#settings
    if (pushPullIntervalMs <= 0) return
    const n = this.#swim.members.size
    const interval = n <= 32 ? pushPullIntervalMs : pushPullIntervalMs * (Math.ceil(Math.log2(n) - 5) + 1)
    const delay = first ? this.#swim.options.random() * interval : 0
    this.#cancelPushPull = this.#clock.after(delay + interval, () => {
      this.#pushPullLater(false)
      this.#meetAnyone()
    })
  }

  #meetAnyone(): void {
    const suits = (record: MemberRecord): boolean =>
      record.liveness === 'alive' && record.name !== this.#swim.name
    const [peer] = this.#swim.members.sample(1, this.#swim.options.random, suits)
    if (peer) void this.#meet(peer, false)
  }

  /** Soon compares tables once more, for as long as that brings members that we had not met: many may be joining at once. */
  #lookAgain(): void {
    this.#cancelLook?.()
    const delay = lookAgainMs * (0.5 + this.#swim.options.random())
    this.#cancelLook = this.#clock.after(delay, () => this.#meetAnyone())
  }

  // ---- datagrams

  #received(from: Endpoint, bytes: Uint8Array): void {
    if (this.#closed) return
    this.#tally.received(bytes.length)
    const { messages, dropped } = decodePacket(bytes, this.#wire)
    for (const fault of dropped) this.#tally.dropped(fault, formatEndpoint(from))
    if (messages.length === 0) return
    const sender = this.#senderOf(from)
    const at = { addr: parseAddress(from.address.split('%')[0] as string), port: from.port }
    for (const message of messages) this.#handle(message, at)
    if (sender) this.#watcher?.heard(sender)
  }

  /** The member that sends from there. Members come and go seldom, packets come all the time. */
  #senderOf(from: Endpoint): MemberRecord | undefined {
    if (!this.#watcher) return undefined
    const key = `${from.address} ${from.port}`
    const known = this.#addresses.get(key)
    const record = known === undefined ? undefined : this.#swim.members.get(known)
    if (record) return record
    const found = this.#swim.memberAt(from.address, from.port)
    if (found) this.#addresses.set(key, found.name)
    return found
  }

  #handle(message: PacketMessage, from: NodeAddress): void {
    if (message.type === 'ping') this.#prober.answerPing(message, from)
    else if (message.type === 'ack') this.#prober.acked(message)
    else if (message.type === 'indirectPing') this.#prober.relay(message, from)
    else if (message.type === 'nack') this.#prober.nacked(message.seqNo)
    else if (message.type === 'alive') this.#swim.alive(message)
    else if (message.type === 'suspect') this.#swim.suspect(message)
    else if (message.type === 'dead') this.#dead(message)
    else this.#user(message.payload)
  }

  #dead(message: Dead): void {
    if (this.#swim.dead(message)) this.#watcher?.passOn(message)
  }

  #user(payload: Uint8Array): void {
    this.#safely(() => this.#options.delegate?.userMessage?.(payload))
    this.#safely(() => this.emit('user:message', payload))
  }

  #outlet(): Outlet {
    return {
      packet: (to, parts, checksum) => {
        if (this.#closed) return
        const bytes = encodePacket(parts, { ...this.#wire, checksum })
        this.#tally.sent(bytes.length)
        this.#datagrams.send(endpointOf(to), bytes)
      },
      room: carrier => broadcastRoom(this.#settings.udpBufferSize, this.#wire, carrier),
      exchange: (to, request) =>
        this.#dial(
          to,
          request,
          message => (message.type === 'pushPull' ? message : undefined),
          this.#settings.tcpTimeoutMs,
        ),
      streamPing: async (to, ping: Ping, timeoutMs) => {
        const accept = (message: StreamMessage): true | undefined =>
          message.type === 'ack' && message.seqNo === ping.seqNo ? true : undefined
        return (await this.#dial(to, ping, accept, timeoutMs)) === true
      },
    }
  }

  // ---- streams

  /** Exchanges tables with a member, or with whoever is at that address. */
  async #meet(at: NodeAddress, join: boolean): Promise<boolean> {
    const answer = await this.#swim.options.outlet.exchange(at, this.#swim.table(join))
    if (!answer || this.#closed) return false
    const known = this.#swim.members.size
    this.#merge(answer, at)
    // Gossip alone misses one now and then, who would then not know of us until the next exchange of tables.
    if (this.#swim.members.size > known && this.#watcher) {
      this.#watcher.tellOfUs()
      this.#lookAgain()
    }
    return true
  }

  #merge(table: PushPull, from: NodeAddress): void {
    if (!this.#swim.merge(table))
      this.#tally.dropped('incompatibleVersions', formatEndpoint(endpointOf(from)))
    this.#watcher?.membersChanged()
  }

  /**
   * Says one thing on a stream of its own. Gives what `accept` makes of the answer (or `sent`, where there is none to wait for);
   * undefined when nothing came of it in time.
   */
  async #dial<T>(
    to: NodeAddress,
    message: StreamMessage,
    accept: (answer: StreamMessage) => T | undefined,
    timeoutMs: number,
    sent?: T,
  ): Promise<T | undefined> {
    let stream: Stream
    this.#tally.stream()
    const request = encodeStream('dialer', message, this.#wire)
    try {
      stream = await this.#options.network.connect(endpointOf(to), { timeoutMs: Math.max(1, timeoutMs) })
    } catch {
      return undefined
    }
    return await new Promise(resolve => {
      const reader = new StreamReader('dialer', this.#wire, streamLimits)
      const end = (result: T | undefined): void => {
        cancel()
        stream.destroy()
        resolve(result)
      }
      const cancel = this.#clock.after(timeoutMs, () => end(undefined))
      stream.on('error', () => end(undefined))
      stream.on('close', () => end(undefined))
      stream.on('data', (chunk: Uint8Array) => {
        const result = reader.push(chunk)
        if (!result) return
        if ('dropped' in result) this.#tally.dropped(result.dropped, formatEndpoint(endpointOf(to)))
        else if (result.message.type === 'err') {
          this.#log.debug(
            { peer: formatEndpoint(endpointOf(to)), error: result.message.error },
            'a peer refused a stream',
          )
        }
        end('message' in result ? accept(result.message) : undefined)
      })
      stream.write(request)
      // What is not answered is done once it has been handed over.
      if (sent !== undefined) stream.end(() => end(sent))
    })
  }

  #accepted(stream: Stream): void {
    const from = formatEndpoint(stream.remote)
    if (this.#closed || this.#open >= mostStreams) {
      this.#tally.dropped('tooManyStreams', from)
      stream.destroy()
      return
    }
    this.#open++
    this.#tally.stream()
    const reader = new StreamReader('acceptor', this.#wire, streamLimits)
    const { tcpTimeoutMs } = this.#settings
    let read = false
    // A peer that sends too slowly, and one that does not read its answer, is cut off.
    let cancel = this.#clock.after(tcpTimeoutMs, () => stream.destroy())
    stream.on('error', () => stream.destroy())
    stream.once('close', () => {
      this.#open--
      cancel()
    })
    stream.on('data', (chunk: Uint8Array) => {
      if (read) return
      const result = reader.push(chunk)
      if (!result) return
      read = true
      cancel()
      cancel = this.#clock.after(tcpTimeoutMs, () => stream.destroy())
      if ('message' in result) this.#answer(stream, result.message)
      else {
        this.#tally.dropped(result.dropped, from)
        if (result.answer === undefined) stream.destroy()
        else stream.end(encodeStream('acceptor', { type: 'err', error: result.answer }, this.#wire))
      }
    })
    // The dialer ends first or we do; either way the whole connection is over once both have spoken.
    stream.once('end', () => {
      if (!read) stream.destroy()
    })
  }

  #answer(stream: Stream, message: StreamMessage): void {
    switch (message.type) {
      case 'pushPull': {
        // Our table as it is before the peer's is merged: a node that restarts learns from it what it was.
        stream.end(encodeStream('acceptor', this.#swim.table(message.join), this.#wire))
        const { address, port } = stream.remote
        this.#merge(message, { addr: parseAddress(address.split('%')[0] as string), port })
        return
      }
      case 'ping':
        if (message.node !== '' && message.node !== this.#swim.name) stream.destroy()
        else
          stream.end(
            encodeStream(
              'acceptor',
              { type: 'ack', seqNo: message.seqNo, payload: new Uint8Array(0) },
              this.#wire,
            ),
          )
        return
      case 'user':
        stream.end()
        this.#user(message.payload)
        return
      default:
        stream.destroy()
    }
  }

  // ---- telling

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
      this.#tally.dropped('nameConflict', shown.address)
      this.#safely(() => this.emit('member:conflict', shown, other ? formatEndpoint(endpointOf(other)) : ''))
      return
    }
    this.#addresses.clear()
    if (type !== 'update' && type !== 'suspect') this.#membershipChanged()
    if (type === 'join') this.#watcher?.membersChanged()
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

  /** Asks somebody whether we count as living. */
  async #confirm(): Promise<'confirmed' | 'refuted' | 'unheard'> {
    const { name: me, members, options } = this.#swim
    const sample = (suits: (record: MemberRecord) => boolean): readonly MemberRecord[] =>
      members.sample(3, options.random, record => record.name !== me && suits(record))
    // The dead are asked only where nobody else is left: one that is frozen would keep us waiting.
    const others = sample(living)
    const peers = others.length > 0 ? others : sample(record => record.liveness !== 'left')
    if (peers.length === 0) return 'confirmed'
    const answers = await promptly(
      this.#clock,
      peers.map(async peer => {
        const request = this.#swim.table(false)
        const timeout = Math.min(this.#settings.tcpTimeoutMs, 1000)
        const answer = await this.#dial(
          peer,
          request,
          message => (message.type === 'pushPull' ? message : undefined),
          timeout,
        )
        if (!answer || this.#closed) return undefined
        const before = this.#swim.self.incarnation
        this.#merge(answer, peer)
        const mine = answer.nodes.find(node => node.name === me)
        return mine && mine.state === 0 && mine.incarnation === before ? 'confirmed' : 'refuted'
      }),
    )
    if (answers.length === 0) return 'unheard'
    return answers.every(answer => answer === 'confirmed') ? 'confirmed' : 'refuted'
  }
}

/** The answers that came, once all did, or a little after the first. */
function promptly<Answer>(
  clock: Clock,
  asked: readonly Promise<Answer | undefined>[],
): Promise<readonly Answer[]> {
  return new Promise(resolve => {
    const answers: Answer[] = []
    let open = asked.length
    let cancel: (() => void) | undefined
    const finish = (): void => {
      cancel?.()
      resolve(answers)
    }
    for (const one of asked) {
      void one.then(answer => {
        if (answer !== undefined) answers.push(answer)
        if (--open === 0) finish()
        else if (answers.length > 0) cancel ??= clock.after(stragglersMs, finish)
      })
    }
  })
}

function checkMeta(meta: Uint8Array | undefined): void {
  if (!meta || meta.length <= mostMeta) return
  const message = `the metadata of a member has ${meta.length} bytes: at most ${mostMeta} fit`
  throw new CarillonError('MESSAGE_TOO_LARGE', message, { bytes: meta.length })
}

function info(record: MemberRecord): MemberInfo {
  return {
    name: record.name,
    address: formatEndpoint(endpointOf(record)),
    liveness: record.liveness,
    meta: record.meta,
    incarnation: record.incarnation,
  }
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
