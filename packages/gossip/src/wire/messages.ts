import { Writer } from '@carillon/core'
import { copyOf } from './copy.ts'
import type { Fault } from './fault.ts'
import { type Row, Struct } from './struct.ts'
import { Unpacker } from './unpacker.ts'

// Byte strings of messages are copies that the receiver may keep; empty ones (nil and missing ones too) have length 0.
// Addresses are the bytes received, 4 or 16 of them, and never normalised: nodes compare them byte by byte.

/** The first byte of every message, and of every wrapping. */
export const messageTypes = {
  ping: 0,
  indirectPing: 1,
  ack: 2,
  suspect: 3,
  alive: 4,
  dead: 5,
  pushPull: 6,
  compound: 7,
  user: 8,
  compress: 9,
  encrypt: 10,
  nack: 11,
  crc: 12,
  err: 13,
  label: 244,
} as const

/** Asks `node` for an ack, to be sent to the source if that is given, else to where the datagram came from. */
export interface Ping {
  readonly type: 'ping'
  readonly seqNo: number
  /** Who is meant; whoever bears another name does not answer. May be empty. */
  readonly node: string
  readonly sourceAddr: Uint8Array
  readonly sourcePort: number
  readonly sourceNode: string
}

/** Asks a relay to ping `target` and to pass the ack on; with `nack`, to say so when none came. */
export interface IndirectPing {
  readonly type: 'indirectPing'
  readonly seqNo: number
  readonly target: Uint8Array
  /** 0: the port of the one who reads it. */
  readonly port: number
  readonly node: string
  readonly nack: boolean
  readonly sourceAddr: Uint8Array
  readonly sourcePort: number
  readonly sourceNode: string
}

/** Answers a ping; the payload is the application's. */
export interface Ack {
  readonly type: 'ack'
  readonly seqNo: number
  readonly payload: Uint8Array
}

/** A relay had no ack to pass on. */
export interface Nack {
  readonly type: 'nack'
  readonly seqNo: number
}

/** `from` says that `node` does not answer. */
export interface Suspect {
  readonly type: 'suspect'
  readonly incarnation: number
  readonly node: string
  readonly from: string
}

/** `from` says that `node` is dead; said by the node itself, it leaves. */
export interface Dead {
  readonly type: 'dead'
  readonly incarnation: number
  readonly node: string
  readonly from: string
}

/** A node is there, at this address, with this metadata. */
export interface Alive {
  readonly type: 'alive'
  readonly incarnation: number
  readonly node: string
  readonly addr: Uint8Array
  /** 0: the port of the one who reads it. */
  readonly port: number
  /** At most 512 bytes when we send it; not checked on receipt. */
  readonly meta: Uint8Array
  /** Understood minimum and maximum and spoken version, of the protocol and of the delegate. 6 bytes unless a peer errs. */
  readonly vsn: Uint8Array
}

/** A message of the application. */
export interface User {
  readonly type: 'user'
  readonly payload: Uint8Array
}

/** `NodeEntry.state`; a peer may send numbers beyond these. */
export const nodeStates = { alive: 0, suspect: 1, dead: 2, left: 3 } as const

/** A row of a node's table, as push/pull carries it. */
export interface NodeEntry {
  readonly name: string
  readonly addr: Uint8Array
  readonly port: number
  readonly meta: Uint8Array
  readonly incarnation: number
  readonly state: number
  readonly vsn: Uint8Array
}

/** The whole table of a node, to join with or to compare. */
export interface PushPull {
  readonly type: 'pushPull'
  readonly join: boolean
  readonly nodes: readonly NodeEntry[]
  readonly userState: Uint8Array
}

/** Why a stream was refused, for people. */
export interface Err {
  readonly type: 'err'
  readonly error: string
}

/** What a datagram carries, wrapping aside. */
export type PacketMessage = Ping | IndirectPing | Ack | Nack | Suspect | Alive | Dead | User

/** What a stream carries, wrapping aside. */
export type StreamMessage = Ping | Ack | PushPull | User | Err

interface PushPullHeader {
  readonly nodes: number
  readonly userStateLen: number
  readonly join: boolean
}

interface UserHeader {
  readonly userMsgLen: number
}

interface Compressed {
  readonly algo: number
  readonly buf: Uint8Array
}

