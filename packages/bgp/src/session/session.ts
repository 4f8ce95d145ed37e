import { isDeepStrictEqual } from 'node:util'
import {
  CarillonError,
  type Clock,
  formatEndpoint,
  type Link,
  type Logger,
  type Network,
  type Stream,
} from '@carillon/core'
import type { Greeting } from '../fsm/event.ts'
import type { Negotiated } from '../fsm/negotiated.ts'
import type { FsmSettings } from '../fsm/settings.ts'
import { nextHopOf } from '../local/next-hop.ts'
import { isOnLink } from '../local/on-link.ts'
import { defaultRouterId } from '../local/router-id.ts'
import type { KeyConflict } from '../speaker/listener-keys.ts'
import type { PeerSettings } from '../speaker/peer.ts'
import { afis, type Decoded, notification, safis } from '../wire/index.ts'
import type { Message, RouteFamily, RouteRefreshMessage } from '../wire/message.ts'
import type { BfdObserver, BfdWatch, BfdWatcher } from './bfd-watch.ts'
import { Channel, type ChannelOwner } from './channel.ts'
import type { Connection } from './connection.ts'
import { loser } from './duel.ts'
import { type Ending, ended, told } from './ending.ts'
import { fsmSettings } from './fsm-settings.ts'
import { Refreshes } from './refreshes.ts'
import type { Routes, RouteTerms } from './routes.ts'
import { Standing } from './standing.ts'
import type { SessionCounters, SessionStatus } from './status.ts'
import { Tally } from './tally.ts'

/** The world of a session. */
export interface SessionWorld {
  /** Name of this node. */
  readonly node: string
  readonly clock: Clock
  readonly network: Network
  /** 0 <= x < 1 */
  readonly random: () => number
  readonly log: Logger
  links(): readonly Link[]
  /** Absent: nobody can watch with BFD. */
  readonly bfd?: BfdWatcher
}

/** Whom a session tells; all is settled when it does. */
export interface SessionListener {
  up(session: Session): void
  down(session: Session, reason: CarillonError): void
  /** The status is another one. */
  changed(session: Session): void
  /** The peer was sent all that there was to send. */
  drained(session: Session): void
  /** Any route may stand differently: the next hops are others. */
  relinked(session: Session): void
  /** One of the counters has grown. */
  counted(session: Session): void
}

/** Beyond the time that the state machine gives a connection: by then nobody asks for it any more. */
const connectGraceMs = 1000

/** Milliseconds that a peer is given to take the withdrawals before a stop. */
const drainMs = 400

const plainAddress = (address: string): string => address.replace(/%.*/, '')

/** All that is done for one peer: its connections, what was agreed, its routes, and how it stands. */
export class Session {
  readonly peer: PeerSettings
  readonly #world: SessionWorld
  readonly #listener: SessionListener
  readonly #log: Logger
  readonly #tally: Tally
  readonly #standing: Standing
  readonly #refreshes: Refreshes
  readonly #owner: ChannelOwner
  readonly routes: Routes
  #main: Channel
  /** While both sides have connected at once. */
  #other: Channel | undefined
  #address: string | undefined
  #hindrance: string | undefined
  #deaf: KeyConflict | undefined
  #hasBeenUp = false
  #routerId: string | undefined
  #drained: (() => void) | undefined
  #currentHops: RouteTerms['nextHops'] = {}
  #watch: BfdWatch | undefined
  #started = false
  #ended = false

