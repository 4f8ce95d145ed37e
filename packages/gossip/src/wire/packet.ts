import { Reader, Writer } from '@carillon/core'
import { compound } from './compound.ts'
import { compressIfSmaller, expand } from './compress.ts'
import { crc32 } from './crc.ts'
import { open, seal } from './encrypt.ts'
import type { Fault } from './fault.ts'
import { takeLabel, withLabel } from './label.ts'
import { decodeMessage, messageTypes, type PacketMessage, structs } from './messages.ts'
import { outgoingKey, type WireOptions } from './options.ts'
import { NO_BYTES, Unpacker } from './unpacker.ts'

/** What one packet may make us do. */
export interface PacketLimits {
  /**
   * Bytes that all compressed messages of a packet may expand to. A packet's content is budgeted before it is compressed, so
   * honest ones stay below 64 KiB.
   *
   * @default 262144
   */
  readonly expandedBytes: number
  /**
   * Messages, refused ones included.
   *
   * @default 1024
   */
  readonly messages: number
  /**
   * Wrappings (compound, compressed) around a message. Honest packets have two.
   *
   * @default 8
   */
  readonly depth: number
}

/** The limits that hold unless others are given. */
export const packetLimits: PacketLimits = { expandedBytes: 256 * 1024, messages: 1024, depth: 8 }

/** A packet without its wrapping. */
export interface OpenedPacket {
  /** Its messages in wire order, not read yet, each with its type byte first. Views, valid as long as the packet is. */
  readonly parts: readonly Uint8Array[]
  /** Why the rest could not be had: one entry for the whole packet, or one for each part that was refused. */
  readonly dropped: readonly Fault[]
}

/** What was in a packet. */
export interface DecodedPacket {
  /** What could be read, in wire order. Payloads and metadata are copies; addresses and versions may be shared among messages. */
  readonly messages: readonly PacketMessage[]
  /** Why the rest could not: one entry for the whole packet, or one for each part that was refused. */
  readonly dropped: readonly Fault[]
}

const CRC_HEADER = 5

/**
 * Takes the wrapping off a datagram: label, encryption, checksum, then compounds and compressed messages to any sensible depth. Never
 * throws, and does an amount of work that `limits` bound.
 */
export function openPacket(
  packet: Uint8Array,
  options: WireOptions = {},
  limits: PacketLimits = packetLimits,
): OpenedPacket {
  if (packet.length === 0) return refused('empty')
  const label = takeLabel(packet, 0, packet.length, options)
  if (typeof label === 'string') return refused(label === 'truncated' ? 'badLabel' : label)
  const plain = decrypted(label === 0 ? packet : packet.subarray(label), options)
  if (typeof plain === 'string') return refused(plain)
  const reading: Reading = { parts: [], dropped: [], limits, expandable: limits.expandedBytes }
  readChecked(reading, plain)
  return reading
}

/** As `openPacket`, and reads the messages. */
export function decodePacket(
  packet: Uint8Array,
  options: WireOptions = {},
  limits: PacketLimits = packetLimits,
): DecodedPacket {
  const opened = openPacket(packet, options, limits)
  const messages: PacketMessage[] = []
  const dropped = [...opened.dropped]
  for (const part of opened.parts) {
    const message = decodeMessage(part)
    if (typeof message === 'string') dropped.push(message)
    else messages.push(message)
  }
  return { messages, dropped }
}

function refused(fault: Fault): OpenedPacket {
  return { parts: [], dropped: [fault] }
}

function decrypted(bytes: Uint8Array, options: WireOptions): Uint8Array | Fault {
  const { keys, label = NO_BYTES, verifyIncoming = true } = options
  if (keys === undefined || keys.keys.length === 0) return bytes
  const plain = open(keys, bytes, label)
  if (typeof plain !== 'string') return plain
  if (!verifyIncoming) return bytes
  return plain !== 'empty' && looksPlain(bytes) ? 'plaintextRefused' : plain
}

