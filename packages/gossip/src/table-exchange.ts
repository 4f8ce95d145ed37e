import type { Clock } from '@carillon/core'
import type { Dialer } from './dialer.ts'
import { living, type MemberRecord } from './member-record.ts'
import { endpointOf, type NodeAddress } from './node-address.ts'
import type { Swim } from './swim.ts'
import type { Tally } from './tally.ts'
import type { PushPull } from './wire/index.ts'

interface TableExchangeOptions {
  readonly swim: Swim
  readonly dialer: Pick<Dialer, 'exchange'>
  readonly tally: Tally
  readonly clock: Clock
  /** An exchange that we began brought new members. */
  readonly met: () => void
}

/** From a comparison with much news to the next, on average, in milliseconds; twice as long where it was little. */
const lookAgainMs = 500

/** Members asked, one after the other, until one of them tells us what we have missed, and milliseconds for each. */
const askedAtMost = 4
const patienceMs = 500

/** Members that meet one that is back, on average. */
const welcomes = 4

/** One new member in so many is little news. */
const fewAmong = 50

/** Compares our table with that of others: with those that we join, with anyone every so often, and soon again while there is news. */
export class TableExchange {
  readonly #options: TableExchangeOptions
  /** Members that we knew after the last comparison. */
  #known = 1
  #cancelNext: (() => void) | undefined
  #cancelAgain: (() => void) | undefined
  /** Those who are about to be met, and how to leave it. */
  readonly #toMeet = new Map<string, () => void>()
  #stopped = false

  constructor(options: TableExchangeOptions) {
    this.#options = options
  }

  start(): void {
    this.#later(true)
  }

  stop(): void {
    this.#stopped = true
    this.#cancelNext?.()
    this.#cancelAgain?.()
    for (const cancel of this.#toMeet.values()) cancel()
  }

  /** Exchanges tables with a member, or with whoever is at that address; false when it did not answer. */
  meet(at: NodeAddress, join: boolean): Promise<boolean> {
    return this.#compare(at, join, this.#options.swim.options.settings.tcpTimeoutMs)
  }

  /** Compares tables with one who answers, and believes it: what was told while we heard nobody is told no more. */
  async catchUp(): Promise<void> {
    const { members, options } = this.#options.swim
    for (const peer of members.sample(askedAtMost, options.random, record => this.#suits(record)))
      if (this.#stopped || (await this.#compare(peer, false, patienceMs, true))) return
  }

  /**
   * Meets one that is back, unless there are many others to do so. It may have lost us and others meanwhile, who have objected, perhaps
   * before it was among those who are told.
   */
  welcome(member: MemberRecord): void {
    const { swim, clock } = this.#options
    const { random, settings } = swim.options
    if (random() * swim.members.size > welcomes || this.#toMeet.has(member.name)) return
    const cancel = clock.after(settings.gossipIntervalMs * (1 + random()), () => {
      this.#toMeet.delete(member.name)
      const now = swim.members.get(member.name)
      if (now && living(now) && !swim.leaving) void this.meet(now, false)
    })
    this.#toMeet.set(member.name, cancel)
  }

  async #compare(at: NodeAddress, join: boolean, timeoutMs: number, believed = false): Promise<boolean> {
    const { swim, met } = this.#options
    const answer = await this.fetch(at, join, timeoutMs)
    if (!answer) return false
    if (this.merge(answer, at, believed) > 0 && swim.options.settings.watch) met()
    return true
  }

  /** Gives our table, and gets that of the other, which is not taken in yet; undefined when it did not answer in time. */
  async fetch(at: NodeAddress, join: boolean, timeoutMs: number): Promise<PushPull | undefined> {
    const { swim, dialer } = this.#options
    const answer = await dialer.exchange(at, swim.table(join), timeoutMs)
    return this.#stopped ? undefined : answer
  }

  /** Takes in a table that came from there; gives how many members are new. `believed`: see `Swim.merge`. */
  merge(table: PushPull, from: NodeAddress, believed = false): number {
    const { swim, tally } = this.#options
    const { size: before } = swim.members
    if (!swim.merge(table, believed)) tally.dropped('incompatibleVersions', endpointOf(from))
    const { size } = swim.members
    // Many may be joining at once, and gossip would take seconds to tell of them all; and of the last of them nobody may tell.
    const news = size - this.#known
    this.#known = size
    if (news > 0 && swim.options.settings.watch) this.#lookAgain(news >= size / fewAmong)
    return size - before
  }

  #later(first: boolean): void {
    const { swim, clock } = this.#options
    const { pushPullIntervalMs } = swim.options.settings
    if (pushPullIntervalMs <= 0) return
    const n = swim.members.size
    const interval = n <= 32 ? pushPullIntervalMs : pushPullIntervalMs * (Math.ceil(Math.log2(n) - 5) + 1)
    const delay = first ? swim.options.random() * interval : 0
    this.#cancelNext = clock.after(delay + interval, () => {
      this.#later(false)
      this.#meetAnyone()
    })
  }

  #meetAnyone(): void {
    const { members, options } = this.#options.swim
    const [peer] = members.sample(1, options.random, record => this.#suits(record))
    if (peer) void this.meet(peer, false)
  }

  #suits({ liveness, name }: MemberRecord): boolean {
    return liveness === 'alive' && name !== this.#options.swim.name
  }

  /** Soon compares tables once more, or after a while where there was little news. */
  #lookAgain(soon: boolean): void {
    const { swim, clock } = this.#options
    if (this.#cancelAgain && !soon) return
    this.#cancelAgain?.()
    const delay = lookAgainMs * (soon ? 1 : 2) * (0.5 + swim.options.random())
    this.#cancelAgain = clock.after(delay, () => {
      this.#cancelAgain = undefined
      this.#meetAnyone()
    })
  }
}
