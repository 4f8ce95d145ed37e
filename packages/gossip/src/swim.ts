import type { Clock } from '@carillon/core'
import { Awareness } from './awareness.ts'
import { Broadcasts, transmitLimit } from './broadcasts.ts'
import type { Delegate } from './delegate.ts'
import { type Liveness, living, type MemberRecord, supersedes } from './member-record.ts'
import { MemberTable } from './member-table.ts'
import { type NodeAddress, sameBytes } from './node-address.ts'
import type { Outlet } from './outlet.ts'
import type { Settings } from './profile.ts'
import { Suspicion, suspicionTimes } from './suspicion.ts'
import { compatible, usable } from './versions.ts'
import {
  type Alive,
  type Dead,
  encodeMessage,
  NO_BYTES,
  type NodeEntry,
  nodeStates,
  PART_OVERHEAD,
  type PacketMessage,
  type PushPull,
  type Suspect,
} from './wire/index.ts'

/** Something that became known about a member. */
export interface SwimEvent {
  readonly type: 'join' | 'update' | 'suspect' | 'leave' | 'dead' | 'conflict'
  readonly member: MemberRecord
  /** For a conflict: the address that the other one claims. */
  readonly other?: NodeAddress
}

export interface SwimOptions {
  readonly name: string
  readonly address: NodeAddress
  readonly meta: Uint8Array
  /** Minimum, maximum and spoken version of the protocol and of the delegate. */
  readonly vsn: Uint8Array
  readonly settings: Settings
  readonly clock: Clock
  readonly random: () => number
  readonly outlet: Outlet
  readonly delegate: Delegate
  readonly emit: (event: SwimEvent) => void
}

/** What the parts that watch over members hang on. */
export interface SwimHooks {
  /** Somebody says that a member does not answer. */
  accused(message: Suspect): void
  /** What we know of a member is different, ourselves included. */
  changed(name: string): void
  /** We are told that we are dead or suspect, and object. */
  refuted(): void
  /** One that was dead is back. */
  returned(member: MemberRecord): void
}

/** Members that one table brings, from which on they are taken to be known to others, too. */
const manyAtOnce = 16
/** The part of the times that such news is to be passed on, which others are taken to have done. */
const widelySent = 0.75

/** A death that is this old, in milliseconds, is told by nobody any more, and no accusation of before is still on its way. */
const oldNewsMs = 500
/** Old deaths that are told within such a time in milliseconds, at most: one packet can hold many accusations. */
const oldNewsAtMost = 64
const windowMs = 100

const stateNames: readonly Liveness[] = ['alive', 'suspect', 'dead', 'left']

const knownAddress = ({ addr }: NodeAddress): boolean => addr.length === 4 || addr.length === 16

/**
 * The table of members and the rules by which rumours change it, as memberlist has them: alive, suspect and dead with incarnations,
 * refutation, anti-entropy, and what is passed on. Time, randomness and the network are handed in.
 */
export class Swim {
  readonly name: string
  readonly members: MemberTable = new MemberTable()
  readonly broadcasts: Broadcasts = new Broadcasts()
  readonly awareness: Awareness
  readonly options: SwimOptions
  readonly #suspicions = new Map<string, Suspicion>()
  #hooks: SwimHooks = { accused: () => {}, changed: () => {}, refuted: () => {}, returned: () => {} }
  #incarnation = 0
  #sequence = 0
  #leaving = false
  #spread = 1
  #oldNewsSince = Number.NEGATIVE_INFINITY
  #oldNews = 0

  constructor(options: SwimOptions) {
    this.options = options
    this.name = options.name
    this.awareness = new Awareness(options.settings.awarenessMaxMultiplier)
  }

  hook(hooks: SwimHooks): void {
    this.#hooks = hooks
  }

  /** Our own record. */
  get self(): MemberRecord {
    const record = this.members.get(this.name)
    if (!record) throw new TypeError('the member has not been started')
    return record
  }

  get leaving(): boolean {
    return this.#leaving
  }

  nextSequence(): number {
    this.#sequence = (this.#sequence + 1) >>> 0
    return this.#sequence
  }

