import {
  type Advertisement,
  type AnnouncementStatus,
  type Announcer,
  type AnnouncerContext,
  type AnnouncerEvents,
  type AnnouncerSettings,
  CarillonError,
  type Family,
  type Logger,
  type PeerRoute,
} from '@carillon/core'
import { EventEmitter } from 'eventemitter3'
import { Bfd } from '../bfd/index.ts'
import { PathAttributesPool } from '../rib/index.ts'
import type { BgpRoute } from '../session/route.ts'
import type { RouteStanding } from '../session/routes.ts'
import type { SessionStatus } from '../session/status.ts'
import { BgpSpeaker } from '../speaker/bgp-speaker.ts'
import { type BgpPeer, settlePeer } from '../speaker/peer.ts'
import { bfdWatcher } from './bfd-watcher.ts'
import { type Entry, readEntry } from './entry.ts'
import type { BgpOptions } from './options.ts'
import { peersOf } from './peers.ts'

/** The announcer that tells routers by BGP. */
export interface BgpAnnouncer extends Announcer {
  readonly name: 'bgp'
  readonly speakers: 'each'
  sessions(): readonly SessionStatus[]
}

interface Changes {
  readonly announce: BgpRoute[]
  readonly withdraw: string[]
}

/** Keeps the peers of the configuration, the routes for each, and what is to be said of both in step. */
export class BgpPeersAnnouncer implements BgpAnnouncer {
  readonly name = 'bgp'
  readonly speakers = 'each'
  readonly families: readonly Family[] = [4, 6]
  readonly events: EventEmitter<AnnouncerEvents> = new EventEmitter<AnnouncerEvents>()
  readonly #options: BgpOptions
  readonly #context: AnnouncerContext
  readonly #log: Logger
  readonly #speaker: BgpSpeaker
  readonly #pool = new PathAttributesPool()
  /** As last desired. */
  #desired: readonly Advertisement[] = []
  readonly #entries = new Map<string, Entry>()
  /** Entries for which a peer has not been told yet what it is to know. */
  readonly #unsettled = new Set<Entry>()
  /** Peers that are spoken with. */
  #peers: ReadonlySet<string> = new Set()
  /** Peers to whom no route was declared yet. */
  readonly #fresh = new Set<string>()
  /** An address comes twice in what is desired. */
  #repeated = false
  /** The peers were changed, and what is to be announced to them will be told in a moment. */
  #between = false
  #bfd: Bfd | undefined
  #closed: Promise<void> | undefined
  readonly #vias = new Map<string, readonly string[]>()

