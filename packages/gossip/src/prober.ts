import type { Endpoint } from '@carillon/core'
import { living, type MemberRecord } from './member-record.ts'
import { addressOf, type NodeAddress } from './node-address.ts'
import type { Swim } from './swim.ts'
import { type Ack, encodeMessage, type IndirectPing, NO_BYTES, type Ping } from './wire/index.ts'

/** A ping whose ack is waited for. */
interface Waiting {
  readonly acked: () => void
  readonly nacked: () => void
  readonly cancel: () => void
}

/** The same, where nobody wants to know that the ack did not come. */
interface Hoped {
  readonly acked: () => void
  readonly until: number
}

/** A probe under way. */
interface Round {
  readonly target: MemberRecord
  /** Milliseconds for all of it. */
  readonly lifetime: number
  asked: number
  nacks: number
  streamAnswered: boolean
}

/**
 * memberlist's failure detector: one member a probe interval, in turn; asked directly, then through others and by TCP, and suspected when
 * nobody had an answer. Also answers and relays the pings of others.
 */
export class Prober {
  readonly #swim: Swim
  readonly #waiting = new Map<number, Waiting>()
  readonly #hoped = new Map<number, Hoped>()
  /** When each member last asked us. */
  readonly #asked = new Map<string, number>()
  #index = 0
  #start = 0
  #ticks = 0
  #busy = false
  #missed = false
  #cancel: (() => void) | undefined

  constructor(swim: Swim) {
    this.#swim = swim
  }

  start(): void {
    this.#start = this.#clock.now()
    this.#arm()
  }

  stop(): void {
    this.#cancel?.()
    for (const { cancel } of this.#waiting.values()) cancel()
    this.#waiting.clear()
    this.#hoped.clear()
  }

  get #clock() {
    return this.#swim.options.clock
  }

