import { Reader, Writer } from '@carillon/core'
import { type BfdState, bfdStates } from './state.ts'

/** The mandatory section of a control packet, as version 1 has it. */
export interface ControlPacket {
  readonly state: BfdState
  /** 0 to 31; see `describeDiagnostic`. */
  readonly diagnostic: number
  /** Asks for an answer with `final` set, as soon as possible. */
  readonly poll: boolean
  readonly final: boolean
  /** The sender's BFD does not share the fate of its control plane. */
  readonly controlPlaneIndependent: boolean
  /** Once both are up the sender wants no periodic packets. */
  readonly demand: boolean
  /** 1 to 255 */
  readonly detectMultiplier: number
  /** 1 to 2^32-1 */
  readonly myDiscriminator: number
  /** 0 while the sender does not know ours. */
  readonly yourDiscriminator: number
  /** Microseconds, as every interval here. */
  readonly desiredMinTxUs: number
  /** 0: the sender wants no periodic packets at all. */
  readonly requiredMinRxUs: number
  /** 0: the sender does not return echo packets. */
  readonly requiredMinEchoRxUs: number
}

/** Bytes of a control packet without authentication. */
export const CONTROL_LENGTH = 24

/** Why bytes are no control packet that may be acted on (RFC 5880 section 6.8.6). */
export type ControlFault =
  /** Fewer than 24 bytes, or fewer than its length field says. */
  | 'short'
  /** Not version 1. */
  | 'version'
  /** The length field is below what the packet must have. */
  | 'length'
  /** Detect Mult is 0. */
  | 'multiplier'
  /** The Multipoint bit is set. */
  | 'multipoint'
  /** My Discriminator is 0. */
  | 'discriminator'
  /** Your Discriminator is 0, and the state is neither Down nor AdminDown. */
  | 'state'
  /** Poll and Final at once (section 6.5). */
  | 'flags'
  /** It has an authentication section, which is in use in no session of ours. */
  | 'authentication'

const VERSION = 1
const POLL = 0x20
const FINAL = 0x10
const INDEPENDENT = 0x08
const AUTHENTICATION = 0x04
const DEMAND = 0x02
const MULTIPOINT = 0x01

/**
 * Reads a control packet, or says why it has to be dropped. What follows the length that it claims is ignored. Says it as a value,
 * because whoever floods us with rubbish shall not have us make errors of it.
 *
 * ```text
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-----+---------+---+-+-+-+-+-+-+---------------+---------------+
 * |Vers |  Diag   |Sta|P|F|C|A|D|M|  Detect Mult  |    Length     |   0
 * +-----+---------+---+-+-+-+-+-+-+---------------+---------------+
 * |                       My Discriminator                        |   4
 * |                      Your Discriminator                       |   8
 * |               Desired Min TX Interval, microseconds           |  12
 * |               Required Min RX Interval, microseconds          |  16
 * |             Required Min Echo RX Interval, microseconds       |  20
 * +---------------------------------------------------------------+  24
 * ```
 */
export function decodeControl(bytes: Uint8Array): ControlPacket | ControlFault {
  if (bytes.length < CONTROL_LENGTH) return 'short'
  const r = new Reader(bytes)
  const first = r.u8()
  if (first >>> 5 !== VERSION) return 'version'
  const flags = r.u8()
  const detectMultiplier = r.u8()
  const length = r.u8()
  const authenticated = (flags & AUTHENTICATION) !== 0
  if (length < (authenticated ? CONTROL_LENGTH + 2 : CONTROL_LENGTH)) return 'length'
  if (length > bytes.length) return 'short'
  if (detectMultiplier === 0) return 'multiplier'
  if ((flags & MULTIPOINT) !== 0) return 'multipoint'
  const myDiscriminator = r.u32()
  if (myDiscriminator === 0) return 'discriminator'
  const yourDiscriminator = r.u32()
  const state = bfdStates[flags >>> 6] as BfdState
  if (yourDiscriminator === 0 && state !== 'down' && state !== 'admin-down') return 'state'
  const poll = (flags & POLL) !== 0
  const final = (flags & FINAL) !== 0
  if (poll && final) return 'flags'
  if (authenticated) return 'authentication'
  return {
    state,
    diagnostic: first & 0x1f,
    poll,
    final,
    controlPlaneIndependent: (flags & INDEPENDENT) !== 0,
    demand: (flags & DEMAND) !== 0,
    detectMultiplier,
    myDiscriminator,
    yourDiscriminator,
    desiredMinTxUs: r.u32(),
    requiredMinRxUs: r.u32(),
    requiredMinEchoRxUs: r.u32(),
  }
}

/** Writes a control packet. */
export function encodeControl(packet: ControlPacket): Uint8Array {
  const flags =
    (bfdStates.indexOf(packet.state) << 6) |
    (packet.poll ? POLL : 0) |
    (packet.final ? FINAL : 0) |
    (packet.controlPlaneIndependent ? INDEPENDENT : 0) |
    (packet.demand ? DEMAND : 0)
  return new Writer(CONTROL_LENGTH)
    .u8((VERSION << 5) | packet.diagnostic)
    .u8(flags)
    .u8(packet.detectMultiplier)
    .u8(CONTROL_LENGTH)
    .u32(packet.myDiscriminator)
    .u32(packet.yourDiscriminator)
    .u32(packet.desiredMinTxUs)
    .u32(packet.requiredMinRxUs)
    .u32(packet.requiredMinEchoRxUs)
    .finish()
}
