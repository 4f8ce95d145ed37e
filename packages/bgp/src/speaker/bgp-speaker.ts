import { isDeepStrictEqual } from 'node:util'
import {
  CarillonError,
  type Clock,
  type Links,
  type Logger,
  type Metrics,
  type Network,
  type Stream,
} from '@carillon/core'
import { EventEmitter } from 'eventemitter3'
import { PathAttributesPool } from '../rib/index.ts'
import type { BfdWatcher } from '../session/bfd-watch.ts'
import type { Ending } from '../session/ending.ts'
import type { BgpRoute } from '../session/route.ts'
import { type RouteChanges, type RouteStanding, Routes } from '../session/routes.ts'
import { Session, type SessionListener, type SessionWorld } from '../session/session.ts'
import type { SessionStatus } from '../session/status.ts'
import { Discovery } from '../unnumbered/discovery.ts'
import { Instruments } from './instruments.ts'
import { Listener } from './listener.ts'
import { type Caller, type KeyConflict, listenerKeys } from './listener-keys.ts'
import { type BgpPeer, type PeerSettings, settlePeer } from './peer.ts'

/** Where peers may connect. */
export interface ListenOptions {
  /** @default '::', every address of this host, IPv4 included */
  readonly address?: string
  /** @default 179 */
  readonly port?: number
}

/** What a `BgpSpeaker` is made of. */
export interface BgpSpeakerOptions {
  readonly clock: Clock
  readonly network: Network
  /** 0 <= x < 1 */
  readonly random: () => number
  readonly log: Logger
  readonly metrics: Metrics
  /** Name of this host: shown by routers, and the router ID of last resort is made of it. @default none */
  readonly node?: string
  /** BGP identifier for peers that have none of their own. @default see `BgpPeer.routerId` */
  readonly routerId?: string
  /** Let peers connect to us. @default only when a peer is `passive` */
  readonly listen?: ListenOptions
  /** Watches peers that have a `bfd` profile. @default nobody does */
  readonly bfd?: BfdWatcher
}

/** What a `BgpSpeaker` tells. */
export interface BgpSpeakerEvents {
  /** Routes flow. */
  'peer:up': (peer: string) => void
  /** They do not any more, because of that. */
  'peer:down': (peer: string, reason: CarillonError) => void
  /** A session is in another state, or its watch by BFD is. */
  'session:changed': (status: SessionStatus) => void
  /** The peer was sent all that is declared. */
  'routes:sent': (peer: string) => void
  /** Any route for the peer may stand differently: this host's addresses are others. */
  'routes:changed': (peer: string) => void
}

const listenDefaults = { address: '::', port: 179 }

/**
 * A BGP-4 speaker that announces and never learns: peers and routes are declared, and it sees to it that each peer is told
 * exactly those. What peers announce is accepted and counted, and not kept. Closes within a second.
 */
export class BgpSpeaker implements AsyncDisposable {
  readonly events: EventEmitter<BgpSpeakerEvents> = new EventEmitter()
  readonly #options: BgpSpeakerOptions
  readonly #log: Logger
  readonly #world: SessionWorld
  readonly #sessions = new Map<string, Session>()
  readonly #routes = new Map<string, Routes>()
  readonly #pool = new PathAttributesPool()
  readonly #listeners = new Map<string, Listener>()
  /** Of sessions with whoever is on an interface. */
  readonly #discoveries = new Map<Session, Discovery>()
  /** Ends of sessions that are under way, by the name of the peer. */
  readonly #leaving = new Map<string, Promise<void>>()
  readonly #instruments: Instruments
  #links: Links | undefined
  #started: Promise<void> | undefined
  #running = false
  #closed: Promise<void> | undefined

