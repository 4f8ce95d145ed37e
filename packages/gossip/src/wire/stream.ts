import { CarillonError, Writer } from '@carillon/core'
import { compress as compressed, expand } from './compress.ts'
import { copyOf } from './copy.ts'
import { open, seal, sealedLength } from './encrypt.ts'
import type { Fault } from './fault.ts'
import { takeLabel, withLabel } from './label.ts'
import { messageTypes, type NodeEntry, type StreamMessage, structs } from './messages.ts'
import type { IntegerForm } from './msgpack.ts'
import { outgoingKey, type WireOptions } from './options.ts'
import { Slices } from './slices.ts'
import type { Struct } from './struct.ts'
import { NO_BYTES, Unpacker } from './unpacker.ts'

/** The end of a TCP connection: who opened it, or who accepted it. They follow different rules. */
export type StreamSide = 'dialer' | 'acceptor'

/** What a stream may make us keep in memory. */
export interface StreamLimits {
  /**
   * Bytes of an encrypted frame, and of a compressed message before it is expanded.
   *
   * @default 20 MiB
   */
  readonly frameBytes: number
  /**
   * Bytes that a compressed message may expand to.
   *
   * @default 40 MiB
   */
  readonly expandedBytes: number
  /**
   * Bytes of one map: a header, a row of a node table. Honest ones stay below 1 KiB.
   *
   * @default 16 KiB
   */
  readonly mapBytes: number
  /**
   * Rows of a node table.
   *
   * @default 1048576
   */
  readonly nodes: number
  /**
   * Bytes of a user state or user message.
   *
   * @default 20 MiB
   */
  readonly userBytes: number
}

const MiB = 1024 * 1024

/** The limits that hold unless others are given: memberlist's newest, and one on maps, which it does not bound. */
export const streamLimits: StreamLimits = {
  frameBytes: 20 * MiB,
  expandedBytes: 40 * MiB,
  mapBytes: 16 * 1024,
  nodes: 1024 * 1024,
  userBytes: 20 * MiB,
}

/** How a stream direction was read: its message, or why there is none and what to answer. */
export type StreamResult =
  | { readonly message: StreamMessage }
  | {
      readonly dropped: Fault
      /** For an acceptor: the text of the `err` message to answer with. Undefined: close without a word. */
      readonly answer?: string
    }

/** What an acceptor answers when it cannot even begin to read; anything later closes the stream silently. */
const answers: Readonly<Partial<Record<Fault, string>>> = {
  encryptedRefused: 'the stream is encrypted, and this node has no keys',
  plaintextRefused: 'the stream is not encrypted, and this node requires it',
  noKeyFits: 'none of the keys of this node opens the stream',
  badEncryption: 'the encrypted frame is not one that this node understands',
  tooLarge: 'the stream is larger than this node takes',
  badCompression: 'the compressed stream cannot be expanded',
  malformed: 'the compressed stream cannot be read',
  overflow: 'the compressed stream cannot be read',
  empty: 'the stream has no content',
}

/** Type bytes that may begin what the other end says. */
const expected: Readonly<Record<StreamSide, readonly number[]>> = {
  acceptor: [messageTypes.ping, messageTypes.pushPull, messageTypes.user],
  dialer: [messageTypes.ack, messageTypes.pushPull, messageTypes.err],
}

const FRAME_HEADER = 5

type Stage =
  | 'label'
  | 'wrapping'
  | 'frame'
  | 'compressed'
  | 'type'
  | 'body'
  | 'nodes'
  | 'userState'
  | 'userMessage'

/**
 * Reads one direction of one stream, in whatever pieces it comes, and is done with the last byte of the message: it never
 * waits for the end of the stream. Keeps what is still needed and no more than `limits` say; lengths that are only claimed
 * take no memory.
 */
