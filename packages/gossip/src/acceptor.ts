import type { Clock, Stream } from '@carillon/core'

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

/** Streams served at once, as in memberlist; and of one address, so that nobody takes them all. */
const mostStreams = 128
const mostOfOne = 32
/** Bytes that may have come on all open streams together: room for the tables of three clusters of the greatest size. */
const mostBytes = 64 * 1024 * 1024

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
  /** By address. */
  readonly #open = new Map<string, number>()
  #total = 0
  /** Bytes that came on the streams that are open. */
  #bytes = 0
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
    const { remote } = stream
    const ofOne = this.#open.get(remote.address) ?? 0
    if (this.#closed || this.#total >= mostStreams || ofOne >= mostOfOne) {
      tally.dropped('tooManyStreams', remote)
      stream.destroy()
      return
    }
    this.#total++
    this.#open.set(remote.address, ofOne + 1)
    tally.stream()
    const reader = new StreamReader('acceptor', wire, streamLimits)
    let read = false
    let bytes = 0
    // A peer that sends too slowly, and one that does not read its answer, is cut off.
    let cancel = clock.after(timeoutMs, () => stream.destroy())
    stream.on('error', () => stream.destroy())
    stream.once('close', () => {
      this.#closedOne(remote.address, bytes)
      cancel()
    })
    stream.on('data', (chunk: Uint8Array) => {
      if (read) return
      if (this.#bytes + chunk.length > mostBytes) {
        tally.dropped('streamsFull', remote)
        read = true
        stream.destroy()
        return
      }
      bytes += chunk.length
      this.#bytes += chunk.length
      const result = reader.push(chunk)
      if (!result) return
      read = true
      cancel()
      cancel = clock.after(timeoutMs, () => stream.destroy())
      if ('message' in result) this.#answer(stream, result.message)
      else {
        tally.dropped(result.dropped, remote)
        if (result.answer === undefined) stream.destroy()
        else stream.end(encodeStream('acceptor', { type: 'err', error: result.answer }, wire))
      }
    })
    // The dialer ends first or we do; either way the whole connection is over once both have spoken.
    stream.once('end', () => {
      if (!read) stream.destroy()
    })
  }

  #closedOne(address: string, bytes: number): void {
    this.#total--
    this.#bytes -= bytes
    const left = (this.#open.get(address) ?? 1) - 1
    if (left > 0) this.#open.set(address, left)
    else this.#open.delete(address)
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
