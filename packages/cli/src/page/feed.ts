import type { Clock, Plan, Speaker } from '@carillon/core'
import type {
  AddressRow,
  Attention,
  ExplanationAnswer,
  Parts,
  PartsEvent,
  SuccessionAnswer,
} from '@carillon/web'
import { attention, type SourceTrouble } from './attention.ts'
import { Chronicle } from './chronicle.ts'
import { EventLog, eventText } from './event-log.ts'
import { explanation, successions } from './explanation.ts'
import { nodeRows, sessionRows } from './node-rows.ts'
import type { Hearing } from './own-report.ts'
import type { Reports } from './reports.ts'
import { RowBook } from './row-book.ts'
import { Subscription } from './subscription.ts'
import type { Timeline } from './timeline.ts'

export interface FeedOptions {
  readonly speaker: Speaker
  readonly reports: Reports
  /** The gossip of this node, where it takes part in one. */
  readonly hearing?: Hearing
  /** What happened so far, and what happens from now on. */
  readonly timeline: Timeline
  /** What cannot be read of the cluster's objects now. */
  readonly trouble?: () => SourceTrouble | undefined
  readonly clock: Clock
  /** Tells the events of this process from those of another one. */
  readonly epoch: string
  /**
   * Readers at most.
   * @default 32
   */
  readonly readers?: number
}

/** How often it is looked for changes, in milliseconds: a burst of them is one event. */
const tickMs = 250
/** From one look at the parts to the next, where nothing tells that they are different. */
const partsMs = 1000
const beatMs = 5000
/** Others are asked this often at least, in milliseconds, and as much less often as there are more of them. */
const askMs = 2000
const askForEachMs = 50
/** Without readers for this long, everything is forgotten. */
const lingerMs = 30_000
/** Looking for changes may take this share of the time at most. */
const share = 0.1
/** Addresses that go into one event. */
const rowsAtOnce = 1000

/**
 * What the page is told: the whole cluster, then whatever changes. Works only while somebody reads; then it looks a few times a second at
 * the newest plan, whatever happened in between, and asks the other speakers how they are.
 */
export class Feed implements Disposable {
  /** What happens to this speaker alone, event by event. */
  readonly chronicle: Chronicle
  readonly #options: FeedOptions
  readonly #log: EventLog
  readonly #book = new RowBook()
  readonly #subscriptions = new Set<Subscription>()
  readonly #told = new Map<keyof Parts, string>()
  #parts: Parts | undefined
  #plans = 0
  #shown: Plan | undefined
  #stirred = true
  #cancel: (() => void) | undefined
  #next = { tick: 0, parts: 0, beat: 0, ask: 0, sleep: 0 }
  #closed = false