  constructor(options: BgpOptions, context: AnnouncerContext) {
    this.#options = options
    this.#context = context
    this.#log = context.log.child({ component: 'bgp' })
    const { listen, routerId } = options
    this.#speaker = new BgpSpeaker({
      ...context,
      ...(listen && { listen }),
      ...(routerId !== undefined && { routerId }),
      bfd: (target, observer) => bfdWatcher(this.#openBfd())(target, observer),
    })
    const { events } = this.#speaker
    events.on('peer:up', peer => this.events.emit('peer:up', peer))
    events.on('peer:down', (peer, reason) => {
      this.#refresh(this.#entries.values())
      if (!this.#closed) this.events.emit('peer:down', peer, reason)
    })
    events.on('routes:sent', () => this.#refresh(this.#unsettled))
    events.on('routes:changed', () => this.#refresh(this.#entries.values()))
  }

  async start(): Promise<void> {
    if (!this.#closed) await this.#speaker.start()
  }

  configure(settings: AnnouncerSettings): void {
    if (this.#closed) return
    const peers = peersOf(settings).filter(peer => this.#sound(peer))
    const before = this.#peers
    this.#peers = new Set(peers.map(peer => peer.name))
    for (const name of this.#peers) if (!before.has(name)) this.#fresh.add(name)
    for (const name of before) if (!this.#peers.has(name)) this.#fresh.delete(name)
    this.#between = true
    this.#speaker.setPeers(peers)
  }

  announce(desired: readonly Advertisement[]): void {
    if (this.#closed) return
    const changes = new Map<string, Changes>()
    const touched = this.#replace(desired, changes)
    for (const name of this.#fresh) changes.set(name, this.#all(name))
    this.#fresh.clear()
    for (const [peer, change] of changes) this.#speaker.changeRoutes(peer, change)
    const between = this.#between
    this.#between = false
    this.#refresh(between ? this.#entries.values() : touched)
  }

  status(): readonly AnnouncementStatus[] {
    const told = new Set<string>()
    const status: AnnouncementStatus[] = []
    for (const { address } of this.#desired) {
      const entry = this.#entries.get(address)
      if (!entry || (this.#repeated && told.has(address))) continue
      if (this.#repeated) told.add(address)
      status.push(entry.status && !this.#unsettled.has(entry) ? entry.status : this.#describe(entry))
    }
    return status
  }

  sessions(): readonly SessionStatus[] {
    return this.#speaker.sessions()
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    await this.#speaker.close()
    await this.#bfd?.[Symbol.asyncDispose]()
  }

  /** Whether a peer can be spoken with. The configuration was checked, so it should. */
  #sound(peer: BgpPeer): boolean {
    try {
      settlePeer(peer)
      return true
    } catch (error) {
      this.#log.error({ err: error }, 'a BGPPeer cannot be spoken with')
      return false
    }
  }

  #openBfd(): Bfd {
    const { network, clock, random, log, metrics } = this.#context
    const { bfdNetwork } = this.#options
    const world = bfdNetwork ? { network: bfdNetwork } : { network, clock, random }
    this.#bfd ??= new Bfd({ ...world, log: log.child({ component: 'bfd' }), metrics })
    return this.#bfd
  }

  /** Takes over what is desired, as far as it is new. Gives the entries that are, and writes down what peers have to be told. */
  #replace(desired: readonly Advertisement[], changes: Map<string, Changes>): readonly Entry[] {
    const before = this.#desired
    const after = desired.slice()
    let head = 0
    let tail = 0
    if (!this.#repeated) {
      const common = Math.min(before.length, after.length)
      while (head < common && before[head] === after[head]) head++
      while (tail < common - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++
    }
    const gone = new Map<string, Entry>()
    for (const { address } of before.slice(head, before.length - tail)) {
      const entry = this.#entries.get(address)
      if (entry) gone.set(address, entry)
      this.#entries.delete(address)
    }
    const touched: Entry[] = []
    for (const advertisement of after.slice(head, after.length - tail)) {
      const { address } = advertisement
      if (this.#entries.has(address)) continue
      const known = gone.get(address)
      const entry = readEntry(advertisement, this.#pool)
      if (known?.status) entry.status = known.status
      this.#entries.set(address, entry)
      this.#compare(known, entry, changes)
      touched.push(entry)
    }
    for (const [address, entry] of gone) {
      this.#unsettled.delete(entry)
      if (!this.#entries.has(address)) this.#compare(entry, undefined, changes)
    }
    this.#desired = after
    this.#repeated = this.#entries.size !== after.length
    return touched
  }

  /** Writes down what peers have to be told where one entry takes the place of another. */
  #compare(before: Entry | undefined, after: Entry | undefined, changes: Map<string, Changes>): void {
    const of = (peer: string): Changes | undefined => {
      if (!this.#peers.has(peer) || this.#fresh.has(peer)) return undefined
      const known = changes.get(peer)
      const change = known ?? { announce: [], withdraw: [] }
      if (!known) changes.set(peer, change)
      return change
    }
    for (const { peer } of before?.peers ?? [])
      if (before && !after?.peers.some(other => other.peer === peer)) of(peer)?.withdraw.push(before.address)
    if (after) for (const route of after.peers) of(route.peer)?.announce.push(routeOf(after, route))
  }

  /** All that one peer is to be told. */
  #all(name: string): Changes {
    const announce: BgpRoute[] = []
    for (const entry of this.#entries.values()) {
      const route = entry.peers.find(one => one.peer === name)
      if (route) announce.push(routeOf(entry, route))
    }
    return { announce, withdraw: [] }
  }

  /** Works out the status of these entries anew, and tells of those that changed. */
  #refresh(entries: Iterable<Entry>): void {
    if (this.#closed || this.#between) return
    const changed: AnnouncementStatus[] = []
    // A copy: describing an entry may move it to the end of those that are unsettled.
    for (const entry of [...entries]) {
      const status = this.#describe(entry)
      const known = entry.status
      entry.status = status
      if (!known || !sameStatus(known, status)) changed.push(status)
    }
    // Last, when all is settled: a listener may call back, or throw.
    for (const status of changed) this.events.emit('announcement:changed', status)
  }

  #describe(entry: Entry): AnnouncementStatus {
    const { address, peers, refusal } = entry
    this.#unsettled.delete(entry)
    if (refusal) return { address, state: 'failed', via: [], error: refusal }
    const via: string[] = []
    let waiting = false
    let error: CarillonError | undefined
    for (const { peer } of peers) {
      const standing = this.#standing(peer, address)
      if (standing.state === 'failed') error ??= standing.error
      else if (standing.state === 'pending') waiting = true
      else via.push(peer)
    }
    if (waiting) this.#unsettled.add(entry)
    const state = via.length > 0 ? 'announced' : waiting ? 'pending' : 'failed'
    return { address, state, via: this.#shared(via), ...(error && { error }) }
  }

  #standing(peer: string, address: string): RouteStanding {
    const standing = this.#peers.has(peer) ? this.#speaker.route(peer, address) : undefined
    if (!standing) {
      const message = `this node does not speak with BGPPeer "${peer}": there is none, or its nodeSelectors do not select the node`
      return { state: 'failed', error: new CarillonError('UNKNOWN_PEER', message, { peer }) }
    }
    if (standing.state !== 'failed') return standing
    const { code, message, details } = standing.error
    return {
      state: 'failed',
      error: new CarillonError(code, `BGPPeer "${peer}": ${message}`, { ...details, peer }),
    }
  }

  /** The same list of names as one object: thousands of routes go to the same few peers. */
  #shared(via: string[]): readonly string[] {
    const names = via.sort()
    const key = names.join('\n')
    const known = this.#vias.get(key)
    if (known) return known
    // Forgotten lists are only made anew.
    if (this.#vias.size >= 1024) this.#vias.clear()
    this.#vias.set(key, names)
    return names
  }
}

function routeOf({ address }: Entry, { localPref, communities }: PeerRoute): BgpRoute {
  return { prefix: address, localPref, communities }
}

function sameStatus(a: AnnouncementStatus, b: AnnouncementStatus): boolean {
  return (
    a.state === b.state &&
    a.via.length === b.via.length &&
    a.via.every((name, i) => name === b.via[i]) &&
    a.error?.code === b.error?.code &&
    a.error?.message === b.error?.message
  )
}