  constructor(options: BgpSpeakerOptions) {
    this.#options = options
    this.#log = options.log.child({ component: 'bgp' })
    const { clock, network, random, bfd } = options
    this.#instruments = new Instruments(options.metrics, clock)
    this.#world = {
      node: options.node ?? '',
      clock,
      network,
      random,
      log: this.#log,
      links: () => this.#links?.current() ?? [],
      ...(bfd && { bfd }),
    }
  }

  /** Begins to connect and to listen. Rejects when the interfaces of this host cannot be watched; it can be called again then. */
  start(): Promise<void> {
    this.#started ??= this.#start().catch((error: unknown) => {
      this.#started = undefined
      throw error
    })
    return this.#started
  }

  async #start(): Promise<void> {
    const links = await this.#options.network.links()
    if (this.#closed) return links[Symbol.asyncDispose]()
    this.#links = links
    links.changed(present => {
      for (const discovery of this.#discoveries.values()) discovery.follow(present)
      for (const session of this.#sessions.values()) session.relink()
    })
    this.#running = true
    this.#begin(this.#sessions.values())
  }

  #begin(sessions: Iterable<Session>): void {
    this.#listen()
    for (const session of sessions) {
      const leaving = this.#leaving.get(session.name)
      // The peer would take a new connection for a rival of the old one.
      if (leaving) void leaving.then(() => this.#launch(session))
      else this.#launch(session)
    }
  }

  #launch(session: Session): void {
    if (this.#sessions.get(session.name) !== session) return
    const { interface: name } = session.peer
    if (name === undefined) session.start()
    else this.#discover(session, name)
  }

  #discover(session: Session, name: string): void {
    const { network, clock, random } = this.#options
    const world = {
      network,
      clock,
      random,
      log: this.#log.child({ peer: session.name }),
      found: (address: string) => {
        session.discovered(address)
        this.#listen()
      },
      hindered: (why: string | undefined) => session.hindered(why),
    }
    const discovery = new Discovery(world, name)
    this.#discoveries.set(session, discovery)
    discovery.follow(this.#world.links())
  }

  /**
   * Declares with whom there are to be sessions. One whose peer is as before goes on untouched; one that is gone ends, after its
   * routes were withdrawn. Throws `BAD_PEER`, and then changes nothing.
   */
  setPeers(peers: readonly BgpPeer[]): void {
    const wanted = new Map<string, PeerSettings>()
    for (const peer of peers) {
      const { routerId } = this.#options
      const settings = settlePeer(routerId === undefined ? peer : { routerId, ...peer })
      if (wanted.has(peer.name))
        throw new CarillonError('BAD_PEER', `there are two BGP peers named "${peer.name}"`, {
          peer: peer.name,
        })
      wanted.set(peer.name, settings)
    }
    if (this.#closed) return
    for (const [name, session] of this.#sessions) {
      const settings = wanted.get(name)
      if (settings && isDeepStrictEqual(settings, session.peer)) continue
      this.#sessions.delete(name)
      this.#end(session, settings ? 'changed' : 'deconfigured', settings)
    }
    for (const name of [...this.#routes.keys()]) if (!wanted.has(name)) this.#routes.delete(name)
    const fresh: Session[] = []
    for (const [name, settings] of wanted) {
      if (this.#sessions.has(name)) continue
      const session = new Session(settings, this.#world, this.#listener, this.#routesOf(name))
      this.#sessions.set(name, session)
      this.#instruments.open(session)
      fresh.push(session)
    }
    if (this.#running) this.#begin(fresh)
  }

  /** Declares all routes for a peer; what it was told before and is not among them is withdrawn. Throws `BAD_ROUTE`, and then changes nothing. */
  setRoutes(peer: string, routes: readonly BgpRoute[]): void {
    if (this.#closed) return
    this.#routesOf(peer).declare(routes)
    this.#sessions.get(peer)?.pump()
  }

  /**
   * Changes some routes for a peer, which costs what these cost, however many others there are. Throws `BAD_ROUTE` for the first one
   * that cannot be; what comes before it is changed.
   */
  changeRoutes(peer: string, changes: RouteChanges): void {
    if (this.#closed) return
    try {
      this.#routesOf(peer).change(changes)
    } finally {
      this.#sessions.get(peer)?.pump()
    }
  }

  /** How a route for a peer stands; undefined when it is not declared. Throws `BAD_ROUTE`. */
  route(peer: string, prefix: string): RouteStanding | undefined {
    return this.#routes.get(peer)?.standing(prefix)
  }

  #routesOf(peer: string): Routes {
    const known = this.#routes.get(peer)
    if (known) return known
    const routes = new Routes(this.#pool)
    this.#routes.set(peer, routes)
    return routes
  }

  /** How every session stands, in the order of names. */
  sessions(): readonly SessionStatus[] {
    return [...this.#sessions.values()]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(session => session.status())
  }

  /** How the session with this peer stands. */
  session(peer: string): SessionStatus | undefined {
    return this.#sessions.get(peer)?.status()
  }

  /**
   * Withdraws every route and tells each peer that this is a shutdown; from peers with graceful restart it parts without a word,
   * so that they keep the routes until this node is back. Takes a second at most.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    const listeners = [...this.#listeners.values()]
    this.#listeners.clear()
    for (const session of this.#sessions.values()) this.#end(session, 'shutdown', session.peer)
    this.#sessions.clear()
    await Promise.all([...this.#leaving.values(), ...listeners.map(one => one[Symbol.asyncDispose]())])
    this.#instruments.flush()
    await this.#links?.[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #end(session: Session, ending: Ending, next: PeerSettings | undefined): void {
    this.#discoveries.get(session)?.close()
    this.#discoveries.delete(session)
    const { name } = session
    const ended = session
      .end(ending, { keepRoutes: next !== undefined && sameNeighbour(session.peer, next) })
      .then(() => this.#instruments.close(session, next !== undefined))
    const before = this.#leaving.get(name)
    const done: Promise<void> = Promise.all([before, ended]).then(() => {
      if (this.#leaving.get(name) === done) this.#leaving.delete(name)
    })
    this.#leaving.set(name, done)
  }

  /** Opens the listeners that are needed, closes others, and tells each which connections have to be signed. */
  #listen(): void {
    const wanted = new Map<string, Caller[]>()
    for (const { peer, address } of this.#sessions.values()) {
      if (!this.#options.listen && !peer.passive) continue
      const device = peer.vrf ?? ''
      const callers = wanted.get(device) ?? []
      if (address !== undefined) callers.push({ peer, address })
      wanted.set(device, callers)
    }
    for (const [device, listener] of this.#listeners) {
      if (wanted.has(device)) continue
      this.#listeners.delete(device)
      void listener[Symbol.asyncDispose]()
    }
    const unheard = new Map<string, KeyConflict>()
    for (const [device, callers] of wanted) {
      const { keys, conflicts } = listenerKeys(callers)
      for (const conflict of conflicts) unheard.set(conflict.unheard, conflict)
      const known = this.#listeners.get(device)
      const listener = known ?? this.#listener_(device)
      listener.setMd5Keys(keys)
      if (!known) void listener.open()
    }
    for (const session of this.#sessions.values()) session.unheard(unheard.get(session.name))
  }

  #listener_(device: string): Listener {
    const { network, clock, listen } = this.#options
    const world = {
      network,
      clock,
      log: this.#log,
      accept: (stream: Stream) => this.#accept(stream, device),
      refused: () => this.#instruments.refused(),
    }
    const listener = new Listener(world, { ...listenDefaults, ...listen }, device || undefined)
    this.#listeners.set(device, listener)
    return listener
  }

  #accept(stream: Stream, device: string): boolean {
    const [address, zone] = stream.remote.address.split('%')
    for (const session of this.#sessions.values()) {
      const { peer } = session
      if (session.address !== address || (peer.vrf ?? '') !== device) continue
      if (peer.interface !== undefined && zone !== undefined && peer.interface !== zone) continue
      // Sessions with one router from several addresses of ours are told apart by these.
      if (peer.sourceAddress !== undefined && peer.sourceAddress !== stream.local.address) continue
      if (session.accept(stream)) return true
    }
    return false
  }

  readonly #listener: SessionListener = {
    up: session => {
      this.#instruments.up(session)
      this.events.emit('peer:up', session.name)
    },
    down: (session, reason) => {
      this.#instruments.down(session)
      this.events.emit('peer:down', session.name, reason)
    },
    changed: session => this.events.emit('session:changed', session.status()),
    drained: session => {
      this.#instruments.touch(session)
      this.events.emit('routes:sent', session.name)
    },
    relinked: session => this.events.emit('routes:changed', session.name),
    counted: session => this.#instruments.touch(session),
  }
}

/** Whether a session with one is, for the router, a session with the other that has restarted. */
function sameNeighbour(a: PeerSettings, b: PeerSettings): boolean {
  const identity = ({
    address,
    interface: device,
    vrf,
    localAs,
    port,
    restartTime,
  }: PeerSettings): unknown => [address, device, vrf, localAs, port, restartTime !== undefined]
  return a.restartTime !== undefined && isDeepStrictEqual(identity(a), identity(b))
}