const source = [
  ['SourceAddr', 'shared', 6, 'omitEmpty'],
  ['SourceNode', 'text', 8, 'omitEmpty'],
  ['SourcePort', 'u16', 7, 'omitEmpty'],
] as const satisfies readonly Row<IndirectPing>[]

const claim: readonly Row<Suspect>[] = [
  ['From', 'text', 2],
  ['Incarnation', 'u32', 0],
  ['Node', 'text', 1],
]

interface Structures {
  readonly ping: Ping
  readonly indirectPing: IndirectPing
  readonly ack: Ack
  readonly nack: Nack
  readonly suspect: Suspect
  readonly dead: Dead
  readonly alive: Alive
  readonly pushPullHeader: PushPullHeader
  readonly nodeEntry: NodeEntry
  readonly userHeader: UserHeader
  readonly compress: Compressed
  readonly err: Err
}

/** The structures, one row per field in wire order. */
export const structs: { readonly [Name in keyof Structures]: Struct<Structures[Name]> } = {
  ping: new Struct('ping', [['Node', 'text', 1], ['SeqNo', 'u32', 0], ...source]),
  indirectPing: new Struct('indirectPing', [
    ['Nack', 'bool', 5],
    ['Node', 'text', 4],
    ['Port', 'u16', 3],
    ['SeqNo', 'u32', 0],
    ...source,
    ['Target', 'shared', 2],
  ]),
  ack: new Struct('ack', [
    ['Payload', 'bytes', 1],
    ['SeqNo', 'u32', 0],
  ]),
  nack: new Struct('nack', [['SeqNo', 'u32', 0]]),
  suspect: new Struct('suspect', claim),
  dead: new Struct<Dead>('dead', claim),
  alive: new Struct('alive', [
    ['Addr', 'shared', 2],
    ['Incarnation', 'u32', 0],
    ['Meta', 'bytes', 4],
    ['Node', 'text', 1],
    ['Port', 'u16', 3],
    ['Vsn', 'shared', 5],
  ]),
  pushPullHeader: new Struct(undefined, [
    ['Join', 'bool', 2],
    ['Nodes', 'int', 0],
    ['UserStateLen', 'int', 1],
  ]),
  nodeEntry: new Struct(undefined, [
    ['Addr', 'shared', 1],
    ['Incarnation', 'u32', 4],
    ['Meta', 'bytes', 3],
    ['Name', 'text', 0],
    ['Port', 'u16', 2],
    ['State', 'int', 5],
    ['Vsn', 'shared', 6],
  ]),
  userHeader: new Struct(undefined, [['UserMsgLen', 'int', 0]]),
  compress: new Struct(undefined, [
    ['Algo', 'u8', 0],
    ['Buf', 'bytes', 1],
  ]),
  err: new Struct('err', [['Error', 'text', 0]]),
}

type Mapped = Exclude<PacketMessage, User>

/** The structures of datagrams by their type byte. */
const byCode: readonly (Struct<Mapped> | undefined)[] = Array.from({ length: 16 }, (_, code) => {
  const types = ['ping', 'indirectPing', 'ack', 'nack', 'suspect', 'alive', 'dead'] as const
  const type = types.find(one => messageTypes[one] === code)
  return type && (structs[type] as Struct<Mapped>)
})

/** Reads the message in `bytes[from, to)`, type byte included, as a datagram carries it; or says why not. */
export function decodeMessage(bytes: Uint8Array, from = 0, to: number = bytes.length): PacketMessage | Fault {
  if (from >= to) return 'empty'
  const code = bytes[from] as number
  if (code === messageTypes.user) return { type: 'user', payload: copyOf(bytes, from + 1, to) }
  const struct = byCode[code]
  if (struct === undefined) return 'unknownType'
  const u = new Unpacker(bytes, from + 1, to)
  const message = struct.read(u)
  return u.fault ?? message
}

/** Writes a message as a datagram carries it, type byte first, bare. Throws `TypeError` for a number out of range. */
export function encodeMessage(message: PacketMessage): Uint8Array {
  const { type } = message
  if (type === 'user')
    return new Writer(1 + message.payload.length).u8(messageTypes.user).bytes(message.payload).finish()
  const w = new Writer(128).u8(messageTypes[type])
  const struct = structs[type] as Struct<Mapped>
  struct.write(w, message)
  return w.finish()
}
