import { type Clock, formatEndpoint, type Stream } from '@carillon/core'

import { addressOf, type NodeAddress } from './node-address.ts'
import type { Tally } from './tally.ts'
import {
  encodeStream,
  NO_BYTES,
  type PushPull,
  type StreamMessage,
  StreamReader,
  streamLimits,
  type WireOptions,
} from './wire/index.ts'

/** Streams served at once; memberlist refuses as many. */
const mostStreams = 128

interface AcceptorOptions {
  /** Our name: pings to others are not answered. */
  readonly name: string
  readonly wire: WireOptions
  readonly clock: Clock
  readonly tally: Tally
  /** Milliseconds in which a peer has said what it wants, and again in which it has taken the answer. */
  readonly timeoutMs: number
  /** Our table as it is now. */
  readonly table: (join: boolean) => PushPull
  readonly merge: (table: PushPull, from: NodeAddress) => void
  readonly user: (payload: Uint8Array) => void
}

/** Serves the streams of others: so many at once, each for a bounded time. */
export class Acceptor {
  readonly #options: AcceptorOptions
  #open = 0
  #closed = false

  constructor(options: AcceptorOptions) {
    this.#options = options
  }

  /** From now on every stream is refused. */
  close(): void {
    this.#closed = true
  }

  accept(stream: Stream): void {
    const { wire, clock, tally, timeoutMs } = this.#options
    const from = formatEndpoint(stream.remote)
    if (this.#closed || this.#open >= mostStreams) {
      tally.dropped('tooManyStreams', from)
      stream.destroy()
      return
    }
    this.#open++
    tally.stream()
    const reader = new StreamReader('acceptor', wire, streamLimits)
    let read = false
    // A peer that sends too slowly, and one that does not read its answer, is cut off.
    let cancel = clock.after(timeoutMs, () => stream.destroy())
    stream.on('error', () => stream.destroy())
    stream.once('close', () => {
      this.#open--
      cancel()
    })
    stream.on('data', (chunk: Uint8Array) => {
      if (read) return
      const result = reader.push(chunk)
      if (!result) return
      read = true
      cancel()
      cancel = clock.after(timeoutMs, () => stream.destroy())
      if ('message' in result) this.#answer(stream, result.message)
      else {
        tally.dropped(result.dropped, from)
        if (result.answer === undefined) stream.destroy()
        else stream.end(encodeStream('acceptor', { type: 'err', error: result.answer }, wire))
      }
    })
    // The dialer ends first or we do; either way the whole connection is over once both have spoken.
    stream.once('end', () => {
      if (!read) stream.destroy()
    })
  }

  #answer(stream: Stream, message: StreamMessage): void {
    const { name, wire, table, merge, user } = this.#options
    switch (message.type) {
      case 'pushPull':
        // Our table as it is before the peer's is merged: a node that restarts learns from it what it was.
        stream.end(encodeStream('acceptor', table(message.join), wire))
        merge(message, addressOf(stream.remote))
        return
      case 'ping':
        if (message.node !== '' && message.node !== name) stream.destroy()
        else
          stream.end(encodeStream('acceptor', { type: 'ack', seqNo: message.seqNo, payload: NO_BYTES }, wire))
        return
      case 'user':
        stream.end()
        user(message.payload)
        return
      default:
        stream.destroy()
    }
  }
}
