import type { Writer } from '@carillon/core'
import { encodeText } from './text.ts'

/**
 * How signed fields above 127 are written: as go-msgpack 2.x does (memberlist 0.5 and later; 200 is `d1 00 c8`) or as 0.5.x
 * did (200 is `cc c8`). Readers take both.
 */
export type IntegerForm = 'signed' | 'unsigned'

/** Writes an unsigned number (0 to 2^32-1) in its shortest form. */
export function writeUnsigned(w: Writer, value: number): void {
  if (value < 0x80) w.u8(value)
  else if (value < 0x100) w.u8(0xcc).u8(value)
  else if (value < 0x10000) w.u8(0xcd).u16(value)
  else w.u8(0xce).u32(value)
}

/** Writes a length or state (0 to 2^31-1) in its shortest signed form. */
export function writeSigned(w: Writer, value: number): void {
  if (value < 0x80) w.u8(value)
  else if (value < 0x8000) w.u8(0xd1).u16(value)
  else w.u8(0xd2).u32(value)
}

/** Writes a string or byte string in the formats that msgpack had before it told the two apart. */
export function writeRaw(w: Writer, value: Uint8Array): void {
  const { length } = value
  if (length < 32) w.u8(0xa0 | length)
  else if (length < 0x10000) w.u8(0xda).u16(length)
  else w.u8(0xdb).u32(length)
  w.bytes(value)
}

/** Writes a string. */
export function writeText(w: Writer, value: string): void {
  writeRaw(w, encodeText(value))
}

/** Writes a byte string; an empty one as nil, as nodes without metadata or payload do. */
export function writeBytes(w: Writer, value: Uint8Array): void {
  if (value.length === 0) w.u8(0xc0)
  else writeRaw(w, value)
}
