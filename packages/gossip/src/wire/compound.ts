import { CarillonError, Writer } from '@carillon/core'
import { messageTypes } from './messages.ts'

/** Messages that one compound can hold. */
export const MAX_PARTS = 255

const MAX_PART = 0xffff

/**
 * Joins messages to one: a single one stays as it is. Throws `MESSAGE_TOO_LARGE` for more than 255 messages or one above 65535
 * bytes, and `TypeError` for none or an empty one (which would crash old peers).
 *
 * ```text
 *  0   1       2                2 + 2 count
 * +---+-------+--------~-------+----------~
 * | 7 | count | length (2) ... | messages
 * +---+-------+--------~-------+----------~
 * ```
 */
export function compound(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts
  if (first === undefined || parts.some(part => part.length === 0))
    throw new TypeError('a packet has at least one message, and none of them is empty')
  if (parts.length === 1) return first
  if (parts.length > MAX_PARTS || parts.some(part => part.length > MAX_PART))
    throw new CarillonError(
      'MESSAGE_TOO_LARGE',
      `${parts.length} messages, the longest of ${Math.max(...parts.map(part => part.length))} bytes, do not fit one packet`,
      { count: parts.length },
    )
  const w = new Writer(1500).u8(messageTypes.compound).u8(parts.length)
  for (const part of parts) w.u16(part.length)
  for (const part of parts) w.bytes(part)
  return w.finish()
}
