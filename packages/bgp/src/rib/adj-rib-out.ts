import { afis, encodeMessage, endOfRib, type Message, type RouteFamily, safis } from '../wire/index.ts'
import { type Batch, Entry } from './batch.ts'
import { Batches, limitOf } from './batches.ts'
import { type Marker, Markers } from './markers.ts'
import { pack } from './pack.ts'
import type { PathAttributes } from './path-attributes.ts'
import { readPrefix } from './prefix-text.ts'
import type { RibTerms } from './terms.ts'

/** How many prefixes stand where. */
export interface RibCounts {
  /** To be announced. */
  readonly desired: number
  /** Held by the peer, as far as we have told it. */
  readonly announced: number
  /** Whose newest state is still to be told: announced, changed or withdrawn. Without a session, all. */
  readonly pending: number
  /** Which this session cannot carry: its family is not agreed on or has no next hop, or the attributes fill a message. */
  readonly failed: number
}

/** How one prefix stands. */
export type RouteState = 'announced' | 'pending' | 'failed'

/** What a session has given out so far. */
export interface RibSent {
  readonly updates: number
  /** Prefixes, each as often as it was announced. */
  readonly announced: number
  readonly withdrawn: number
}

interface Side {
  readonly family: RouteFamily
  readonly batches: Batches
  readonly markers: Markers
  /** Prefixes that wait. */
  waiting: number
}

/** Octets of one piece of output, unless a single message is longer. */
const PIECE = 32 * 1024

/** Sets of attributes that are remembered before those that no route uses are sought. */
const FORGET_FROM = 1024

const families: readonly RouteFamily[] = ['ipv4', 'ipv6']

/**
 * What one peer is to be told, and what it has been told (the Adj-RIB-Out of RFC 4271 section 3.2). The routes are declared as a
 * whole, or one by one; the difference to what the peer holds is given out as UPDATEs when the socket has room. A prefix that
 * changes several times before that is sent once, in its newest state.
 *
 * A route is immutable, and the same object means the same route. To declare again what hardly differs costs little more than to
 * compare two arrays of pointers.
 */
export class AdjRibOut<Route extends { readonly prefix: string }> {
  readonly #attributesOf: (route: Route) => PathAttributes
  readonly #entries = new Map<string, Entry>()
  /** Batches of announcements that are not empty, in the order in which they were begun. */
  readonly #ready = new Set<Batch>()
  /** What the entries stand for; undefined when single routes were changed since, or a prefix is in it twice. */
  #declared: Route[] | undefined
  #mark = 0
  #terms: RibTerms | undefined
  #sides: Partial<Record<RouteFamily, Side>> = {}
  /** The same, to go through. */
  #open: readonly Side[] = []
  #scratch = new Uint8Array(0)
  #desired = 0
  #announced = 0
  #failed = 0
  #forgetFrom = FORGET_FROM
  #sent = { updates: 0, announced: 0, withdrawn: 0 }

  /** `attributesOf` should give the same object for the same attributes (`PathAttributesPool`). */
  constructor(attributesOf: (route: Route) => PathAttributes) {
    this.#attributesOf = attributesOf
  }

