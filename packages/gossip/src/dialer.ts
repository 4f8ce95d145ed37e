import { type Clock, formatEndpoint, type Logger, type Network, type Stream } from '@carillon/core'
import { endpointOf, type NodeAddress } from './node-address.ts'
import type { Tally } from './tally.ts'
import {
  encodeStream,
  type Ping,
  type PushPull,
  type StreamMessage,
  StreamReader,
  streamLimits,
  type WireOptions,
} from './wire/index.ts'

interface DialerOptions {
  readonly network: Network
  readonly wire: WireOptions
  readonly clock: Clock
  readonly tally: Tally
  readonly log: Logger
}

/** Says one thing to a member on a stream of its own, and hears the answer. Nothing rejects: what fails counts as not answered. */
export class Dialer {
  readonly #options: DialerOptions

  constructor(options: DialerOptions) {
    this.#options = options
  }

  /** Gives our table for that of a member. */
  exchange(to: NodeAddress, request: PushPull, timeoutMs: number): Promise<PushPull | undefined> {
    return this.#dial(to, request, timeoutMs, answer => (answer.type === 'pushPull' ? answer : undefined))
  }

  /** False when no ack came in time. */
  async ping(to: NodeAddress, ping: Ping, timeoutMs: number): Promise<boolean> {
    const accept = (answer: StreamMessage): true | undefined =>
      answer.type === 'ack' && answer.seqNo === ping.seqNo ? true : undefined
    return (await this.#dial(to, ping, timeoutMs, accept)) === true
  }

  /** Hands over a message of the application; false when that was not possible in time. */
  async tell(to: NodeAddress, payload: Uint8Array, timeoutMs: number): Promise<boolean> {
    return (await this.#dial(to, { type: 'user', payload }, timeoutMs, () => undefined, true)) === true
  }

  /** Gives what `accept` makes of the answer, or `sent` where none is waited for; undefined when nothing came of it in time. */
  async #dial<T>(
    to: NodeAddress,
    message: StreamMessage,
    timeoutMs: number,
    accept: (answer: StreamMessage) => T | undefined,
    sent?: T,
  ): Promise<T | undefined> {
    const { network, wire, clock, tally, log } = this.#options
    const peer = endpointOf(to)
    let stream: Stream
    tally.stream()
    const request = encodeStream('dialer', message, wire)
    try {
      stream = await network.connect(peer, { timeoutMs: Math.max(1, timeoutMs) })
    } catch {
      return undefined
    }
    return await new Promise(resolve => {
      const reader = new StreamReader('dialer', wire, streamLimits)
      const end = (result: T | undefined): void => {
        cancel()
        stream.destroy()
        resolve(result)
      }
      const cancel = clock.after(timeoutMs, () => end(undefined))
      stream.on('error', () => end(undefined))
      stream.on('close', () => end(undefined))
      stream.on('data', (chunk: Uint8Array) => {
        const result = reader.push(chunk)
        if (!result) return
        if ('dropped' in result) tally.dropped(result.dropped, peer)
        else if (result.message.type === 'err')
          log.debug({ peer: formatEndpoint(peer), error: result.message.error }, 'a peer refused a stream')
        end('message' in result ? accept(result.message) : undefined)
      })
      stream.write(request)
      if (sent !== undefined) stream.end(() => end(sent))
    })
  }
}