export class StreamReader {
  readonly #side: StreamSide
  readonly #options: WireOptions
  readonly #limits: StreamLimits
  #stage: Stage
  #bytes: Slices = new Slices()
  /** Bytes that must be there before another try can succeed. */
  #needed = 1
  /** Everything is there: the bytes came out of a frame or a compressed message. */
  #whole = false
  #received = false
  #type = -1
  #join = false
  #nodesLeft = 0
  #nodes: NodeEntry[] = []
  #userBytes = 0
  #result: StreamResult | undefined

  /** `side`: our end; an acceptor reads a request, a dialer the answer. */
  constructor(side: StreamSide, options: WireOptions = {}, limits: StreamLimits = streamLimits) {
    this.#side = side
    this.#options = options
    this.#limits = limits
    // Only the dialer writes a label.
    this.#stage = side === 'acceptor' ? 'label' : 'wrapping'
  }

  /** Takes the next bytes (copied). Gives the result as soon as there is one, and from then on the same. */
  push(bytes: Uint8Array): StreamResult | undefined {
    if (this.#result !== undefined || bytes.length === 0) return this.#result
    this.#received = true
    if (!this.#whole) this.#bytes.push(bytes)
    while (this.#result === undefined && this.#bytes.length >= this.#needed && this.#step()) {
      // Each step takes its bytes and names what the next one needs.
    }
    if (this.#result === undefined && this.#whole) this.#drop('truncated')
    return this.#result
  }

  /** The other end has closed: gives the result, which is `truncated` if the message is not complete, `empty` if nothing came. */
  end(): StreamResult {
    this.#result ??= { dropped: this.#received ? 'truncated' : 'empty' }
    return this.#result
  }

  /** One step ahead; false when more bytes are needed, or at the end. */
  #step(): boolean {
    switch (this.#stage) {
      case 'label':
        return this.#label()
      case 'wrapping':
        return this.#wrapping()
      case 'frame':
        return this.#frame()
      case 'compressed':
        return this.#compressed()
      case 'type':
        return this.#readType()
      case 'body':
        return this.#body()
      case 'nodes':
        return this.#readNodes()
      case 'userState':
        return this.#userState()
      case 'userMessage':
        return this.#userMessage()
    }
  }

  #label(): boolean {
    const { bytes, from, to } = this.#bytes
    const length = takeLabel(bytes, from, to, this.#options)
    if (length === 'truncated') return this.#wait(this.#bytes.length + 1)
    if (typeof length === 'string') return this.#drop(length)
    this.#bytes.drop(length)
    return this.#next('wrapping', 1)
  }

  #wrapping(): boolean {
    const { keys, verifyIncoming = true } = this.#options
    const encrypted = this.#bytes.first === messageTypes.encrypt
    const haveKeys = keys !== undefined && keys.keys.length > 0
    if (encrypted) return haveKeys ? this.#next('frame', FRAME_HEADER) : this.#refuse('encryptedRefused')
    return haveKeys && verifyIncoming ? this.#refuse('plaintextRefused') : this.#next('compressed', 1)
  }

  #frame(): boolean {
    const header = this.#bytes.peek(FRAME_HEADER)
    const length = new DataView(header.buffer, header.byteOffset).getUint32(1)
    if (length > this.#limits.frameBytes) return this.#refuse('tooLarge')
    if (this.#bytes.length < FRAME_HEADER + length) return this.#wait(FRAME_HEADER + length)
    const { keys = { keys: [] }, label = NO_BYTES } = this.#options
    const sealed = this.#bytes.peek(FRAME_HEADER + length).subarray(FRAME_HEADER)
    const plain = open(keys, sealed, frameData(header, label))
    if (typeof plain === 'string') return this.#refuse(plain)
    return this.#replace(plain, 'compressed')
  }

  #compressed(): boolean {
    if (this.#bytes.first !== messageTypes.compress) return this.#next('type', 1)
    const { frameBytes, expandedBytes } = this.#limits
    const map = this.#map(structs.compress, 1, frameBytes, true)
    if (map === undefined) return false
    const message = expand(map, expandedBytes)
    return typeof message === 'string' ? this.#refuse(message) : this.#replace(message, 'type')
  }

  #readType(): boolean {
    this.#type = this.#bytes.first
    if (!expected[this.#side].includes(this.#type)) return this.#drop('unknownType')
    this.#bytes.drop(1)
    return this.#next('body', 1)
  }

  #body(): boolean {
    switch (this.#type) {
      case messageTypes.pushPull:
        return this.#header()
      case messageTypes.user: {
        const header = this.#map(structs.userHeader)
        return header !== undefined && this.#claimUser(header.userMsgLen, 'userMessage')
      }
      case messageTypes.ping:
        return this.#finish(this.#map(structs.ping))
      case messageTypes.ack:
        return this.#finish(this.#map(structs.ack))
      default:
        return this.#finish(this.#map(structs.err))
    }
  }

  #header(): boolean {
    const header = this.#map(structs.pushPullHeader)
    if (header === undefined) return false
    const { join, nodes, userStateLen } = header
    if (nodes < 0) return this.#drop('malformed')
    if (nodes > this.#limits.nodes) return this.#drop('tooLarge')
    this.#join = join
    this.#nodesLeft = nodes
    return this.#claimUser(userStateLen, 'nodes')
  }

  #claimUser(length: number, stage: 'nodes' | 'userMessage'): boolean {
    if (length < 0) return this.#drop('malformed')
    if (length > this.#limits.userBytes) return this.#drop('tooLarge')
    this.#userBytes = length
    return stage === 'nodes' ? this.#next(stage, 0) : this.#next(stage, length)
  }

  #readNodes(): boolean {
    for (; this.#nodesLeft > 0; this.#nodesLeft--) {
      const node = this.#map(structs.nodeEntry)
      if (node === undefined) return false
      this.#nodes.push(node)
    }
    return this.#next('userState', this.#userBytes)
  }

  #userState(): boolean {
    const [join, nodes] = [this.#join, this.#nodes]
    return this.#finish({ type: 'pushPull', join, nodes, userState: this.#user() })
  }

  #userMessage(): boolean {
    return this.#finish({ type: 'user', payload: this.#user() })
  }