  constructor(peer: PeerSettings, world: SessionWorld, listener: SessionListener, routes: Routes) {
    this.peer = peer
    this.routes = routes
    this.#world = world
    this.#listener = listener
    this.#log = world.log.child({ peer: peer.name })
    this.#tally = new Tally(() => listener.counted(this))
    this.#address = peer.address
    this.#standing = new Standing(world.clock, this.#log, peer.passive)
    this.#refreshes = new Refreshes(world.clock, family => {
      routes.refresh(family)
      this.pump()
    })
    this.#owner = this.#own(fsmSettings(peer, world.node))
    this.#main = new Channel(this.#owner)
  }

  get name(): string {
    return this.peer.name
  }

  /** Of the peer; undefined while nobody is known on its interface. Without a zone. */
  get address(): string | undefined {
    return this.#address
  }

  /** As of now. */
  get counters(): SessionCounters {
    return this.#tally.read()
  }

  /** Routes flow. */
  get established(): boolean {
    return this.#main.state.name === 'Established'
  }

  /** Begins to connect, or to wait for the peer. */
  start(): void {
    if (this.#ended || this.#started || this.#address === undefined) return
    this.#started = true
    this.#observe(this.#address)
    this.#main.start()
  }

  /** The peer on the interface has this link-local address now. */
  discovered(address: string): void {
    if (this.#ended || this.#address === address) return
    this.#address = address
    if (this.#started) {
      void this.#replace(
        new CarillonError('PEER_MOVED', `the peer on ${this.peer.interface} is ${address} now`),
      )
    } else this.start()
  }

  /** Why the peer on the interface cannot be found; undefined when it can be looked for. */
  hindered(why: string | undefined): void {
    if (this.#ended || why === this.#hindrance) return
    this.#hindrance = why
    this.#listener.changed(this)
  }

  /** Another peer at the same address has the only key that our listener can have for it; undefined when none has. */
  unheard(conflict: KeyConflict | undefined): void {
    if (this.#ended || conflict?.heard === this.#deaf?.heard) return
    this.#deaf = conflict
    if (conflict) {
      const { address, heard } = conflict
      this.#log.warn({ address, rival: heard }, `the peer cannot connect to us: ${this.#deafness(conflict)}`)
    }
    this.#listener.changed(this)
  }

  #deafness({ heard, address }: KeyConflict): string {
    return `connections from ${address} have to have the password of peer "${heard}", which is another one`
  }

  /** Takes a connection that the peer has made; false when it is not wanted, and stays with the caller. */
  accept(stream: Stream): boolean {
    const { name } = this.#main.state
    const free = name === 'Active' && !this.#main.connection
    if (this.#ended || !this.#started || name === 'Idle' || (!free && this.#other)) return false
    try {
      const { ttl, minimumTtl } = this.peer
      stream.limitTtl?.({ ttl, ...(minimumTtl !== undefined && { minimumTtl }) })
    } catch (error) {
      // It may have gone again.
      this.#log.debug({ err: error }, 'a connection of the peer cannot be used')
      return false
    }
    if (free) this.#main.attach(stream, 'peer')
    else {
      this.#other = new Channel(this.#owner, this.#main.state.failures)
      this.#other.attach(stream, 'peer')
    }
    return true
  }

  /** Sends what is to be sent, as far as the peer takes it. To be called when routes have changed. */
  pump(): void {
    const { connection } = this.#main
    if (!connection || !this.established) return
    while (connection.room) {
      const bytes = this.routes.next()
      if (bytes === undefined) break
      connection.write(bytes)
      this.#tally.sent('update', messagesIn(bytes))
    }
    if (!this.routes.idle) return
    this.#drained?.()
    this.#listener.drained(this)
  }

  /** Something of this host's interfaces is different. */
  relink(): void {
    const { state, connection } = this.#main
    if (state.name !== 'Established' || !connection) return
    const nextHops = this.#nextHops(state.negotiated, connection)
    if (isDeepStrictEqual(nextHops, this.#currentHops)) return
    this.#currentHops = nextHops
    this.routes.renew(nextHops)
    this.pump()
    this.#listener.relinked(this)
  }

  #nextHops({ families, extendedNextHop }: Negotiated, connection: Connection): RouteTerms['nextHops'] {
    const local = plainAddress(connection.stream.local.address)
    const question = { local, links: this.#world.links(), extendedNextHop }
    return Object.fromEntries(families.map(family => [family, nextHopOf(family, question)]))
  }

  /**
   * Ends the session. Before a shutdown every route is withdrawn; unless the peer is to keep them until we are back: then the
   * connection closes without a word, since a NOTIFICATION makes routers drop them (RFC 4724 section 4).
   */
  async end(ending: Ending, options: { readonly keepRoutes: boolean }): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    const state = this.#main.state
    const keep =
      options.keepRoutes && state.name === 'Established' && state.negotiated.gracefulRestart !== undefined
    if (!keep && ending !== 'changed') await this.#withdraw()
    this.#other?.abandon()
    this.#other = undefined
    await this.#main.stop(ended(ending), keep ? undefined : told(ending))
    // Not before: a router that hears of BFD first would end the session for that reason, and keep no routes.
    this.#watch?.close()
  }

  async #withdraw(): Promise<void> {
    if (!this.established) return
    this.routes.withdrawAll()
    const { clock } = this.#world
    await new Promise<void>(resolve => {
      const cancel = clock.after(drainMs, resolve)
      this.#drained = () => {
        cancel()
        resolve()
      }
      this.pump()
    })
    this.#drained = undefined
  }

  async #replace(reason: CarillonError): Promise<void> {
    const old = this.#main
    this.#other?.abandon()
    this.#other = undefined
    void old.stop(reason, notification('cease', 'otherConfigurationChange'))
    this.#main = new Channel(this.#owner)
    if (this.#address !== undefined) this.#observe(this.#address)
    this.#main.start()
  }

  /** As it stands now. */
  status(): SessionStatus {
    const { peer } = this
    const { state, since, downSince, uptimeMs, lastError } = this.#standing
    const { state: machine, connection } = this.#main
    const waits =
      this.#address === undefined
        ? (this.#hindrance ?? `waiting for a router advertisement on ${peer.interface}`)
        : this.#standing.waiting
    const waiting = waits && peer.passive && this.#deaf ? `${waits}; ${this.#deafness(this.#deaf)}` : waits
    const bfd = this.#watch?.status()
    return {
      peer: peer.name,
      ...(this.#address !== undefined && { address: this.#address }),
      port: peer.port,
      ...(peer.interface !== undefined && { interface: peer.interface }),
      ...(peer.vrf !== undefined && { vrf: peer.vrf }),
      state,
      since,
      ...(downSince && { downSince }),
      ...(uptimeMs !== undefined && { uptimeMs }),
      ...(waiting !== undefined && { waiting }),
      ...(lastError && { lastError }),
      ...(connection && { local: connection.stream.local }),
      localAs: peer.localAs,
      ...(this.#routerId !== undefined && { routerId: this.#routerId }),
      ...('negotiated' in machine && { negotiated: machine.negotiated }),
      routes: this.routes.counts,
      counters: this.counters,
      ...(bfd && { bfd: { state: bfd.state, since: new Date(bfd.since) } }),
    }
  }

  #own(settings: FsmSettings): ChannelOwner {
    const { clock, random } = this.#world
    return {
      settings,
      clock,
      random,
      dial: () => this.#dial(settings),
      greeting: stream => this.#greeting(stream),
      unreachable: cause => this.#unreachable(cause),
      sent: message => this.#sent(message),
      received: (channel, decoded) => this.#received(channel, decoded),
      confirmed: channel => this.#confirmed(channel),
      established: (channel, negotiated) => this.#up(channel, negotiated),
      failed: (channel, reason, established) => this.#failed(channel, reason, established),
      waiting: (channel, ms) => {
        if (channel === this.#main) this.#standing.willTry(ms)
      },
      writable: channel => {
        if (channel === this.#main) this.pump()
      },
      entered: channel => {
        if (channel === this.#main) this.#settle()
      },
    }
  }

  async #dial(settings: FsmSettings): Promise<Stream> {
    const { peer } = this
    const address = this.#address as string
    const device = peer.interface ?? peer.vrf
    return this.#world.network.connect(
      { address, port: peer.port },
      {
        ttl: peer.ttl,
        ...(peer.minimumTtl !== undefined && { minimumTtl: peer.minimumTtl }),
        ...(device !== undefined && { device }),
        ...(peer.sourceAddress !== undefined && { from: { address: peer.sourceAddress } }),
        ...(peer.password !== undefined && { md5: { address, key: peer.password } }),
        timeoutMs: settings.connectTimeoutMs + connectGraceMs,
      },
    )
  }

  #greeting(stream: Stream): Greeting {
    const { node } = this.#world
    const routerId =
      this.peer.routerId ?? defaultRouterId(plainAddress(stream.local.address), this.#world.links(), node)
    this.#routerId = routerId
    return { routerId, restarting: this.peer.restartTime !== undefined && !this.#hasBeenUp }
  }

  #unreachable(cause: unknown): CarillonError {
    const { port } = this.peer
    const address = this.#address as string
    const why = cause instanceof Error ? cause.message : String(cause)
    const errno = cause instanceof CarillonError ? cause.code : 'UNKNOWN'
    return new CarillonError(
      'PEER_UNREACHABLE',
      why,
      { peer: formatEndpoint({ address, port }), errno },
      { cause },
    )
  }

  #sent(message: Message): void {
    this.#tally.sent(message.type)
  }

  #received(channel: Channel, decoded: Decoded): void {
    this.#tally.received(decoded)
    const { message } = decoded
    const family = message.type === 'routeRefresh' ? requested(message) : undefined
    if (family && channel === this.#main && this.established) this.#refreshes.ask(family)
  }

  /** The peer's OPEN is accepted on a channel: of two, one has to go. */
  #confirmed(channel: Channel): void {
    const rival = channel === this.#main ? this.#other : this.#main
    const { state } = channel
    if (!rival || state.name !== 'OpenConfirm') return
    const us = { routerId: this.#routerId as string, as: this.peer.localAs }
    const duellist = { state, by: channel.connection?.by }
    const goes = loser(duellist, { state: rival.state, by: rival.connection?.by }, us)
    const [stays, lost] = goes === 'newer' ? [rival, channel] : [channel, rival]
    if (lost.state.name === 'Established')
      lost.handle({ type: 'closed', reason: new CarillonError('PEER_RESTARTED', 'the peer has restarted') })
    this.#other = undefined
    this.#main = stays
    lost.handle({ type: 'collision' })
    lost.abandon()
    this.#settle()
  }

  #up(channel: Channel, negotiated: Negotiated): void {
    const { connection } = channel
    if (channel !== this.#main || !connection) return
    this.#hasBeenUp = true
    const { holdTimeMs, families, internal, enhancedRefresh } = negotiated
    this.#currentHops = this.#nextHops(negotiated, connection)
    this.routes.open({
      dialect: connection.dialect,
      nextHops: this.#currentHops,
      asPath: internal ? [] : [{ type: 'sequence', as: [this.peer.localAs] }],
      internal,
      enhancedRefresh,
      restarting: this.peer.restartTime !== undefined,
    })
    this.#log.info({ address: this.#address, holdTimeMs, families }, 'BGP session established')
    this.#settle()
    this.#listener.up(this)
    this.pump()
  }

  #failed(channel: Channel, reason: CarillonError, established: boolean): void {
    if (channel !== this.#main && channel !== this.#other) return
    if (channel === this.#other) {
      // It would try again by itself, which is for the main one to do.
      this.#other = undefined
      channel.abandon()
    }
    this.#standing.failed(reason, established, this.#address, this.#hint(reason))
    if (established) {
      this.routes.close()
      this.#refreshes.clear()
      this.#drained?.()
    }
    this.#settle()
    if (established) this.#listener.down(this, reason)
  }

  /** A kernel that is given segments with a wrong signature says nothing. */
  #hint({ code, details }: CarillonError): string {
    const silent = code === 'PEER_UNREACHABLE' && (details.errno ?? 'ETIMEDOUT') === 'ETIMEDOUT'
    return silent && this.peer.password !== undefined
      ? '; with another password there it does not either'
      : ''
  }

  /** Takes over the state of the main channel. */
  #settle(): void {
    if (this.#standing.enter(this.#main.state.name)) this.#listener.changed(this)
  }

  /** Watches the peer with BFD, if its profile says so. */
  #observe(peer: string): void {
    const { bfd: profile, interface: device, vrf, sourceAddress, internal, multiHop } = this.peer
    const { bfd } = this.#world
    this.#watch?.close()
    if (!profile || !bfd) return
    const on = device ?? vrf
    const target = {
      peer,
      ...(sourceAddress !== undefined && { local: sourceAddress }),
      ...(on !== undefined && { device: on }),
      // As FRR does it, which watches a peer within its AS as a neighbour where it is one.
      multihop: multiHop || (internal && device === undefined && !isOnLink(peer, this.#world.links())),
      profile,
    }
    const observer: BfdObserver = {
      // As FRR does it, a session may come up before BFD has, and is guarded from then on.
      down: reason =>
        this.#main.handle({
          type: 'abort',
          reason: new CarillonError('BFD_DOWN', `BFD lost the peer: ${reason}`),
          notification: notification('cease', 'bfdDown'),
        }),
      changed: () => this.#listener.changed(this),
    }
    try {
      this.#watch = bfd(target, observer)
    } catch (error) {
      this.#log.error({ err: error }, 'the peer cannot be watched with BFD')
    }
  }
}

/** The family that a peer asks for; undefined for one that we do not have, and for marks of a refresh of its own. */
function requested({ afi, safi, subtype }: RouteRefreshMessage): RouteFamily | undefined {
  if (subtype !== 'request' || safi !== safis.unicast) return undefined
  return afi === afis.ipv4 ? 'ipv4' : afi === afis.ipv6 ? 'ipv6' : undefined
}

/** How many messages these bytes are; the marks of a refresh (RFC 7313) count as UPDATE, too. */
function messagesIn(bytes: Uint8Array): number {
  let count = 0
  for (let at = 0; at < bytes.length; count++)
    at += ((bytes[at + 16] as number) << 8) | (bytes[at + 17] as number)
  return count
}
