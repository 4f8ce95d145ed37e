import { Duplex } from 'node:stream'
import { formatAddress, formatMac, parseAddress } from '../address.ts'
import type { Clock } from '../clock.ts'
import { CarillonError } from '../errors.ts'
import type {
  BpfInstruction,
  Datagrams,
  Endpoint,
  Frames,
  Icmp6,
  Link,
  Links,
  Network,
  SocketOptions,
  Stream,
  Streams,
} from '../network.ts'
import { runBpf } from './bpf.ts'

/** What the network does to what passes between two hosts, one way. */
export interface Path {
  /** 0..1: the part of datagrams and frames that is lost. */
  readonly loss: number
  /** Milliseconds. */
  readonly delayMs: number
  /** Added at random, so that packets may overtake each other. */
  readonly jitterMs: number
  /** Nothing passes: datagrams and frames vanish, streams stand still and new ones time out. */
  readonly cut: boolean
}

const clear: Path = { loss: 0, delayMs: 0, jitterMs: 0, cut: false }

const endpointText = (at: Endpoint): string => `${at.address}:${at.port}`

/**
 * A whole network in one process, for tests: hosts with interfaces on segments, datagrams, streams, raw frames with kernel-like
 * filters, ICMPv6, link events; with loss, delay, jitter and cuts, each way apart. Time and randomness are handed in.
 */
export class MemoryNetwork {
  readonly clock: Clock
  readonly #random: () => number
  readonly #hosts = new Map<string, MemoryHost>()
  readonly #byAddress = new Map<string, MemoryHost>()
  readonly #paths = new Map<string, Path>()
  #default: Path = clear

  constructor(options: { readonly clock: Clock; readonly random: () => number }) {
    this.clock = options.clock
    this.#random = options.random
  }

