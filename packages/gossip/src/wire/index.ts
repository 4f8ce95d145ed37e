export { broadcastRoom, PART_OVERHEAD, USER_OVERHEAD } from './budget.ts'
export { compound, MAX_PARTS } from './compound.ts'
export { encryptionOverhead } from './encrypt.ts'
export { type Fault, faults } from './fault.ts'
export { encodeLabel, LABEL_HEADER } from './label.ts'
export {
  type Ack,
  type Alive,
  type Dead,
  decodeMessage,
  type Err,
  encodeMessage,
  type IndirectPing,
  messageTypes,
  type Nack,
  type NodeEntry,
  nodeStates,
  type PacketMessage,
  type Ping,
  type PushPull,
  type StreamMessage,
  type Suspect,
  type User,
} from './messages.ts'
export type { IntegerForm } from './msgpack.ts'
export type { SecretKeys, WireOptions } from './options.ts'
export {
  type DecodedPacket,
  decodePacket,
  encodePacket,
  type OpenedPacket,
  openPacket,
  type PacketLimits,
  type PacketOptions,
  packetLimits,
} from './packet.ts'
export {
  encodeStream,
  type StreamLimits,
  type StreamOptions,
  StreamReader,
  type StreamResult,
  type StreamSide,
  streamLimits,
} from './stream.ts'
export { decodeText, encodeText } from './text.ts'
export { NO_BYTES } from './unpacker.ts'