  // Ticks fall at start + k intervals however late a timer is.
  #arm(): void {
    const { probeIntervalMs } = this.#swim.options.settings
    const now = this.#clock.now()
    this.#ticks = Math.max(this.#ticks + 1, Math.floor((now - this.#start) / probeIntervalMs) + 1)
    this.#cancel = this.#clock.after(this.#start + this.#ticks * probeIntervalMs - now, () => {
      this.#arm()
      if (this.#busy) this.#missed = true
      else this.#probeNext()
    })
  }

  #probeNext(): void {
    const { members, name } = this.#swim
    for (let looked = 0; looked < members.size; looked++) {
      if (this.#index >= members.size) {
        this.#swim.reap()
        members.shuffle(this.#swim.options.random)
        this.#index = 0
        continue
      }
      const record = members.at(this.#index++)
      if (!record || record.name === name || !living(record)) continue
      this.#probe(record)
      return
    }
  }

  /** A ping from us. */
  ping(node: string, seqNo: number): Ping {
    const { addr, port } = this.#swim.options.address
    return { type: 'ping', seqNo, node, sourceAddr: addr, sourcePort: port, sourceNode: this.#swim.name }
  }

  /** Hopes for an ack to a ping that is about to be sent; gives its number. */
  hope(lifetimeMs: number, acked: () => void): number {
    const now = this.#clock.now()
    // They are many, so none has a timer. The oldest come first.
    for (const [seqNo, { until }] of this.#hoped) {
      if (until >= now) break
      this.#hoped.delete(seqNo)
    }
    const seqNo = this.#swim.nextSequence()
    this.#hoped.set(seqNo, { acked, until: now + lifetimeMs })
    return seqNo
  }

  /** Waits for the ack to a ping that is about to be sent; gives its number. */
  #expect(lifetimeMs: number, acked: () => void, nacked: () => void, expired: () => void): number {
    const seqNo = this.#swim.nextSequence()
    const cancel = this.#clock.after(lifetimeMs, () => {
      this.#waiting.delete(seqNo)
      expired()
    })
    this.#waiting.set(seqNo, { acked, nacked, cancel })
    return seqNo
  }

  #probe(target: MemberRecord): void {
    const { settings } = this.#swim.options
    this.#busy = true
    const lifetime = settings.probeIntervalMs * (this.#swim.awareness.score + 1)
    const round: Round = { target, lifetime, asked: 0, nacks: 0, streamAnswered: false }
    let answered = false
    const acked = (): void => {
      answered = true
      cancelIndirect()
      this.#swim.awareness.add(-1)
      this.#end()
    }
    const expired = (): void => {
      if (round.streamAnswered) this.#swim.awareness.add(-1)
      else this.#failed(round)
      this.#end()
    }
    const seqNo = this.#expect(lifetime, acked, () => round.nacks++, expired)
    const ping = this.ping(target.name, seqNo)
    const cancelIndirect = this.#clock.after(Math.min(settings.probeTimeoutMs, lifetime), () => {
      if (!answered) this.#askOthers(round, ping)
    })
    if (target.liveness === 'alive') this.#swim.send(target, ping)
    else {
      // The suspicion comes along, so that the member can object at once.
      const suspect = {
        type: 'suspect',
        incarnation: target.incarnation,
        node: target.name,
        from: this.#swim.name,
      } as const
      this.#swim.sendBare(target, [encodeMessage(ping), encodeMessage(suspect)], target)
    }
  }

  #askOthers(round: Round, ping: Ping): void {
    const { settings, outlet } = this.#swim.options
    const { target } = round
    for (const relay of this.relays(target, settings.indirectChecks)) {
      if (this.askThrough(relay, target, ping.seqNo)) round.asked++
    }
    if (settings.disableTcpPings || (target.vsn[1] ?? 0) < 3) return
    void outlet.streamPing(target, ping, round.lifetime - settings.probeTimeoutMs).then(answered => {
      round.streamAnswered ||= answered
    })
  }

  /** Members that can be asked to ping `target`. */
  relays(target: MemberRecord, count: number): readonly MemberRecord[] {
    const { members, name, options } = this.#swim
    const suits = (record: MemberRecord): boolean =>
      record.liveness === 'alive' && record.name !== name && record.name !== target.name
    return members.sample(count, options.random, suits)
  }

  /** Asks one member to ping another. True when it will tell us, too, that it had no answer. */
  askThrough(relay: MemberRecord, target: MemberRecord, seqNo: number): boolean {
    const { addr, port } = this.#swim.options.address
    const nack = (relay.vsn[1] ?? 0) >= 4
    const message: IndirectPing = {
      type: 'indirectPing',
      seqNo,
      target: target.addr,
      port: target.port,
      node: target.name,
      nack,
      sourceAddr: addr,
      sourcePort: port,
      sourceNode: this.#swim.name,
    }
    this.#swim.send(relay, message)
    return nack
  }

  #failed({ target, asked, nacks }: Round): void {
    this.#swim.awareness.add(asked > 0 ? asked - nacks : 1)
    this.#swim.suspect({
      type: 'suspect',
      incarnation: target.incarnation,
      node: target.name,
      from: this.#swim.name,
    })
  }

  #end(): void {
    this.#busy = false
    if (!this.#missed) return
    this.#missed = false
    this.#probeNext()
  }

  // ---- answering

  acked({ seqNo }: Ack): void {
    const waiting = this.#waiting.get(seqNo)
    const asked = waiting ?? this.#hoped.get(seqNo)
    if (!asked) return
    this.#waiting.delete(seqNo)
    this.#hoped.delete(seqNo)
    waiting?.cancel()
    asked.acked()
  }

  nacked(seqNo: number): void {
    this.#waiting.get(seqNo)?.nacked()
  }

  answerPing(message: Ping, from: Endpoint): void {
    if (message.node !== '' && message.node !== this.#swim.name) return
    const to = replyTo(message, from)
    const ack = { type: 'ack', seqNo: message.seqNo, payload: NO_BYTES } as const
    // Whoever watches us closely would get all our news, at once and alone, if the answers carried them.
    if (this.#asksOften(message.sourceNode)) this.#swim.sendBare(to, [encodeMessage(ack)])
    else this.#swim.send(to, ack)
  }

  /** Whether a member asks more often than news are passed on. */
  #asksOften(name: string): boolean {
    const { members, options } = this.#swim
    if (!members.get(name)) return false
    if (this.#asked.size > 2 * members.size) this.#asked.clear()
    const now = this.#clock.now()
    const before = this.#asked.get(name)
    this.#asked.set(name, now)
    return before !== undefined && now - before < options.settings.gossipIntervalMs
  }

  relay(message: IndirectPing, from: Endpoint): void {
    if (message.target.length !== 4 && message.target.length !== 16) return
    const to = replyTo(message, from)
    const target = { addr: message.target, port: message.port || this.#swim.options.address.port }
    const acked = (): void => this.#swim.send(to, { type: 'ack', seqNo: message.seqNo, payload: NO_BYTES })
    const expired = (): void => {
      if (message.nack) this.#swim.send(to, { type: 'nack', seqNo: message.seqNo })
    }
    const seqNo = this.#expect(this.#swim.options.settings.probeTimeoutMs, acked, () => {}, expired)
    this.#swim.send(target, this.ping(message.node, seqNo))
  }
}

/** Where the answer to a ping goes: where it says, else where it came from. */
function replyTo(message: Ping | IndirectPing, from: Endpoint): NodeAddress {
  const { sourceAddr, sourcePort } = message
  const told = (sourceAddr.length === 4 || sourceAddr.length === 16) && sourcePort !== 0
  return told ? { addr: sourceAddr, port: sourcePort } : addressOf(from)
}
