import { notification, WireFault } from './fault.ts'
import { messageTypes } from './iana.ts'
import type { Message } from './message.ts'

/** Octets of the header: marker, length, type (RFC 4271 section 4.1). */
export const HEADER = 19

/** Octets that a message may have at most, header included (RFC 4271 section 4.1). */
export const MAX_MESSAGE = 4096

/** And with the capability `extendedMessage`, except for OPEN and KEEPALIVE (RFC 8654 section 3). */
export const MAX_EXTENDED_MESSAGE = 65535

/** Lengths that each type of message can have; `max` where it is fewer octets than the session allows. */
const lengths: { readonly [Type in Message['type']]: { readonly min: number; readonly max?: number } } = {
  open: { min: 29, max: MAX_MESSAGE },
  update: { min: 23 },
  notification: { min: 21 },
  keepalive: { min: HEADER, max: HEADER },
  routeRefresh: { min: 23 },
}

const names = new Map(
  Object.entries(messageTypes).map(([name, type]) => [type as number, name as Message['type']]),
)

/** The octets that a message of this type may have at most. */
export function maxLength(type: Message['type'], extendedMessage: boolean): number {
  return Math.min(lengths[type].max ?? Infinity, extendedMessage ? MAX_EXTENDED_MESSAGE : MAX_MESSAGE)
}

/** What the header of a message says. `length` counts the header. */
export interface Header {
  readonly length: number
  readonly type: Message['type']
}

/**
 * Reads and checks a header, of which all octets must be there. Throws `BAD_HEADER` as RFC 4271 section 6.1 demands.
 *
 * ```text
 *  0                               16      18  19
 * +-------------------------------+-------+---+
 * | marker, all ones              | length|typ|
 * +-------------------------------+-------+---+
 * ```
 */
export function readHeader(bytes: Uint8Array, at: number, extendedMessage: boolean): Header {
  for (let i = at; i < at + 16; i++)
    if (bytes[i] !== 0xff)
      throw new WireFault(
        'BAD_HEADER',
        'a message does not begin with the marker: the other side speaks no BGP, or lost its place',
        notification('header', 'notSynchronized'),
      )
  const length = ((bytes[at + 16] as number) << 8) | (bytes[at + 17] as number)
  const code = bytes[at + 18] as number
  const type = names.get(code)
  const [min, max] =
    type === undefined
      ? [HEADER, extendedMessage ? MAX_EXTENDED_MESSAGE : MAX_MESSAGE]
      : [lengths[type].min, maxLength(type, extendedMessage)]
  if (length < min || length > max)
    throw new WireFault(
      'BAD_HEADER',
      `a message of type ${code} claims ${length} octets, where ${min} to ${max} are possible`,
      notification('header', 'badLength', Uint8Array.of(length >>> 8, length & 0xff)),
    )
  if (type === undefined)
    throw new WireFault(
      'BAD_HEADER',
      `message type ${code} does not exist`,
      notification('header', 'badType', Uint8Array.of(code)),
    )
  return { length, type }
}

const marker = new Uint8Array(16).fill(0xff)

/** Writes the header into the first octets of a whole message. */
export function writeHeader(
  message: Uint8Array,
  type: Message['type'],
  length: number = message.length,
): void {
  message.set(marker)
  message[16] = length >>> 8
  message[17] = length & 0xff
  message[18] = messageTypes[type]
}
