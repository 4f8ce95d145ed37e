import { Buffer } from 'node:buffer'
import { badRequest, type Refusal } from '../api/status.ts'

/** One field of a message: its number, and what is in it. */
export interface Part {
  readonly field: number
  /** Of what has a length. */
  readonly bytes: Buffer
  /** Of a number. */
  readonly number: number
}

const broken = (): Refusal => badRequest('the body is not valid protobuf')
const none = Buffer.alloc(0)

/** The fields of a message, in order. @throws Refusal 400 */
export function partsOf(message: Buffer): readonly Part[] {
  const parts: Part[] = []
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = message[at]
      if (byte === undefined || factor > 2 ** 63) throw broken()
      at++
      value += (byte & 127) * factor
      if (byte < 128) return value
    }
  }
  const take = (length: number): Buffer => {
    if (at + length > message.length) throw broken()
    at += length
    return message.subarray(at - length, at)
  }
  while (at < message.length) {
    const key = varint()
    const field = Math.floor(key / 8)
    switch (key % 8) {
      case 0:
        parts.push({ field, bytes: none, number: varint() })
        break
      case 1:
        parts.push({ field, bytes: take(8), number: 0 })
        break
      case 2:
        parts.push({ field, bytes: take(varint()), number: 0 })
        break
      case 5:
        parts.push({ field, bytes: take(4), number: 0 })
        break
      default:
        throw broken()
    }
  }
  return parts
}