  /** Enters ourselves, and tells. */
  start(): void {
    const { address, meta, vsn } = this.options
    this.#incarnation = 1
    this.#become({
      name: this.name,
      ...address,
      meta,
      vsn,
      incarnation: 1,
      liveness: 'alive',
      since: this.#now(),
    })
    this.#tellAlive(this.self)
    this.#emit('join', this.self)
  }

  stop(): void {
    for (const suspicion of this.#suspicions.values()) suspicion.cancel()
    this.#suspicions.clear()
  }

  /** Gives ourselves other metadata, and tells. */
  updateMeta(meta: Uint8Array): void {
    this.#incarnation++
    this.#become({ ...this.self, meta, incarnation: this.#incarnation })
    this.#tellAlive(this.self)
    this.#emit('update', this.self)
  }

  /** Living members but ourselves. */
  others(): readonly MemberRecord[] {
    return [...this.members.all()].filter(record => record.name !== this.name && living(record))
  }

  // ---- what is said about members

  /** @param widely it is known to many already */
  alive(message: Alive, widely = false): void {
    const { settings, random } = this.options
    const address = { addr: message.addr, port: message.port || this.options.address.port }
    const mine = message.node === this.name
    if (this.#leaving && mine) return
    if (!usable(message.vsn) || !knownAddress(address) || message.node === '') return
    let known = this.members.get(message.node)
    let reclaim = false
    if (!known) {
      known = {
        name: message.node,
        ...address,
        meta: message.meta,
        vsn: message.vsn,
        incarnation: 0,
        liveness: 'dead',
        since: this.#now(),
      }
      this.members.set(known, random)
    } else if (!sameBytes(known.addr, address.addr) || known.port !== address.port) {
      const age = this.#now() - known.since
      const lost =
        known.liveness === 'dead' && settings.deadNodeReclaimMs > 0 && age > settings.deadNodeReclaimMs
      reclaim = known.liveness === 'left' || lost
      if (!reclaim) {
        this.options.emit({ type: 'conflict', member: known, other: address })
        return
      }
    }
    if (mine) {
      const same =
        message.incarnation === known.incarnation &&
        sameBytes(message.meta, known.meta) &&
        sameBytes(message.vsn, known.vsn)
      if (message.incarnation < known.incarnation || same) return
      this.#cancelSuspicion(message.node)
      this.#refute(message.incarnation)
      return
    }
    if (!reclaim && !supersedes.alive({ says: 'alive', incarnation: message.incarnation }, known)) return
    this.#cancelSuspicion(message.node)
    const next: MemberRecord = {
      name: known.name,
      ...address,
      meta: message.meta,
      vsn: message.vsn,
      incarnation: message.incarnation,
      liveness: 'alive',
      since: known.liveness === 'alive' ? known.since : this.#now(),
    }
    this.#become(next)
    this.#tellAlive(next, widely)
    if (!living(known)) {
      this.#emit('join', next)
      if (known.liveness === 'dead' && known.incarnation > 0) this.#hooks.returned(next)
    } else if (!sameBytes(known.meta, next.meta)) this.#emit('update', next)
  }

  suspect(message: Suspect): void {
    const known = this.members.get(message.node)
    if (!known) return
    this.#tellOfDeath(known, message.from)
    if (message.incarnation < known.incarnation) {
      this.#objectAgain(message.node)
      return
    }
    if (message.node !== this.name) this.#hooks.accused(message)
    const running = this.#suspicions.get(message.node)
    if (running) {
      if (running.confirm(message.from)) this.broadcasts.queue(message.node, encodeMessage(message))
      return
    }
    if (!supersedes.suspect({ says: 'suspect', incarnation: message.incarnation }, known)) return
    if (message.node === this.name) {
      this.#refute(message.incarnation)
      return
    }
    this.broadcasts.queue(message.node, encodeMessage(message))
    const next: MemberRecord = {
      ...known,
      incarnation: message.incarnation,
      liveness: 'suspect',
      since: this.#now(),
    }
    this.#become(next)
    const times = suspicionTimes(this.members.size, this.options.settings)
    const suspicion = new Suspicion(this.options.clock, times, message.from, () => {
      const now = this.members.get(next.name)
      if (now?.liveness !== 'suspect' || now.since !== next.since) return
      this.dead({ type: 'dead', incarnation: now.incarnation, node: next.name, from: this.name })
    })
    this.#suspicions.set(message.node, suspicion)
    this.#emit('suspect', next)
  }

  /** True when it was news. */
  dead(message: Dead): boolean {
    const known = this.members.get(message.node)
    if (!known) return false
    if (message.incarnation < known.incarnation) {
      this.#objectAgain(message.node)
      return false
    }
    this.#cancelSuspicion(message.node)
    if (!supersedes.dead({ says: 'dead', incarnation: message.incarnation }, known)) return false
    if (message.node === this.name && !this.#leaving) {
      this.#refute(message.incarnation)
      return false
    }
    this.broadcasts.queue(
      message.node,
      encodeMessage(message),
      message.node === this.name ? this.#left : undefined,
    )
    const left = message.node === message.from
    const next: MemberRecord = {
      ...known,
      incarnation: message.incarnation,
      liveness: left ? 'left' : 'dead',
      since: this.#now(),
    }
    this.#become(next)
    this.#emit(left ? 'leave' : 'dead', next)
    return true
  }

  #left: (() => void) | undefined

  /** Tells that we leave; `done` once that has been passed on often enough. */
  leave(done: () => void): void {
    if (this.#leaving) {
      done()
      return
    }
    this.#leaving = true
    // What is left to say is our own goodbye, and the process waits for it.
    this.#spread = 1
    this.#left = done
    this.dead({ type: 'dead', incarnation: this.#incarnation, node: this.name, from: this.name })
    if (this.others().length === 0) done()
  }

  /** Whoever says of us what we have objected to already has not heard that. */
  #objectAgain(node: string): void {
    if (node === this.name && !this.#leaving) this.#tellAlive(this.self)
  }

  /** Who suspects one that has been dead for a while was away when that was told, and nobody would tell it again. */
  #tellOfDeath({ name: node, liveness, incarnation, since }: MemberRecord, accuser: string): void {
    const now = this.#now()
    if (liveness !== 'dead' || accuser === this.name || now - since < oldNewsMs) return
    const record = this.members.get(accuser)
    if (!record || !living(record)) return
    if (now - this.#oldNewsSince >= windowMs) {
      this.#oldNewsSince = now
      this.#oldNews = 0
    }
    if (++this.#oldNews > oldNewsAtMost) return
    const message: Dead = { type: 'dead', incarnation, node, from: this.name }
    this.sendBare(record, [encodeMessage(message)], record)
  }

  #refute(claimed: number): void {
    this.#incarnation = Math.max(this.#incarnation, claimed) + 1
    this.#become({ ...this.self, incarnation: this.#incarnation })
    this.awareness.add(1)
    this.#tellAlive(this.self)
    this.#hooks.refuted()
  }

  // ---- whole tables

  /** Our table, for a push/pull. */
  table(join: boolean): PushPull {
    const nodes: NodeEntry[] = []
    for (const { name, addr, port, meta, incarnation, liveness, vsn } of this.members.all()) {
      nodes.push({ name, addr, port, meta, incarnation, state: nodeStates[liveness], vsn })
    }
    return { type: 'pushPull', join, nodes, userState: this.options.delegate.localState?.(join) ?? NO_BYTES }
  }

  /**
   * Takes in the table of a peer. Gives false when its versions do not go together with ours: then nothing is taken.
   *
   * @param believed the dead in it are dead, and not only suspect as memberlist has it: the peer is the one who knows
   */
  merge({ nodes, userState, join }: PushPull, believed = false): boolean {
    if (!compatible(this.members, nodes)) return false
    // Who joins a cluster, or is one of many that join, learns little that others do not know: it would drown what is new to them.
    const widely = this.options.settings.watch !== undefined && this.#unknown(nodes) >= manyAtOnce
    for (const { name, addr, port, meta, incarnation, state, vsn } of nodes) {
      if (state === nodeStates.alive)
        this.alive({ type: 'alive', incarnation, node: name, addr, port, meta, vsn }, widely)
      else if (state === nodeStates.left) this.dead({ type: 'dead', incarnation, node: name, from: name })
      else if (state === nodeStates.dead && believed)
        this.dead({ type: 'dead', incarnation, node: name, from: this.name })
      else if (stateNames[state] !== undefined)
        this.suspect({ type: 'suspect', incarnation, node: name, from: this.name })
    }
    if (userState.length > 0) this.options.delegate.mergeRemoteState?.(userState, join)
    return true
  }

  #unknown(nodes: readonly NodeEntry[]): number {
    let count = 0
    for (const { name } of nodes) if (!this.members.get(name)) count++
    return count
  }

  // ---- passing on

  /** From now on news is passed on `factor` (1 or more) times as often as memberlist would. */
  spread(factor: number): void {
    if (!this.#leaving) this.#spread = factor
  }

  /** Sends a message, and with it what waits to be passed on. */
  send(to: NodeAddress, message: PacketMessage): void {
    const bytes = encodeMessage(message)
    this.options.outlet.packet(to, [bytes, ...this.#take(to, bytes.length)], false)
  }

  /** Sends encoded messages and nothing else. `record`: who is meant, where we have it at hand. */
  sendBare(to: NodeAddress, parts: readonly Uint8Array[], record?: MemberRecord): void {
    this.options.outlet.packet(to, parts, record !== undefined && (record.vsn[1] ?? 0) >= 5)
  }

  #take(to: NodeAddress, carrier?: number): readonly Uint8Array[] {
    if (this.broadcasts.size === 0) return []
    const room = this.options.outlet.room(carrier)
    const limit = Math.ceil(this.#spread * this.#transmitLimit())
    const share = Math.max(1, Math.ceil(limit / Math.max(1, this.members.living - 1)))
    return this.broadcasts.take(room, PART_OVERHEAD, limit, `${to.addr.join('.')} ${to.port}`, share)
  }

  #transmitLimit(): number {
    return transmitLimit(this.options.settings.retransmitMult, this.members.size)
  }

  /** Tells a few members what waits to be passed on. */
  gossip(): void {
    const { settings, random } = this.options
    const now = this.#now()
    const suits = (record: MemberRecord): boolean => {
      if (record.name === this.name || record.liveness === 'left') return false
      return record.liveness !== 'dead' || now - record.since <= settings.gossipToTheDeadMs
    }
    if (this.broadcasts.size === 0) return
    // In turns: left to chance, a few messages to a few members miss one of them in every hundredth case.
    for (const record of this.members.inTurn(settings.gossipNodes, random, suits)) {
      const parts = this.#take(record)
      if (parts.length > 0) this.sendBare(record, parts, record)
    }
  }

  /** Forgets who has been gone for long enough. */
  reap(): void {
    const oldest = this.#now() - this.options.settings.gossipToTheDeadMs
    this.members.reap(record => record.name !== this.name && !living(record) && record.since < oldest)
  }

  #tellAlive({ name: node, addr, port, meta, incarnation, vsn }: MemberRecord, widely = false): void {
    const bytes = encodeMessage({ type: 'alive', incarnation, node, addr, port, meta, vsn })
    const sent = widely ? Math.floor(widelySent * this.#transmitLimit()) : 0
    this.broadcasts.queue(node, bytes, undefined, sent)
  }

  #become(record: MemberRecord): void {
    this.members.set(record, this.options.random)
    this.#hooks.changed(record.name)
  }

  #cancelSuspicion(name: string): void {
    this.#suspicions.get(name)?.cancel()
    this.#suspicions.delete(name)
  }

  #emit(type: SwimEvent['type'], member: MemberRecord): void {
    this.options.emit({ type, member })
  }

  #now(): number {
    return this.options.clock.now()
  }

  /** The member at an address; undefined for strangers. */
  memberAt(address: string, port: number): MemberRecord | undefined {
    return this.members.atAddress(address, port)
  }
}
