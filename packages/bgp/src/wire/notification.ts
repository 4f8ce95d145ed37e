import { Reader, type Writer } from '@carillon/core'
import { attributeTable } from './attributes.ts'
import { notification } from './fault.ts'
import { notificationCodes } from './iana.ts'
import type { NotificationMessage } from './message.ts'

/** Reads what follows the header (RFC 4271 section 4.5). */
export function readNotification(r: Reader): NotificationMessage {
  return { type: 'notification', code: r.u8(), subcode: r.u8(), data: r.rest() }
}

/** Writes what follows the header. */
export function writeNotification(w: Writer, { code, subcode, data }: NotificationMessage): void {
  w.u8(code).u8(subcode).bytes(data)
}

const { cease, header, open, update } = notificationCodes
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })
const MAX_TEXT = 255

const is = (message: NotificationMessage, code: number, ...subcodes: readonly number[]): boolean =>
  message.code === code && subcodes.includes(message.subcode)

/**
 * A Cease that ends a session for good or for a reset, with words for the operator on the other side (RFC 9003). Of a text
 * beyond 255 octets of UTF-8 the rest is left out.
 */
export function shutdown(
  subcode: 'administrativeShutdown' | 'administrativeReset',
  text = '',
): NotificationMessage {
  const data = new Uint8Array(1 + MAX_TEXT)
  const { written } = encoder.encodeInto(text, data.subarray(1))
  data[0] = written
  return notification('cease', subcode, data.slice(0, 1 + written))
}

/**
 * The words of a Cease (RFC 9003), without characters that control a terminal. Undefined where there are none, or none that
 * are well formed.
 */
export function shutdownText(message: NotificationMessage): string | undefined {
  const { administrativeShutdown, administrativeReset } = cease.subcodes
  if (!is(message, cease.code, administrativeShutdown.code, administrativeReset.code)) return undefined
  const length = message.data[0] ?? 0
  if (length === 0 || length !== message.data.length - 1) return undefined
  try {
    const text = decoder.decode(message.data.subarray(1))
    return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim() || undefined
  } catch {
    return undefined
  }
}

/** A Hard Reset around another NOTIFICATION: the peer is not to keep routes as for a graceful restart (RFC 8538 section 3.1). */
export function hardReset(reason: NotificationMessage): NotificationMessage {
  return notification('cease', 'hardReset', Uint8Array.of(reason.code, reason.subcode, ...reason.data))
}

/** What a Hard Reset holds; undefined when the message is none, or holds nothing. */
export function hardResetReason(message: NotificationMessage): NotificationMessage | undefined {
  if (!is(message, cease.code, cease.subcodes.hardReset.code) || message.data.length < 2) return undefined
  return readNotification(new Reader(message.data))
}

const attributeNames = new Map(Object.entries(attributeTable).map(([name, { code }]) => [code, name]))
function attribute(code: number): string {
  const name = attributeNames.get(code)
  return name === undefined ? `attribute ${code}` : `attribute ${code} (${name})`
}
const number = (bytes: Uint8Array): number => bytes.reduce((sum, byte) => sum * 256 + byte, 0)

/** What the data of a NOTIFICATION says: code, subcode, number of octets where it is fixed, and the words. */
const details: readonly (readonly [number, number, number | undefined, (data: Uint8Array) => string])[] = [
  [header.code, header.subcodes.badLength.code, 2, data => `length ${number(data)}`],
  [header.code, header.subcodes.badType.code, 1, data => `type ${data[0]}`],
  [open.code, open.subcodes.unsupportedVersion.code, 2, data => `it speaks version ${number(data)}`],
  [open.code, open.subcodes.badPeerAs.code, 2, data => `AS ${number(data)}`],
  [open.code, open.subcodes.badPeerAs.code, 4, data => `AS ${number(data)}`],
  [open.code, open.subcodes.unacceptableHoldTime.code, 2, data => `${number(data)} s`],
  [open.code, open.subcodes.unsupportedCapability.code, undefined, data => `capability ${data[0]}`],
  [update.code, update.subcodes.missingWellKnown.code, 1, data => attribute(data[0] as number)],
  ...[2, 4, 5, 6, 8, 9].map(
    subcode =>
      [
        update.code,
        subcode,
        undefined,
        (data: Uint8Array) => (data.length < 2 ? hexOf(data) : attribute(data[1] as number)),
      ] as const,
  ),
  [
    cease.code,
    cease.subcodes.maximumPrefixes.code,
    7,
    data => `${number(data.subarray(3))} prefixes of AFI ${number(data.subarray(0, 2))}, SAFI ${data[2]}`,
  ],
]

const SHOWN = 32

function hexOf(data: Uint8Array): string {
  const hex = Array.from(data.subarray(0, SHOWN), byte => byte.toString(16).padStart(2, '0')).join('')
  return `data ${hex}${data.length > SHOWN ? '...' : ''}`
}

function dataOf(message: NotificationMessage): string | undefined {
  const text = shutdownText(message)
  if (text !== undefined) return `"${text}"`
  const { code, subcode, data } = message
  // A Cease without words may say so with a length of 0.
  if (data.length === 0 || (code === cease.code && data.length === 1 && data[0] === 0)) return undefined
  const row = details.find(
    ([a, b, length]) => a === code && b === subcode && (length === undefined || length === data.length),
  )
  return row === undefined ? hexOf(data) : row[3](data)
}

function titleOf({ code, subcode }: NotificationMessage): string {
  const known = Object.values(notificationCodes).find(one => one.code === code)
  if (known === undefined) return `error ${code}, subcode ${subcode}`
  const subcodes: readonly { readonly code: number; readonly words: string }[] = Object.values(known.subcodes)
  const named = subcodes.find(one => one.code === subcode)
  if (named === undefined) return `${known.words}: subcode ${subcode}`
  return subcode === 0 ? known.words : `${known.words}: ${named.words}`
}

/**
 * A NOTIFICATION in words, on one line: `Cease: Administrative Shutdown, "maintenance until 5"`. What is not known stands as
 * numbers. Safe to print whatever the peer put in.
 */
export function describeNotification(message: NotificationMessage): string {
  // One level only: a hostile peer could nest thousands.
  const reason = hardResetReason(message)
  const data = reason === undefined ? dataOf(message) : describePlain(reason)
  return data === undefined ? titleOf(message) : `${titleOf(message)}, ${data}`
}

function describePlain(message: NotificationMessage): string {
  const data = dataOf(message)
  return data === undefined ? titleOf(message) : `${titleOf(message)}, ${data}`
}