  #user(): Uint8Array {
    return this.#userBytes === 0 ? NO_BYTES : copyOf(this.#bytes.peek(this.#userBytes))
  }

  /** Reads a map that follows `skip` bytes and takes it off; undefined when it is not all there, or refused. */
  #map<T extends object>(
    struct: Struct<T>,
    skip = 0,
    limit: number = this.#limits.mapBytes,
    opening = false,
  ): T | undefined {
    const { bytes, from, to } = this.#bytes
    // Only looked at until it is complete, so that bytes which trickle in do not cost a copy of it each time.
    const whole = new Unpacker(bytes, from + skip, to)
    whole.skip()
    const complete = whole.fault !== 'truncated'
    const size = (complete ? whole.at : whole.needed) - from
    let fault = complete ? whole.fault : undefined
    if (fault === undefined && size > limit) fault = 'tooLarge'
    if (fault === undefined && complete) {
      const u = new Unpacker(bytes, from + skip, whole.at)
      const value = struct.read(u)
      this.#bytes.drop(size)
      if (u.fault === undefined) return value
      fault = u.fault
    }
    if (fault === undefined) this.#wait(size)
    else if (opening) this.#refuse(fault)
    else this.#drop(fault)
    return undefined
  }

  /** Goes on with what was inside of the bytes so far. */
  #replace(inside: Uint8Array, stage: Stage): boolean {
    this.#bytes = new Slices(inside)
    this.#whole = true
    return this.#next(stage, 1)
  }

  #next(stage: Stage, needed: number): boolean {
    this.#stage = stage
    this.#needed = needed
    return true
  }

  #wait(needed: number): false {
    this.#needed = needed
    return false
  }

  #finish(message: StreamMessage | undefined): false {
    if (message !== undefined) this.#settle({ message })
    return false
  }

  #drop(dropped: Fault): false {
    this.#settle({ dropped })
    return false
  }

  /** As `#drop`, but an acceptor says why. */
  #refuse(dropped: Fault): false {
    const answer = this.#side === 'acceptor' ? answers[dropped] : undefined
    this.#settle(answer === undefined ? { dropped } : { dropped, answer })
    return false
  }

  #settle(result: StreamResult): void {
    this.#result = result
    this.#bytes = new Slices()
    this.#nodes = []
  }
}

