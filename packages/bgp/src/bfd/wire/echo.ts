import { Reader, Writer } from '@carillon/core'

/** What we send as an echo packet; the RFC leaves its contents to the sender (RFC 5880 section 4.4). */
export interface EchoPacket {
  /** Of the session that it belongs to, ours. */
  readonly discriminator: number
  /** Counts the echo packets of a session. */
  readonly sequence: number
  /** 8 bytes that only the session knows, so that nobody makes up a returning packet. */
  readonly key: Uint8Array
}

const MAGIC = 0x43424644
const VERSION = 1
const ECHO_LENGTH = 24
const KEY_LENGTH = 8

/**
 * Reads an echo packet of ours; undefined for one of somebody else's. What follows it is ignored.
 *
 * ```text
 *  0               4       5               8               12              16              24
 * +---------------+-------+---------------+---------------+---------------+---------------+
 * | "CBFD"        | ver 1 | 0             | discriminator | sequence      | key           |
 * +---------------+-------+---------------+---------------+---------------+---------------+
 * ```
 */
export function decodeEcho(bytes: Uint8Array): EchoPacket | undefined {
  if (bytes.length < ECHO_LENGTH) return undefined
  const r = new Reader(bytes)
  if (r.u32() !== MAGIC || r.u8() !== VERSION) return undefined
  r.skip(3)
  return { discriminator: r.u32(), sequence: r.u32(), key: r.take(KEY_LENGTH) }
}

/** Writes an echo packet. */
export function encodeEcho({ discriminator, sequence, key }: EchoPacket): Uint8Array {
  return new Writer(ECHO_LENGTH)
    .u32(MAGIC)
    .u8(VERSION)
    .u24(0)
    .u32(discriminator)
    .u32(sequence)
    .bytes(key.subarray(0, KEY_LENGTH))
    .finish()
}
