import { type Clock, formatEndpoint } from '@carillon/core'
import type { Dialer } from './dialer.ts'
import type { MemberRecord } from './member-record.ts'
import { endpointOf, type NodeAddress } from './node-address.ts'
import type { Swim } from './swim.ts'
import type { Tally } from './tally.ts'
import type { PushPull } from './wire/index.ts'

interface TableExchangeOptions {
  readonly swim: Swim
  readonly dialer: Dialer
  readonly tally: Tally
  readonly clock: Clock
  /** An exchange that we began brought new members. */
  readonly met: () => void
}

/** From a meeting that brought new members to the next, on average, in milliseconds. */
const lookAgainMs = 1000

/** Compares our table with that of others: with those that we join, with anyone every so often, and soon again while that brings news. */
export class TableExchange {
  readonly #options: TableExchangeOptions
  #cancelNext: (() => void) | undefined
  #cancelAgain: (() => void) | undefined
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
  }

  /** Exchanges tables with a member, or with whoever is at that address; false when it did not answer. */
  async meet(at: NodeAddress, join: boolean): Promise<boolean> {
    const { swim, met } = this.#options
    const answer = await this.fetch(at, join, swim.options.settings.tcpTimeoutMs)
    if (!answer) return false
    const known = swim.members.size
    this.merge(answer, at)
    // Gossip alone misses one now and then, who would then not know of us until the next exchange of tables.
    if (swim.members.size > known && swim.options.settings.watch) {
      met()
      this.#lookAgain()
    }
    return true
  }

  /** Gives our table, and gets that of the other, which is not taken in yet; undefined when it did not answer in time. */
  async fetch(at: NodeAddress, join: boolean, timeoutMs: number): Promise<PushPull | undefined> {
    const { swim, dialer } = this.#options
    const answer = await dialer.exchange(at, swim.table(join), timeoutMs)
    return this.#stopped ? undefined : answer
  }

  /** Takes in a table that came from there. */
  merge(table: PushPull, from: NodeAddress): void {
    const { swim, tally } = this.#options
    if (!swim.merge(table)) tally.dropped('incompatibleVersions', formatEndpoint(endpointOf(from)))
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
    const { swim } = this.#options
    const suits = ({ liveness, name }: MemberRecord): boolean => liveness === 'alive' && name !== swim.name
    const [peer] = swim.members.sample(1, swim.options.random, suits)
    if (peer) void this.meet(peer, false)
  }

  /** Soon compares tables once more, for as long as that brings members that we had not met: many may be joining at once. */
  #lookAgain(): void {
    const { swim, clock } = this.#options
    this.#cancelAgain?.()
    const delay = lookAgainMs * (0.5 + swim.options.random())
    this.#cancelAgain = clock.after(delay, () => this.#meetAnyone())
  }
}