/** Whether a packet that no key opens is a plain one: only to name the cause, never to accept it. */
function looksPlain(bytes: Uint8Array): boolean {
  const [type] = bytes
  if (type === undefined) return false
  if (type > 1) return type <= messageTypes.crc
  // A ping or indirect ping begins like an encrypted packet. One of these names a node, which random bytes hardly do: some of them, an
  // empty map for one, are read as a message all the same.
  const message = decodeMessage(bytes)
  return typeof message !== 'string' && 'node' in message && message.node !== ''
}

interface Reading {
  readonly parts: Uint8Array[]
  readonly dropped: Fault[]
  readonly limits: PacketLimits
  expandable: number
}

/** The checksum counts here and nowhere deeper. */
function readChecked(reading: Reading, bytes: Uint8Array): void {
  const checked = bytes.length >= CRC_HEADER && bytes[0] === messageTypes.crc
  if (checked && new Reader(bytes.subarray(1)).u32() !== crc32(bytes, CRC_HEADER))
    reading.dropped.push('badCrc')
  else read(reading, bytes, checked ? CRC_HEADER : 0, bytes.length, 0)
}

function read(reading: Reading, bytes: Uint8Array, from: number, to: number, depth: number): void {
  const type = from < to ? bytes[from] : undefined
  if (type === messageTypes.compound || type === messageTypes.compress) {
    if (depth === reading.limits.depth) reading.dropped.push('tooDeep')
    else if (type === messageTypes.compound) readCompound(reading, bytes, from, to, depth + 1)
    else readCompressed(reading, bytes, from, to, depth + 1)
    return
  }
  reading.parts.push(bytes.subarray(from, to))
}

function readCompound(reading: Reading, bytes: Uint8Array, from: number, to: number, depth: number): void {
  const count = from + 1 < to ? (bytes[from + 1] as number) : -1
  let part = from + 2 + 2 * count
  if (count < 0 || part > to) {
    reading.dropped.push('truncated')
    return
  }
  const { parts, dropped, limits } = reading
  for (let i = 0; i < count; i++) {
    if (parts.length + dropped.length >= limits.messages) {
      dropped.push('tooMany')
      return
    }
    const at = from + 2 + 2 * i
    const end = part + ((bytes[at] as number) << 8) + (bytes[at + 1] as number)
    if (end > to) {
      dropped.push('truncated')
      return
    }
    read(reading, bytes, part, end, depth)
    part = end
  }
}

function readCompressed(reading: Reading, bytes: Uint8Array, from: number, to: number, depth: number): void {
  const u = new Unpacker(bytes, from + 1, to)
  const compressed = structs.compress.read(u)
  const message = u.fault ?? expand(compressed, reading.expandable)
  if (typeof message === 'string') {
    // What a refused expansion may have cost is spent as well.
    if (message === 'tooLarge' || message === 'badCompression') reading.expandable = 0
    reading.dropped.push(message)
    return
  }
  reading.expandable -= message.length
  read(reading, message, 0, message.length, depth)
}

/** Beside the node's own options, what is particular to one packet. */
export interface PacketOptions extends WireOptions {
  /**
   * Add a checksum. memberlist does where it has the destination's own record at hand (gossip, ping with suspicion, messages
   * of the application) and that node understands protocol version 5.
   *
   * @default false
   */
  readonly checksum?: boolean
}

/**
 * Makes one datagram of encoded messages (see `encodeMessage`): compound if they are several, compressed if that is smaller,
 * then checksum, encryption and label. Throws as `compound` does.
 */
export function encodePacket(parts: readonly Uint8Array[], options: PacketOptions = {}): Uint8Array {
  const { compress = true, checksum = false, label = NO_BYTES, encryptionVersion = 1, nonce } = options
  let bytes = compound(parts)
  if (compress) bytes = compressIfSmaller(bytes)
  if (checksum) {
    const w = new Writer(CRC_HEADER + bytes.length).u8(messageTypes.crc).u32(crc32(bytes))
    bytes = w.bytes(bytes).finish()
  }
  const key = outgoingKey(options)
  if (key !== undefined) bytes = seal(key, bytes, label, encryptionVersion, nonce?.())
  return withLabel(label, bytes)
}