/** What is authenticated along with a frame: its header and the label of the stream, also where the label was not written. */
function frameData(header: Uint8Array, label: Uint8Array): Uint8Array {
  const data = new Uint8Array(FRAME_HEADER + label.length)
  data.set(header)
  data.set(label, FRAME_HEADER)
  return data
}

/** Beside the node's own options, what is particular to one stream. */
export interface StreamOptions extends WireOptions {
  /** @default 'signed' */
  readonly integers?: IntegerForm
}

/**
 * Makes everything that `side` says on a stream: the message, compressed whatever that gains, encrypted in one frame, and
 * behind the label if we dialed. Throws `MESSAGE_TOO_LARGE` for more than peers read.
 */
export function encodeStream(
  side: StreamSide,
  message: StreamMessage,
  options: StreamOptions = {},
): Uint8Array {
  const { compress = true, label = NO_BYTES, integers = 'signed' } = options
  let bytes = encodeBody(message, integers)
  checkSize(bytes.length, streamLimits.expandedBytes)
  if (compress) bytes = compressed(bytes)
  const key = outgoingKey(options)
  if (key !== undefined) bytes = frame(key, bytes, options)
  return side === 'dialer' ? withLabel(label, bytes) : bytes
}

function encodeBody(message: StreamMessage, integers: IntegerForm): Uint8Array {
  const { type } = message
  const w = new Writer(256).u8(messageTypes[type])
  switch (type) {
    case 'ping':
      structs.ping.write(w, message)
      break
    case 'ack':
      structs.ack.write(w, message)
      break
    case 'err':
      structs.err.write(w, message)
      break
    case 'user':
      checkSize(message.payload.length, streamLimits.userBytes)
      structs.userHeader.write(w, { userMsgLen: message.payload.length }, integers)
      w.bytes(message.payload)
      break
    case 'pushPull': {
      const { join, nodes, userState } = message
      checkSize(userState.length, streamLimits.userBytes)
      structs.pushPullHeader.write(w, { join, nodes: nodes.length, userStateLen: userState.length }, integers)
      for (const node of nodes) structs.nodeEntry.write(w, node, integers)
      w.bytes(userState)
    }
  }
  return w.finish()
}

/**
 * ```text
 *  0    1                5
 * +----+----------------+---------~
 * | 10 | length (4)     | sealed
 * +----+----------------+---------~
 * ```
 */
function frame(key: Uint8Array, plain: Uint8Array, options: WireOptions): Uint8Array {
  const { encryptionVersion = 1, label = NO_BYTES, nonce } = options
  const length = sealedLength(plain.length, encryptionVersion)
  checkSize(length, streamLimits.frameBytes)
  const header = new Writer(FRAME_HEADER).u8(messageTypes.encrypt).u32(length).finish()
  const sealed = seal(key, plain, frameData(header, label), encryptionVersion, nonce?.())
  return new Writer(FRAME_HEADER + length).bytes(header).bytes(sealed).finish()
}

function checkSize(length: number, limit: number): void {
  if (length <= limit) return
  throw new CarillonError(
    'MESSAGE_TOO_LARGE',
    `the stream would have ${length} bytes; peers read ${limit} at most`,
    {
      length,
      limit,
    },
  )
}
