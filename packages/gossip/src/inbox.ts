import type { Clock, Endpoint } from '@carillon/core'
import { Allowance } from './allowance.ts'
import { Backlog } from './backlog.ts'
import type { MemberRecord } from './member-record.ts'
import type { Prober } from './prober.ts'
import type { Swim } from './swim.ts'
import type { Tally } from './tally.ts'
import { copyOf } from './wire/copy.ts'
import {
  type Dead,
  decodeMessage,
  messageTypes,
  openPacket,
  type PacketMessage,
  type WireOptions,
} from './wire/index.ts'

interface InboxOptions {
  readonly swim: Swim
  readonly prober: Prober
  readonly wire: WireOptions
  /** The real one. */
  readonly clock: Clock
  readonly tally: Tally
  /** A member has sent a packet that could be opened; `unasked`: with more than answers. */
  readonly heard: (member: MemberRecord, unasked: boolean) => void
  /** We were told of a death that we did not know of. */
  readonly died: (message: Dead) => void
  readonly user: (payload: Uint8Array) => void
}

/** Rumours and messages of applications that are handled at once within such a time in milliseconds; the others wait. */
const rumoursAtOnce = 1024
const turnMs = 10

const { ack, nack, ping, indirectPing } = messageTypes
const isAnswer = (type: number | undefined): boolean => type === ack || type === nack
const isUrgent = (type: number | undefined): boolean =>
  type === ping || type === indirectPing || isAnswer(type)

/**
 * Takes in datagrams. What shows who lives, pings and their answers, is handled at once. Rumours, and what applications have to say, are
 * handled at once as long as they are few; many wait in a bounded queue and are taken in turns with reading the socket, so that a flood
 * of them holds up no answer, and nobody can fill it for the others.
 */
export class Inbox {
  readonly #options: InboxOptions
  readonly #allowance = new Allowance()
  readonly #backlog: Backlog
  #turnAt = Number.NEGATIVE_INFINITY
  /** Rumours that may still be handled in this turn. */
  #left = 0
  #cancel: (() => void) | undefined
  #closed = false

  constructor(options: InboxOptions) {
    this.#options = options
    this.#backlog = new Backlog(options.swim.options.settings.handoffQueueDepth)
  }

  /** Messages that wait. */
  get waiting(): number {
    return this.#backlog.size
  }

  close(): void {
    this.#closed = true
    this.#cancel?.()
  }

  receive(from: Endpoint, bytes: Uint8Array): void {
    if (this.#closed) return
    const { swim, wire, clock, tally, heard } = this.#options
    tally.received(bytes.length)
    const sender = swim.members.atAddress(from.address, from.port)
    if (!this.#allowance.admits(sender?.name, clock.now())) {
      tally.dropped('tooManyPackets', from)
      return
    }
    const { parts, dropped } = openPacket(bytes, wire)
    for (const fault of dropped) tally.dropped(fault, from)
    for (const part of parts) {
      if (isUrgent(part[0])) this.#read(part, from)
      else this.#rumour(part, from, sender)
    }
    if (sender && parts.length > 0) heard(sender, !parts.every(([type]) => isAnswer(type)))
  }

  #rumour(part: Uint8Array, from: Endpoint, sender: MemberRecord | undefined): void {
    const { clock, tally } = this.#options
    const now = clock.now()
    if (this.#backlog.size === 0 && now - this.#turnAt >= turnMs) {
      this.#turnAt = now
      this.#left = rumoursAtOnce
    }
    if (this.#backlog.size === 0 && this.#left > 0) {
      this.#left--
      this.#read(part, from)
      return
    }
    // The packet is gone when it is this one's turn.
    if (!this.#backlog.push({ bytes: copyOf(part), from, member: sender?.name }))
      tally.dropped('queueFull', from)
    tally.waiting(this.#backlog.size)
    this.#cancel ??= clock.after(Math.max(0, this.#turnAt + turnMs - now), () => this.#turn())
  }

  #turn(): void {
    const { clock } = this.#options
    this.#cancel = undefined
    this.#turnAt = clock.now()
    this.#left = rumoursAtOnce
    for (; this.#left > 0; this.#left--) {
      const letter = this.#backlog.shift()
      if (!letter) return
      this.#read(letter.bytes, letter.from)
    }
    if (this.#backlog.size > 0) this.#cancel = clock.after(turnMs, () => this.#turn())
  }

  #read(bytes: Uint8Array, from: Endpoint): void {
    const message = decodeMessage(bytes)
    if (typeof message === 'string') this.#options.tally.dropped(message, from)
    else this.#handle(message, from)
  }

  #handle(message: PacketMessage, from: Endpoint): void {
    const { swim, prober, died, user } = this.#options
    if (message.type === 'ping') prober.answerPing(message, from)
    else if (message.type === 'ack') prober.acked(message)
    else if (message.type === 'indirectPing') prober.relay(message, from)
    else if (message.type === 'nack') prober.nacked(message.seqNo)
    else if (message.type === 'alive') swim.alive(message)
    else if (message.type === 'suspect') swim.suspect(message)
    else if (message.type === 'dead') {
      if (swim.dead(message)) died(message)
    } else user(message.payload)
  }
}