  get counts(): RibCounts {
    const pending = this.#terms === undefined ? this.#desired : this.#waiting
    return { desired: this.#desired, announced: this.#announced, pending, failed: this.#failed }
  }

  /** Of the session that is open, or was last. */
  get sent(): RibSent {
    return { ...this.#sent }
  }

  /** Whether there is nothing to give out. */
  get idle(): boolean {
    return this.#waiting === 0 && !this.#open.some(side => side.markers.due)
  }

  /** How a prefix stands, in any spelling; undefined when it is not to be announced. Throws `BAD_ROUTE`. */
  stateOf(prefix: string): RouteState | undefined {
    const entry = this.#entries.get(prefix) ?? this.#entries.get(readPrefix(prefix).text)
    if (entry?.wanted === undefined) return undefined
    if (entry.failed) return 'failed'
    return entry.batch === undefined && entry.sent !== undefined ? 'announced' : 'pending'
  }

  /**
   * Makes exactly these the routes; of two with one prefix the later one counts. Throws `BAD_ROUTE` for a prefix or attributes that
   * cannot be, and changes nothing then.
   */
  declare(routes: readonly Route[]): void {
    const before = this.#declared
    if (before === undefined || !this.#replace(before, routes)) this.#declareAll(routes)
  }

  /** Adds a route, or changes that of its prefix. Throws `BAD_ROUTE`. */
  announce(route: Route): void {
    const attributes = this.#attributesOf(route)
    const entry = this.#entryOf(route.prefix)
    this.#declared = undefined
    this.#want(entry, attributes)
    this.#tidy()
  }

  /** Takes the route of a prefix away, if there is one. Throws `BAD_ROUTE`. */
  withdraw(prefix: string): void {
    const entry = this.#entries.get(prefix) ?? this.#entries.get(readPrefix(prefix).text)
    if (entry === undefined) return
    this.#declared = undefined
    this.#want(entry, undefined)
  }

  /** Takes all routes away. */
  withdrawAll(): void {
    this.declare([])
  }

  /** A session begins: the peer holds nothing yet. All routes are sent, then the End-of-RIB marker of each family. */
  open(terms: RibTerms): void {
    this.close()
    this.#terms = terms
    this.#sent = { updates: 0, announced: 0, withdrawn: 0 }
    this.#forgetFrom = FORGET_FROM
    for (const family of families)
      if (terms.nextHops[family] !== undefined)
        this.#sides[family] = {
          family,
          batches: new Batches(family, terms),
          markers: new Markers(),
          waiting: 0,
        }
    this.#open = families.flatMap(family => this.#sides[family] ?? [])
    for (const entry of this.#entries.values()) this.#settle(entry)
  }

  /** The next hops are others. Families cannot come or go within a session. */
  renew(nextHops: RibTerms['nextHops']): void {
    if (this.#terms === undefined) return
    this.#terms = { ...this.#terms, nextHops }
    for (const side of this.#open) side.batches.renew(this.#terms)
    for (const entry of this.#entries.values()) this.#settle(entry)
    this.#tidy()
  }

  /** The session is over: the peer holds nothing any more, or will be told everything anew. */
  close(): void {
    this.#terms = undefined
    this.#sides = {}
    this.#open = []
    this.#ready.clear()
    this.#scratch = new Uint8Array(0)
    for (const entry of this.#entries.values()) {
      entry.batch?.remove(entry)
      this.#setSent(entry, undefined)
      this.#setFailed(entry, false)
      entry.stale = false
      this.#dropUnused(entry)
    }
  }

  /** The peer asks for all routes of a family (RFC 2918). Where both sides can, beginning and end are marked (RFC 7313). */
  refresh(family: RouteFamily): void {
    const side = this.#sides[family]
    if (side === undefined || !side.markers.refresh(this.#terms?.enhancedRefresh === true)) return
    for (const entry of this.#entries.values())
      if (entry.prefix.family === family && entry.sent !== undefined) {
        entry.stale = true
        this.#settle(entry)
      }
  }

  /**
   * The next piece of what the peer is to be told, which counts as told then: whole messages, of about `maxBytes` octets at most, at
   * least one; undefined when there is nothing to say, or no session.
   */
  next(maxBytes: number = PIECE): Uint8Array | undefined {
    if (this.#terms === undefined) return undefined
    const limit = limitOf(this.#terms)
    const size = Math.max(maxBytes, limit)
    if (this.#scratch.length < size) this.#scratch = new Uint8Array(size)
    let at = 0
    while (at === 0 || at + limit <= maxBytes) {
      const end = this.#message(at, limit, this.#terms)
      if (end === at) break
      at = end
    }
    return at === 0 ? undefined : this.#scratch.slice(0, at)
  }

  get #waiting(): number {
    return this.#open.reduce((sum, side) => sum + side.waiting, 0)
  }

  /** Writes the next message, and gives where it ends: at its beginning when there is none. */
  #message(at: number, limit: number, terms: RibTerms): number {
    for (const side of this.#open) {
      const marker = side.markers.take(side.waiting > 0)
      if (marker === undefined) continue
      if (side.markers.takePutOff()) this.refresh(side.family)
      const bytes = encodeMessage(markerMessage(side.family, marker), terms.dialect)
      this.#scratch.set(bytes, at)
      if (marker === 'endOfRib') this.#sent.updates++
      return at + bytes.length
    }
    const withdrawals = this.#open.find(side => side.batches.withdrawals.first !== undefined)?.batches
      .withdrawals
    const [announcements] = this.#ready
    const batch = withdrawals ?? announcements
    if (batch === undefined) return at
    this.#sent.updates++
    return pack(batch, this.#scratch, at, limit, this.#told)
  }

  /** An entry is in a message: the peer holds what it says. */
  readonly #told = (entry: Entry): void => {
    const { batch } = entry
    this.#unqueue(entry)
    const withdrawn = batch === this.#sides[entry.prefix.family]?.batches.withdrawals
    this.#setSent(entry, withdrawn ? undefined : batch)
    entry.stale = false
    if (!withdrawn) this.#sent.announced++
    else {
      this.#sent.withdrawn++
      this.#dropUnused(entry)
    }
  }

  /** Makes the routes those of `after`, where they are `before`, as far as the two differ. False where one prefix comes twice. */
  #replace(before: Route[], after: readonly Route[]): boolean {
    const common = Math.min(before.length, after.length)
    let head = 0
    while (head < common && before[head] === after[head]) head++
    const shift = after.length - before.length
    let end = before.length
    while (end > head && end + shift > head && before[end - 1] === after[end + shift - 1]) end--
    const { entries, attributes } = this.#resolve(after, head, end + shift)
    const [old, fresh] = [++this.#mark, ++this.#mark]
    const gone = before.slice(head, end).map(route => this.#entryOf(route.prefix))
    for (const entry of gone) entry.mark = old
    for (const entry of entries) {
      const elsewhere = entry.wanted !== undefined && entry.mark !== old
      if (entry.mark === fresh || elsewhere) return false
      entry.mark = fresh
    }
    for (const entry of gone) if (entry.mark === old) this.#want(entry, undefined)
    for (let i = 0; i < entries.length; i++) this.#want(entries[i] as Entry, attributes[i])
    if (shift !== 0) this.#declared = after.slice()
    else for (let i = head; i < end; i++) before[i] = after[i] as Route
    this.#tidy()
    return true
  }

  #declareAll(routes: readonly Route[]): void {
    const { entries, attributes } = this.#resolve(routes, 0, routes.length)
    const mark = ++this.#mark
    let named = 0
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i] as Entry
      if (entry.mark !== mark) named++
      entry.mark = mark
      this.#want(entry, attributes[i])
    }
    if (named < this.#entries.size)
      for (const entry of this.#entries.values()) if (entry.mark !== mark) this.#want(entry, undefined)
    this.#declared = named < routes.length ? undefined : routes.slice()
    this.#tidy()
  }

  /** Reads the routes of a range, all of them or, when it throws, none. */
  #resolve(
    routes: readonly Route[],
    from: number,
    to: number,
  ): { readonly entries: readonly Entry[]; readonly attributes: readonly PathAttributes[] } {
    const entries: Entry[] = []
    const attributes: PathAttributes[] = []
    try {
      for (let i = from; i < to; i++) {
        const route = routes[i] as Route
        attributes.push(this.#attributesOf(route))
        entries.push(this.#entryOf(route.prefix))
      }
    } catch (error) {
      for (const entry of entries) this.#dropUnused(entry)
      throw error
    }
    return { entries, attributes }
  }

  #entryOf(text: string): Entry {
    const known = this.#entries.get(text)
    if (known !== undefined) return known
    const prefix = readPrefix(text)
    const other = prefix.text === text ? undefined : this.#entries.get(prefix.text)
    if (other !== undefined) return other
    const entry = new Entry(prefix)
    this.#entries.set(prefix.text, entry)
    return entry
  }

  #dropUnused(entry: Entry): void {
    if (entry.wanted === undefined && entry.sent === undefined) this.#entries.delete(entry.prefix.text)
  }

  #want(entry: Entry, attributes: PathAttributes | undefined): void {
    if (attributes === entry.wanted) return
    if (entry.wanted === undefined) this.#desired++
    else if (attributes === undefined) this.#desired--
    entry.wanted = attributes
    this.#settle(entry)
  }

  /** Puts an entry where it has to wait, or takes it away where the peer holds the right thing. */
  #settle(entry: Entry): void {
    const { wanted } = entry
    const side = this.#sides[entry.prefix.family]
    const batch = wanted === undefined ? undefined : side?.batches.of(wanted)
    this.#setFailed(entry, this.#terms !== undefined && wanted !== undefined && batch === undefined)
    if (side === undefined || (batch === entry.sent && !entry.stale)) this.#unqueue(entry)
    else this.#queue(entry, batch ?? side.batches.withdrawals, side)
    this.#dropUnused(entry)
  }

  #queue(entry: Entry, batch: Batch, side: Side): void {
    if (entry.batch === batch) return
    this.#unqueue(entry)
    batch.push(entry)
    side.waiting++
    if (batch !== side.batches.withdrawals) this.#ready.add(batch)
  }

  #unqueue(entry: Entry): void {
    const { batch } = entry
    const side = this.#sides[entry.prefix.family]
    if (batch === undefined || side === undefined) return
    batch.remove(entry)
    side.waiting--
    if (batch.first === undefined) this.#ready.delete(batch)
  }

  #setSent(entry: Entry, batch: Batch | undefined): void {
    if (entry.sent === undefined && batch !== undefined) this.#announced++
    else if (entry.sent !== undefined && batch === undefined) this.#announced--
    entry.sent = batch
  }

  #setFailed(entry: Entry, failed: boolean): void {
    if (entry.failed === failed) return
    this.#failed += failed ? 1 : -1
    entry.failed = failed
  }

  /** Forgets attributes that no route uses any more, once there may be many. */
  #tidy(): void {
    for (const { batches } of this.#open) {
      if (batches.size <= this.#forgetFrom) continue
      const used = new Set<Batch>()
      for (const { batch, sent } of this.#entries.values()) {
        if (batch !== undefined) used.add(batch)
        if (sent !== undefined) used.add(sent)
      }
      batches.keep(used)
      this.#forgetFrom = Math.max(FORGET_FROM, 2 * batches.size)
    }
  }
}

function markerMessage(family: RouteFamily, marker: Marker): Message {
  if (marker === 'endOfRib') return endOfRib(family)
  return { type: 'routeRefresh', afi: afis[family], safi: safis.unicast, subtype: marker }
}
