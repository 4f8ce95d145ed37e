import { Buffer } from 'node:buffer'

// The Distinguished Encoding Rules (X.690), as far as certificates need them: a tag, a length, and what is inside.

function tagged(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const inside = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([tag, ...lengthOf(inside.length)]), inside])
}

function lengthOf(length: number): readonly number[] {
  if (length < 0x80) return [length]
  const bytes: number[] = []
  for (let left = length; left > 0; left = Math.floor(left / 256)) bytes.unshift(left % 256)
  return [0x80 | bytes.length, ...bytes]
}

/** A SEQUENCE. */
export const sequence = (...parts: readonly Uint8Array[]): Buffer => tagged(0x30, ...parts)

/** A SET of one. */
export const set = (part: Uint8Array): Buffer => tagged(0x31, part)

/** A BOOLEAN that is true. */
export const yes: Buffer = tagged(0x01, Buffer.from([0xff]))

/** A small INTEGER. */
export const integer = (value: number): Buffer => tagged(0x02, Buffer.from([value]))

/** An INTEGER of these bytes, positive. */
export const positive = (bytes: Uint8Array): Buffer =>
  tagged(0x02, Buffer.from([((bytes[0] as number) & 0x7f) | 0x40, ...bytes.subarray(1)]))

/** A BIT STRING of whole bytes. */
export const bitString = (bytes: Uint8Array, unused = 0): Buffer => tagged(0x03, Buffer.from([unused]), bytes)

/** An OCTET STRING. */
export const octets = (bytes: Uint8Array): Buffer => tagged(0x04, bytes)

/** A UTF8String. */
export const utf8 = (text: string): Buffer => tagged(0x0c, Buffer.from(text, 'utf8'))

/** A time: UTCTime up to 2049, as RFC 5280 section 4.1.2.5 asks for, and GeneralizedTime from then on. */
export function time(date: Date): Buffer {
  const digits = `${date.toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}Z`
  return date.getUTCFullYear() < 2050
    ? tagged(0x17, Buffer.from(digits.slice(2), 'ascii'))
    : tagged(0x18, Buffer.from(digits, 'ascii'))
}

/** Tagged from the outside: [n] EXPLICIT. */
export const explicit = (tag: number, part: Uint8Array): Buffer => tagged(0xa0 | tag, part)

/** Tagged instead of its own tag: [n] IMPLICIT, of bytes. */
export const implicit = (tag: number, bytes: Uint8Array): Buffer => tagged(0x80 | tag, bytes)

/** An OBJECT IDENTIFIER from its dotted form. */
export function identifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = [first * 40 + second]
  for (const part of rest) {
    const groups = [part % 128]
    for (let left = Math.floor(part / 128); left > 0; left = Math.floor(left / 128))
      groups.unshift((left % 128) | 128)
    bytes.push(...groups)
  }
  return tagged(0x06, Buffer.from(bytes))
}
