import { type Endpoint, formatEndpoint } from '@carillon/core'
import type { MemberRecord } from './member-record.ts'
import type { Prober } from './prober.ts'
import type { Swim } from './swim.ts'
import type { Tally } from './tally.ts'
import { type Dead, decodePacket, type PacketMessage, type WireOptions } from './wire/index.ts'

interface InboxOptions {
  readonly swim: Swim
  readonly prober: Prober
  readonly wire: WireOptions
  readonly tally: Tally
  /** A member has sent a packet that could be read; `unasked`: with more than answers. */
  readonly heard: (member: MemberRecord, unasked: boolean) => void
  /** We were told of a death that we did not know of. */
  readonly died: (message: Dead) => void
  readonly user: (payload: Uint8Array) => void
}

const unasked = ({ type }: PacketMessage): boolean => type !== 'ack' && type !== 'nack'

/** Takes in datagrams, and hands each message to whom it concerns. */
export class Inbox {
  readonly #options: InboxOptions
  #closed = false

  constructor(options: InboxOptions) {
    this.#options = options
  }

  close(): void {
    this.#closed = true
  }

  receive(from: Endpoint, bytes: Uint8Array): void {
    if (this.#closed) return
    const { swim, wire, tally, heard } = this.#options
    tally.received(bytes.length)
    const { messages, dropped } = decodePacket(bytes, wire)
    for (const fault of dropped) tally.dropped(fault, formatEndpoint(from))
    if (messages.length === 0) return
    const sender = swim.members.atAddress(from.address, from.port)
    for (const message of messages) this.#handle(message, from)
    if (sender) heard(sender, messages.some(unasked))
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
