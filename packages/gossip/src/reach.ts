import {
  CarillonError,
  type Clock,
  type Datagrams,
  type Endpoint,
  familyOf,
  type Network,
  parseAddress,
} from '@carillon/core'
import type { Keyring } from './keyring.ts'
import {
  decodePacket,
  encodeMessage,
  encodePacket,
  encodeStream,
  encodeText,
  NO_BYTES,
  type PacketMessage,
  StreamReader,
  streamLimits,
  type WireOptions,
} from './wire/index.ts'

/** How the cluster speaks, as far as a question from outside needs it. */
export interface OutsiderOptions {
  readonly network: Network
  readonly keyring?: Keyring
  readonly label?: string
}

export interface ReachOptions extends OutsiderOptions {
  readonly clock: Clock
  /** 0 <= x < 1 */
  readonly random: () => number
  /** The member that is asked. */
  readonly to: Endpoint
  /** Where the member is to reach us in turn: something has to answer pings there. Absent: that is not tried. */
  readonly back?: Endpoint
  /**
   * Milliseconds that each question may take.
   *
   * @default 800
   */
  readonly timeoutMs?: number
}

/** How a member answered over TCP. */
export type StreamReach =
  | { readonly state: 'answered' | 'silent' }
  /** It heard us and did not want to understand: `why` are its words. */
  | { readonly state: 'refused'; readonly why: string }
  /** There was no connection; `code` is that of the error, where it has one. */
  | { readonly state: 'unreachable'; readonly code: string }

/** What of a member reaches us, and what of us reaches it. */
export interface Reach {
  /** A ping in a datagram was answered. */
  readonly datagram: boolean
  readonly stream: StreamReach
  /** A datagram of the member, of its own accord, came to `back` and was answered; undefined when that was not tried. */
  readonly back: boolean | undefined
}

const wireOf = ({ keyring, label }: OutsiderOptions): WireOptions => ({
  ...(keyring && keyring.keys.length > 0 ? { keys: keyring } : {}),
  ...(label === undefined ? {} : { label: encodeText(label) }),
})

const anyOf = (address: string): string => (familyOf(address) === 4 ? '0.0.0.0' : '::')

const nobody = { sourceAddr: NO_BYTES, sourcePort: 0, sourceNode: '' } as const

/**
 * Finds out whether a member can be spoken with, without joining: memberlist's ping by datagram and by stream, and, through an indirect
 * ping, whether its datagrams come in. Never rejects for what the network does.
 */
export async function reach(options: ReachOptions): Promise<Reach> {
  const [datagrams, stream] = await Promise.all([askByDatagram(options), askByStream(options)])
  return { ...datagrams, stream }
}

async function askByDatagram(options: ReachOptions): Promise<Pick<Reach, 'datagram' | 'back'>> {
  const { network, to, back } = options
  const wire = wireOf(options)
  let socket: Datagrams
  try {
    socket = await network.datagrams({ address: anyOf(to.address), port: 0 })
  } catch {
    return { datagram: false, back: undefined }
  }
  try {
    const seqNo = Math.floor(options.random() * 0xffff_0000)
    const waiting = new Map<number, () => void>()
    socket.receive((_from, bytes) => {
      for (const message of decodePacket(bytes, wire).messages)
        if (message.type === 'ack') waiting.get(message.seqNo)?.()
    })
    const ask = (message: PacketMessage & { readonly seqNo: number }): Promise<boolean> =>
      new Promise(resolve => {
        const cancel = options.clock.after(options.timeoutMs ?? 800, () => resolve(false))
        waiting.set(message.seqNo, () => {
          cancel()
          resolve(true)
        })
        socket.send(to, encodePacket([encodeMessage(message)], wire))
      })
    const datagram = await ask({ type: 'ping', seqNo, node: '', ...nobody })
    if (!back || !datagram) return { datagram, back: undefined }
    const target = parseAddress(back.address)
    const relayed = { seqNo: seqNo + 1, target, port: back.port, node: '', nack: false, ...nobody }
    return { datagram, back: await ask({ type: 'indirectPing', ...relayed }) }
  } finally {
    await socket[Symbol.asyncDispose]()
  }
}

async function askByStream(options: ReachOptions): Promise<StreamReach> {
  const { network, clock, to, timeoutMs = 800 } = options
  const wire = wireOf(options)
  const seqNo = Math.floor(options.random() * 0xffff_0000)
  try {
    const stream = await network.connect(to, { timeoutMs })
    return await new Promise(resolve => {
      const reader = new StreamReader('dialer', wire, streamLimits)
      const end = (reach: StreamReach): void => {
        cancel()
        stream.destroy()
        resolve(reach)
      }
      const cancel = clock.after(timeoutMs, () => end({ state: 'silent' }))
      stream.on('error', () => end({ state: 'silent' }))
      stream.on('close', () => end({ state: 'silent' }))
      stream.on('data', (chunk: Uint8Array) => {
        const result = reader.push(chunk)
        if (!result) return
        if ('dropped' in result) end({ state: 'refused', why: result.dropped })
        else if (result.message.type === 'err') end({ state: 'refused', why: result.message.error })
        else end({ state: result.message.type === 'ack' ? 'answered' : 'silent' })
      })
      stream.write(encodeStream('dialer', { type: 'ping', seqNo, node: '', ...nobody }, wire))
    })
  } catch (error) {
    return { state: 'unreachable', code: error instanceof CarillonError ? error.code : codeOf(error) }
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error)

/**
 * Answers pings by datagram where no member listens, for `back` of `reach`; does nothing else, and is no member. Throws what opening the
 * socket throws.
 */
export async function answerPings(at: Endpoint, options: OutsiderOptions): Promise<AsyncDisposable> {
  const wire = wireOf(options)
  const socket = await options.network.datagrams(at)
  socket.receive((from, bytes) => {
    for (const message of decodePacket(bytes, wire).messages) {
      if (message.type !== 'ping') continue
      const ack = encodeMessage({ type: 'ack', seqNo: message.seqNo, payload: NO_BYTES })
      socket.send(from, encodePacket([ack], wire))
    }
  })
  return socket
}