  constructor(options: FeedOptions) {
    this.#options = options
    this.#log = new EventLog(options.epoch)
    this.chronicle = new Chronicle(options)
    const { events } = options.speaker
    events.on('speaker:event', this.#stir)
    events.on('plan:changed', this.#planned)
    events.on('configuration:checked', this.#stir)
  }

  readonly #planned = (): void => {
    this.#plans++
    this.#stirred = true
  }

  readonly #stir = (): void => {
    this.#stirred = true
  }

  /** How many read. */
  get readers(): number {
    return this.#subscriptions.size
  }

  /**
   * Another reader; undefined where there are too many. `news` is called when there is something to take.
   *
   * @param last the event that the reader had last, by its id: it gets what followed, or everything where that is not known
   */
  subscribe(last: string | undefined, news: () => void): Subscription | undefined {
    const { readers = 32 } = this.#options
    if (this.#closed || this.#subscriptions.size >= readers) return undefined
    this.#wake()
    const since = last === undefined ? undefined : this.#log.sequenceOf(last)
    const beginning = since === undefined ? [...this.#whole()] : []
    const subscription = new Subscription(this.#log, beginning, since ?? this.#log.sequence, news)
    this.#subscriptions.add(subscription)
    return subscription
  }

  unsubscribe(subscription: Subscription): void {
    this.#subscriptions.delete(subscription)
    this.#next.sleep = this.#options.clock.now() + lingerMs
  }

  /** Who follows for these addresses. */
  successions(addresses: readonly string[]): SuccessionAnswer {
    const { plan } = this.#options.speaker
    return { plan: this.#plans, succession: plan ? successions(plan, addresses) : {} }
  }

  /** Everything about one address; undefined where nobody has it. */
  explanation(address: string): ExplanationAnswer | undefined {
    const { plan } = this.#options.speaker
    if (!plan) return undefined
    if (!this.#cancel) this.#show()
    const row = this.#book.row(address)
    return row && explanation(plan, address, row)
  }

  // ---- what it looks at

  /** Takes in the newest plan; gives what is different. */
  #show(): { readonly rows: readonly AddressRow[]; readonly gone: readonly string[] } {
    const { speaker } = this.#options
    const { plan } = speaker
    if (!plan || plan === this.#shown) return { rows: [], gone: [] }
    this.#shown = plan
    return this.#book.show(plan, service => speaker.ownedSince(service), speaker.startedAt)
  }

  #look(): Parts {
    const { speaker, hearing, reports, timeline, trouble, clock } = this.#options
    const { node, version, startedAt, configuration, members, pools, problems, events } = speaker.overview()
    const standing = hearing?.standing() ?? 'confirmed'
    const { owned, totals, unserved } = this.#book
    const nodes = nodeRows({ plan: speaker.plan, members, owned, reportOf: name => reports.of(name) })
    const sessions = sessionRows(nodes)
    const found: readonly Attention[] = attention({
      now: clock.date(),
      problems,
      source: trouble?.(),
      unserved,
      nodes,
      sessions,
      pools,
      events,
    })
    return {
      seen: { node, version, startedAt, configuration, standing, plan: this.#plans },
      totals,
      nodes,
      sessions,
      pools,
      attention: found,
      timeline: timeline.list(),
    }
  }

  // ---- what it tells

  #wake(): void {
    if (this.#cancel) return
    const now = this.#options.clock.now()
    this.#next = { tick: now, parts: now + partsMs, beat: now + beatMs, ask: 0, sleep: now + lingerMs }
    this.#ask(now)
    this.#show()
    this.#parts = this.#look()
    this.#remember(this.#parts)
    this.#stirred = false
    this.#arm()
  }

  #sleep(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#log.clear()
    this.#book.clear()
    this.#options.reports.clear()
    this.#shown = undefined
    this.#parts = undefined
    this.#told.clear()
  }

  #arm(): void {
    this.#cancel = this.#options.clock.after(tickMs, () => {
      this.#tick()
      if (this.#cancel) this.#arm()
    })
  }

  #tick(): void {
    const { clock } = this.#options
    const now = clock.now()
    if (this.#subscriptions.size === 0) {
      if (now >= this.#next.sleep) this.#sleep()
      return
    }
    const before = this.#log.sequence
    if (now >= this.#next.ask) this.#ask(now)
    if (now >= this.#next.tick && (this.#stirred || now >= this.#next.parts)) {
      this.#stirred = false
      this.#tellRows()
      this.#tellParts()
      const tookMs = clock.now() - now
      this.#next.tick = now + tookMs / share
      this.#next.parts = now + partsMs
    }
    if (now >= this.#next.beat) {
      this.#log.append('beat', { now: clock.date().toISOString() })
      this.#next.beat = now + beatMs
    }
    if (this.#log.sequence !== before) for (const one of this.#subscriptions) one.wake()
  }

  #ask(now: number): void {
    this.#options.reports.ask()
    const nodes = this.#parts?.nodes.length ?? 0
    this.#next.ask = now + Math.max(askMs, nodes * askForEachMs)
  }

  #tellRows(): void {
    const { rows, gone } = this.#show()
    for (let at = 0; at < rows.length; at += rowsAtOnce)
      this.#log.append('rows', { rows: rows.slice(at, at + rowsAtOnce), gone: [] })
    if (gone.length > 0) this.#log.append('rows', { rows: [], gone })
  }

  #tellParts(): void {
    const parts = this.#look()
    this.#parts = parts
    const changed = this.#remember(parts)
    if (Object.keys(changed).length > 0) this.#log.append('parts', changed)
  }

  /** Notes what was told of each part; gives those that are different. */
  #remember(parts: Parts): PartsEvent {
    const changed = (Object.entries(parts) as [keyof Parts, unknown][]).filter(([name, part]) => {
      const text = JSON.stringify(part)
      if (this.#told.get(name) === text) return false
      this.#told.set(name, text)
      return true
    })
    return Object.fromEntries(changed)
  }

  /** Everything, as events. Only the last has an id: who loses the connection before it begins anew. */
  *#whole(): Iterable<string> {
    const now = this.#options.clock.date().toISOString()
    yield `retry: 1000\n${eventText('parts', this.#parts, '')}`
    const rows = this.#book.rows()
    yield eventText(
      'rows',
      { reset: true, total: rows.length, rows: rows.slice(0, rowsAtOnce), gone: [] },
      '',
    )
    for (let at = rowsAtOnce; at < rows.length; at += rowsAtOnce)
      yield eventText('rows', { rows: rows.slice(at, at + rowsAtOnce), gone: [] }, '')
    yield eventText('beat', { now }, this.#log.idOf(this.#log.sequence))
  }

  [Symbol.dispose](): void {
    this.#closed = true
    this.chronicle[Symbol.dispose]()
    this.#cancel?.()
    this.#cancel = undefined
    const { events } = this.#options.speaker
    events.off('speaker:event', this.#stir)
    events.off('plan:changed', this.#planned)
    events.off('configuration:checked', this.#stir)
  }
}
