import {
  CarillonError,
  type Clock,
  type Endpoint,
  type Network,
  type SocketOptions,
  type Stream,
} from '@carillon/core'
import { decodeMessage, Framer } from './wire/index.ts'

export interface KnockOptions extends SocketOptions {
  readonly network: Network
  readonly clock: Clock
  readonly to: Endpoint
  readonly from?: Partial<Endpoint>
  /** TCP-MD5 key of the session. */
  readonly password?: string
  /**
   * Milliseconds to wait for a connection, and once more for a word.
   *
   * @default 1000
   */
  readonly timeoutMs?: number
}

/** What came of knocking at the door of a BGP peer. */
export type Knock =
  /** It accepted, and said nothing in time: it may wait for this side to begin. */
  | { readonly came: 'nothing' }
  /** It accepted, and closed without a word. */
  | { readonly came: 'closed' }
  /** It said something that BGP is not. */
  | { readonly came: 'noise' }
  /** It is ready for a session. */
  | { readonly came: 'open'; readonly as: number; readonly routerId: string }
  /** It refuses one. */
  | { readonly came: 'notification'; readonly code: number; readonly subcode: number }
  /** There was no connection; the code is that of the error. */
  | { readonly came: 'error'; readonly code: string }

/**
 * Connects to a peer and listens for its first message, without saying anything. Not to be used where a session is established: a router
 * may take a second connection for a restart of this side. Never rejects for what the network does.
 */
export async function knock(options: KnockOptions): Promise<Knock> {
  const { network, clock, to, password, timeoutMs = 1000, from, ...socket } = options
  let stream: Stream
  try {
    stream = await network.connect(to, {
      timeoutMs,
      ...(from && { from }),
      ...(password === undefined ? {} : { md5: { address: to.address, key: password } }),
      ...(socket.device === undefined ? {} : { device: socket.device }),
      ...(socket.ttl === undefined ? {} : { ttl: socket.ttl }),
      ...(socket.minimumTtl === undefined ? {} : { minimumTtl: socket.minimumTtl }),
    })
  } catch (error) {
    const code = error instanceof CarillonError ? error.code : (error as NodeJS.ErrnoException).code
    return { came: 'error', code: code ?? String(error) }
  }
  return await new Promise(resolve => {
    const framer = new Framer()
    const end = (result: Knock): void => {
      cancel()
      stream.destroy()
      resolve(result)
    }
    const cancel = clock.after(timeoutMs, () => end({ came: 'nothing' }))
    stream.on('error', () => end({ came: 'closed' }))
    stream.on('end', () => end({ came: 'closed' }))
    stream.on('close', () => end({ came: 'closed' }))
    stream.on('data', (chunk: Uint8Array) => {
      const said = listen(framer, chunk)
      if (said) end(said)
    })
  })
}

function listen(framer: Framer, chunk: Uint8Array): Knock | undefined {
  try {
    framer.push(Uint8Array.from(chunk))
    const bytes = framer.next()
    if (!bytes) return undefined
    const { message } = decodeMessage(bytes, { fourOctetAs: false, extendedMessage: false })
    if (message.type === 'notification')
      return { came: 'notification', code: message.code, subcode: message.subcode }
    if (message.type !== 'open') return { came: 'noise' }
    const wide = message.capabilities.find(one => one.name === 'fourOctetAs')
    return { came: 'open', as: wide?.as ?? message.as, routerId: message.routerId }
  } catch (error) {
    if (error instanceof CarillonError) return { came: 'noise' }
    throw error
  }
}