  /** A new host that owns these IP addresses. Names are unique. */
  host(name: string, ...addresses: readonly string[]): MemoryHost {
    if (this.#hosts.has(name)) throw new TypeError(`there is a host ${name} already`)
    const host = new MemoryHost(
      this,
      name,
      addresses.map(text => formatAddress(parseAddress(text))),
    )
    this.#hosts.set(name, host)
    for (const address of host.addresses) this.#byAddress.set(address, host)
    return host
  }

  /** Takes the host away: its sockets close, its addresses are free again. */
  remove(name: string): void {
    const host = this.#hosts.get(name)
    if (!host) return
    host.shutdown()
    this.#hosts.delete(name)
    for (const address of host.addresses)
      if (this.#byAddress.get(address) === host) this.#byAddress.delete(address)
  }

  /** Sets what every path does that has no rule of its own. */
  everywhere(path: Partial<Path>): void {
    this.#default = { ...this.#default, ...path }
  }

  /** Sets what the path from one host to another does; the way back has its own rule. */
  path(from: string, to: string, path: Partial<Path>): void {
    this.#paths.set(`${from} ${to}`, { ...this.pathOf(from, to), ...path })
  }

  /** Cuts the hosts of `one` off from all others, both ways. */
  partition(one: readonly string[]): void {
    for (const a of this.#hosts.keys())
      for (const b of this.#hosts.keys())
        if (one.includes(a) !== one.includes(b)) this.path(a, b, { cut: true })
  }

  /** Forgets every rule of a single path. */
  heal(): void {
    this.#paths.clear()
  }

  pathOf(from: string, to: string): Path {
    return (this.#paths.size > 0 ? this.#paths.get(`${from} ${to}`) : undefined) ?? this.#default
  }

  /** Runs `arrive` when a packet from one host reaches the other, or never. */
  carry(from: string, to: string, arrive: () => void): void {
    const path = this.pathOf(from, to)
    if (path.cut || (path.loss > 0 && this.#random() < path.loss)) return
    const delay = path.delayMs + (path.jitterMs > 0 ? this.#random() * path.jitterMs : 0)
    this.clock.after(delay, () => {
      if (!this.pathOf(from, to).cut) arrive()
    })
  }

  /** As `carry`, but sends again what is lost or cut off, as TCP does. */
  insist(from: string, to: string, againMs: number, arrive: () => void): void {
    const path = this.pathOf(from, to)
    if (path.cut || (path.loss > 0 && this.#random() < path.loss)) {
      this.clock.after(againMs, () => this.insist(from, to, againMs, arrive))
    } else this.clock.after(path.delayMs, arrive)
  }

  hostAt(address: string): MemoryHost | undefined {
    return this.#byAddress.get(address)
  }

  hostsOn(segment: string): readonly { readonly host: MemoryHost; readonly link: MemoryLink }[] {
    const found: { host: MemoryHost; link: MemoryLink }[] = []
    for (const host of this.#hosts.values())
      for (const link of host.links_()) if (link.segment === segment) found.push({ host, link })
    return found
  }
}

/** An interface of a host in memory. */
export interface MemoryLink extends Link {
  /** Frames reach every other interface on the same segment. */
  readonly segment: string
}

/** One host of a `MemoryNetwork`; itself the `Network` that code on this host is given. */
export class MemoryHost implements Network {
  readonly name: string
  readonly addresses: readonly string[]
  readonly #network: MemoryNetwork
  /** By port. */
  readonly #datagrams = new Map<number, readonly MemoryDatagrams[]>()
  readonly #listeners = new Map<string, MemoryStreams>()
  readonly #frames = new Set<MemoryFrames>()
  readonly #icmp6 = new Set<MemoryIcmp6>()
  readonly #watchers = new Set<(links: readonly Link[]) => void>()
  #links: readonly MemoryLink[] = []
  #nextPort = 49152
  #refuseFrames: CarillonError | undefined

  constructor(network: MemoryNetwork, name: string, addresses: readonly string[]) {
    this.#network = network
    this.name = name
    this.addresses = addresses
  }

  /** Adds an interface, or changes the one of that name; tells the watchers. */
  setLink(link: Partial<Omit<MemoryLink, 'name'>> & { readonly name: string }): MemoryLink {
    const old = this.#links.find(one => one.name === link.name)
    const index = link.index ?? old?.index ?? Math.max(0, ...this.#links.map(one => one.index)) + 1
    const defaults: MemoryLink = {
      name: link.name,
      index,
      mac: Uint8Array.from([2, 0, ...new TextEncoder().encode(this.name.padEnd(3, '\0')).slice(-3), index]),
      mtu: 1500,
      up: true,
      carrier: true,
      broadcast: true,
      loopback: false,
      noArp: false,
      addresses: [],
      segment: 'lan',
    }
    const next: MemoryLink = { ...defaults, ...old, ...link, index }
    if (old && old.index !== index) this.#closeOn(old.index)
    this.#publish(old ? this.#links.map(one => (one === old ? next : one)) : [...this.#links, next])
    return next
  }

  /** Removes an interface: its sockets close. */
  removeLink(name: string): void {
    const link = this.#links.find(one => one.name === name)
    if (!link) return
    this.#publish(this.#links.filter(one => one !== link))
    this.#closeOn(link.index)
  }

  /** From now on opening raw frames fails with this error; undefined lets it work again. */
  refuseFrames(error: CarillonError | undefined): void {
    this.#refuseFrames = error
  }

  /** The multicast groups joined on an interface, sorted. */
  groups(link: string): readonly string[] {
    const index = this.#links.find(one => one.name === link)?.index
    const groups = new Set<string>()
    for (const socket of this.#icmp6)
      if (socket.link === index) for (const group of socket.joined()) groups.add(group)
    return [...groups].sort()
  }

  /** Puts a frame on the interface's segment as if this host had sent it. */
  transmit(link: string, frame: Uint8Array): void {
    const from = this.#links.find(one => one.name === link)
    if (from) this.send_(from.index, frame)
  }

  links_(): readonly MemoryLink[] {
    return this.#links
  }

  send_(index: number, frame: Uint8Array): boolean {
    const from = this.#links.find(one => one.index === index)
    if (!from?.up || !from.carrier) return false
    const copy = frame.slice()
    for (const { host, link } of this.#network.hostsOn(from.segment)) {
      if (host === this && link.index === index) continue
      this.#network.carry(this.name, host.name, () => host.deliver_(link.name, copy))
    }
    return true
  }

  deliver_(name: string, frame: Uint8Array): void {
    const link = this.#links.find(one => one.name === name)
    if (!link?.up || !link.carrier || frame.length < 14) return
    const group = ((frame[0] as number) & 1) === 1
    if (!group && formatMac(frame.subarray(0, 6)) !== formatMac(link.mac)) return
    const etherType = ((frame[12] as number) << 8) | (frame[13] as number)
    for (const socket of [...this.#frames])
      if (socket.link === link.index && socket.etherType === etherType) socket.deliver(frame)
    if (etherType === 0x86dd && frame[20] === 58 && frame.length >= 58) {
      for (const socket of [...this.#icmp6]) if (socket.link === link.index) socket.deliver(frame)
    }
  }

  deliverDatagram_(to: Endpoint, from: Endpoint, bytes: Uint8Array, ttl: number): void {
    const there = this.#datagrams.get(to.port) ?? []
    const bound = (address: string): MemoryDatagrams | undefined =>
      there.find(socket => socket.local.address === address)
    const socket = bound(to.address) ?? bound('0.0.0.0') ?? bound('::')
    socket?.deliver(from, bytes, ttl)
  }

  listener_(at: Endpoint): MemoryStreams | undefined {
    return (
      this.#listeners.get(endpointText(at)) ??
      this.#listeners.get(`0.0.0.0:${at.port}`) ??
      this.#listeners.get(`:::${at.port}`)
    )
  }

  shutdown(): void {
    for (const socket of this.#frames) socket.fail()
    this.#frames.clear()
    this.#icmp6.clear()
    this.#datagrams.clear()
    for (const listener of this.#listeners.values()) listener.destroy()
    this.#listeners.clear()
  }

  async datagrams(at: Endpoint, options: SocketOptions = {}): Promise<Datagrams> {
    const local = { address: at.address, port: at.port || this.#nextPort++ }
    const there = (): readonly MemoryDatagrams[] => this.#datagrams.get(local.port) ?? []
    if (there().some(other => other.local.address === local.address)) {
      const address = endpointText(local)
      throw new CarillonError('EADDRINUSE', `${address} is in use on ${this.name}`, { address })
    }
    const send = (to: Endpoint, bytes: Uint8Array): void => {
      if (!there().includes(socket)) return
      const host = this.#network.hostAt(to.address)
      if (!host) return
      const from = { address: this.#source(local.address, to.address), port: local.port }
      const copy = bytes.slice()
      const { ttl = 64 } = options
      this.#network.carry(this.name, host.name, () => host.deliverDatagram_(to, from, copy, ttl))
    }
    const close = (): void => {
      this.#datagrams.set(
        local.port,
        there().filter(other => other !== socket),
      )
    }
    const socket = new MemoryDatagrams(local, options, send, close)
    this.#datagrams.set(local.port, [...there(), socket])
    return socket
  }

  async listen(at: Endpoint): Promise<Streams> {
    const local = { address: at.address, port: at.port || this.#nextPort++ }
    const key = endpointText(local)
    if (this.#listeners.has(key)) {
      throw new CarillonError('EADDRINUSE', `${key} is in use on ${this.name}`, { address: key })
    }
    const streams = new MemoryStreams(local, () => this.#listeners.delete(key))
    this.#listeners.set(key, streams)
    return streams
  }

  connect(
    to: Endpoint,
    options: SocketOptions & { readonly from?: Partial<Endpoint>; readonly timeoutMs?: number } = {},
  ): Promise<Stream> {
    const local = {
      address: options.from?.address ?? this.#source('0.0.0.0', to.address),
      port: options.from?.port ?? this.#nextPort++,
    }
    const { clock } = this.#network
    return new Promise((resolve, reject) => {
      let waiting = true
      const fail = (code: string, why: string): void =>
        reject(
          new CarillonError(code, `cannot connect to ${endpointText(to)}: ${why}`, { to: endpointText(to) }),
        )
      const cancel =
        options.timeoutMs === undefined
          ? () => {}
          : clock.after(options.timeoutMs, () => {
              waiting = false
              fail('ETIMEDOUT', 'nobody answered in time')
            })
      const host = this.#network.hostAt(to.address)
      if (!host) return
      this.#network.insist(this.name, host.name, synAgainMs, () => {
        if (!waiting) return
        const listener = host.listener_(to)
        const [near, far] = streamPair(
          this.#network,
          { host: this.name, at: local },
          { host: host.name, at: to },
        )
        if (listener) listener.offer(far)
        this.#network.insist(host.name, this.name, synAgainMs, () => {
          waiting = false
          cancel()
          if (listener) resolve(near)
          else fail('ECONNREFUSED', 'nobody listens there')
        })
      })
    })
  }

  async frames(link: number, etherType: number, filter?: readonly BpfInstruction[]): Promise<Frames> {
    if (this.#refuseFrames) throw this.#refuseFrames
    if (!this.#links.some(one => one.index === link)) {
      throw new CarillonError('ENODEV', `there is no interface ${link} on ${this.name}`, { link })
    }
    const socket: MemoryFrames = new MemoryFrames(
      link,
      etherType,
      filter,
      frame => this.send_(link, frame),
      () => this.#frames.delete(socket),
    )
    this.#frames.add(socket)
    return socket
  }

  async icmp6(link: number, types: readonly number[]): Promise<Icmp6> {
    if (!this.#links.some(one => one.index === link)) {
      throw new CarillonError('ENODEV', `there is no interface ${link} on ${this.name}`, { link })
    }
    const send = (to: string, message: Uint8Array): void => {
      const from = this.#links.find(one => one.index === link)
      if (from && this.#icmp6.has(socket)) this.send_(link, icmp6Frame(from, to, message))
    }
    const socket: MemoryIcmp6 = new MemoryIcmp6(link, types, send, () => this.#icmp6.delete(socket))
    this.#icmp6.add(socket)
    return socket
  }

  async links(): Promise<Links> {
    const mine = new Set<(links: readonly Link[]) => void>()
    return {
      current: () => this.#links,
      changed: handle => {
        mine.add(handle)
        this.#watchers.add(handle)
      },
      [Symbol.asyncDispose]: async () => {
        for (const handle of mine) this.#watchers.delete(handle)
      },
    }
  }

  #source(bound: string, to: string): string {
    if (bound !== '0.0.0.0' && bound !== '::') return bound
    const wanted = to.includes(':')
    return this.addresses.find(address => address.includes(':') === wanted) ?? bound
  }

  #publish(links: readonly MemoryLink[]): void {
    this.#links = links
    for (const handle of [...this.#watchers]) handle(links)
  }

  #closeOn(index: number): void {
    for (const socket of [...this.#frames]) if (socket.link === index) socket.fail()
    for (const socket of [...this.#icmp6]) if (socket.link === index) this.#icmp6.delete(socket)
  }
}

class MemoryDatagrams implements Datagrams {
  readonly local: Endpoint
  readonly send: (to: Endpoint, bytes: Uint8Array) => void
  readonly #close: () => void
  readonly #minimumTtl: number
  #handle: ((from: Endpoint, bytes: Uint8Array, info: { readonly ttl?: number }) => void) | undefined

  constructor(
    local: Endpoint,
    { minimumTtl = 0 }: SocketOptions,
    send: (to: Endpoint, bytes: Uint8Array) => void,
    close: () => void,
  ) {
    this.local = local
    this.#minimumTtl = minimumTtl
    this.send = send
    this.#close = close
  }

  receive(handle: (from: Endpoint, bytes: Uint8Array, info: { readonly ttl?: number }) => void): void {
    this.#handle = handle
  }

  deliver(from: Endpoint, bytes: Uint8Array, ttl: number): void {
    if (ttl >= this.#minimumTtl) this.#handle?.(from, bytes, { ttl })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#handle = undefined
    this.#close()
  }
}

class MemoryStreams implements Streams {
  readonly local: Endpoint
  readonly #close: () => void
  #handle: ((stream: Stream) => void) | undefined
  #waiting: Stream[] = []

  constructor(local: Endpoint, close: () => void) {
    this.local = local
    this.#close = close
  }

  accept(handle: (stream: Stream) => void): void {
    this.#handle = handle
    for (const stream of this.#waiting.splice(0)) handle(stream)
  }

  offer(stream: Stream): void {
    if (this.#handle) this.#handle(stream)
    else this.#waiting.push(stream)
  }

  destroy(): void {
    this.#handle = undefined
    this.#waiting = []
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.destroy()
    this.#close()
  }
}

interface End {
  readonly host: string
  readonly at: Endpoint
}

class MemoryStream extends Duplex implements Stream {
  readonly local: Endpoint
  readonly remote: Endpoint
  readonly #carry: (arrive: () => void) => void
  other: MemoryStream | undefined
  /** Bytes written that the other side has not taken in. */
  #outstanding = 0
  /** Goes on with writing, once there is room. */
  #resume: (() => void) | undefined
  /** What has come and is not read yet: to be acknowledged when it is. */
  #unread: (() => void)[] = []

  constructor(local: Endpoint, remote: Endpoint, carry: (arrive: () => void) => void) {
    super({ allowHalfOpen: true })
    this.local = local
    this.remote = remote
    this.#carry = carry
  }

  override _read(): void {
    for (const acknowledge of this.#unread.splice(0)) acknowledge()
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: () => void): void {
    const copy = Buffer.from(chunk)
    this.#outstanding += copy.length
    this.#carry(() => {
      if (this.other && !this.other.destroyed) this.other.arrive(copy, () => this.#acknowledged(copy.length))
    })
    if (this.#outstanding < streamWindow) done()
    else this.#resume = done
  }

  arrive(bytes: Buffer, acknowledge: () => void): void {
    if (this.push(bytes)) acknowledge()
    else this.#unread.push(acknowledge)
  }

  #acknowledged(count: number): void {
    this.#outstanding -= count
    const resume = this.#resume
    if (!resume || this.#outstanding >= streamWindow) return
    this.#resume = undefined
    resume()
  }

  override _final(done: () => void): void {
    this.#carry(() => {
      if (this.other && !this.other.destroyed) this.other.push(null)
    })
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#carry(() => {
      if (this.other && !this.other.destroyed) this.other.destroy()
    })
    done(error)
  }
}

/** Milliseconds after which a lost SYN, or a lost segment, is sent again. */
const synAgainMs = 1000
const segmentAgainMs = 200

/** Bytes that a stream carries for a reader who does not read, before its writer has to wait. */
const streamWindow = 65536

/** Two ends of a stream. TCP hides loss: what is lost arrives later, and what follows waits for it; a cut holds everything back. */
function streamPair(network: MemoryNetwork, a: End, b: End): [MemoryStream, MemoryStream] {
  const ordered = (from: string, to: string): ((arrive: () => void) => void) => {
    const waiting: (() => void)[] = []
    const next = (): void => {
      network.insist(from, to, segmentAgainMs, () => {
        waiting.shift()?.()
        if (waiting.length > 0) next()
      })
    }
    return arrive => {
      waiting.push(arrive)
      if (waiting.length === 1) next()
    }
  }
  const near = new MemoryStream(a.at, b.at, ordered(a.host, b.host))
  const far = new MemoryStream(b.at, a.at, ordered(b.host, a.host))
  near.other = far
  far.other = near
  return [near, far]
}

class MemoryFrames implements Frames {
  readonly link: number
  readonly etherType: number
  readonly stats = { received: 0, sent: 0, sendErrors: 0, dropped: 0 }
  readonly #transmit: (frame: Uint8Array) => boolean
  readonly #remove: () => void
  #filter: readonly BpfInstruction[] | undefined
  #handle: ((frame: Uint8Array) => void) | undefined
  #closed: ((error: Error) => void) | undefined

  constructor(
    link: number,
    etherType: number,
    filter: readonly BpfInstruction[] | undefined,
    transmit: (frame: Uint8Array) => boolean,
    remove: () => void,
  ) {
    this.link = link
    this.etherType = etherType
    this.#filter = filter
    this.#transmit = transmit
    this.#remove = remove
  }

  send(frame: Uint8Array): void {
    if (this.#transmit(frame)) this.stats.sent++
    else this.stats.sendErrors++
  }

  receive(handle: (frame: Uint8Array) => void): void {
    this.#handle = handle
  }

  setFilter(program: readonly BpfInstruction[]): void {
    this.#filter = program
  }

  closed(handle: (error: Error) => void): void {
    this.#closed = handle
  }

  deliver(frame: Uint8Array): void {
    if (this.#filter && runBpf(this.#filter, frame) === 0) return
    this.stats.received++
    this.#handle?.(frame)
  }

  fail(): void {
    this.#remove()
    this.#handle = undefined
    this.#closed?.(new CarillonError('ENETDOWN', 'the interface is gone', { link: this.link }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#handle = undefined
    this.#closed = undefined
    this.#remove()
  }
}

/**
 * The frame of an ICMPv6 message with hop limit 255, from the link-local address of the interface. It goes to the multicast MAC
 * address of its destination: every station of the segment hears it, and MemoryIcmp6 looks at nothing but the IPv6 header.
 */
function icmp6Frame(from: Link, to: string, message: Uint8Array): Uint8Array {
  const source = from.addresses.find(one => one.scope === 'link')?.address ?? '::'
  const target = parseAddress(to)
  const frame = new Uint8Array(54 + message.length)
  frame.set([0x33, 0x33, ...target.subarray(12)])
  frame.set(from.mac, 6)
  frame.set([0x86, 0xdd, 0x60], 12)
  frame.set([message.length >>> 8, message.length & 0xff, 58, 255], 18)
  frame.set(parseAddress(source), 22)
  frame.set(target, 38)
  frame.set(message, 54)
  return frame
}

class MemoryIcmp6 implements Icmp6 {
  readonly link: number
  readonly send: (to: string, message: Uint8Array) => void
  readonly #types: readonly number[]
  readonly #remove: () => void
  readonly #groups = new Map<string, number>()
  #handle: ((from: string, message: Uint8Array) => void) | undefined

  constructor(
    link: number,
    types: readonly number[],
    send: (to: string, message: Uint8Array) => void,
    remove: () => void,
  ) {
    this.link = link
    this.send = send
    this.#types = types
    this.#remove = remove
  }

  receive(handle: (from: string, message: Uint8Array) => void): void {
    this.#handle = handle
  }

  join(group: string): void {
    this.#groups.set(group, (this.#groups.get(group) ?? 0) + 1)
  }

  leave(group: string): void {
    const count = (this.#groups.get(group) ?? 0) - 1
    if (count > 0) this.#groups.set(group, count)
    else this.#groups.delete(group)
  }

  joined(): readonly string[] {
    return [...this.#groups.keys()]
  }

  deliver(frame: Uint8Array): void {
    if (frame[21] !== 255 || !this.#types.includes(frame[54] as number)) return
    this.#handle?.(formatAddress(frame.slice(22, 38)), frame.subarray(54))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#handle = undefined
    this.#groups.clear()
    this.#remove()
  }
}
