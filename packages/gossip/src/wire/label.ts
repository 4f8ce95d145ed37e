import { CarillonError, Writer } from '@carillon/core'
import type { Fault } from './fault.ts'
import { messageTypes } from './messages.ts'
import type { WireOptions } from './options.ts'
import { encodeText } from './text.ts'
import { NO_BYTES } from './unpacker.ts'

/** Bytes in front of the label itself: the type and the length. */
export const LABEL_HEADER = 2

/** The bytes of a label, for `WireOptions.label`; none for the empty text. Throws `BAD_LABEL` above 255 bytes. */
export function encodeLabel(text: string): Uint8Array {
  const label = encodeText(text)
  if (label.length > 255)
    throw new CarillonError('BAD_LABEL', `the label has ${label.length} bytes; shorten it to at most 255`, {
      length: label.length,
    })
  return label
}

/** Puts the label header in front of what is sent: nothing for an empty label. */
export function withLabel(label: Uint8Array, bytes: Uint8Array): Uint8Array {
  if (label.length === 0) return bytes
  return new Writer(LABEL_HEADER + label.length + bytes.length)
    .u8(messageTypes.label)
    .u8(label.length)
    .bytes(label)
    .bytes(bytes)
    .finish()
}

/**
 * How many bytes of label header are to be taken off the front of `bytes`, or why they are refused; `truncated` when the header
 * is not all there.
 *
 * ```text
 *  0       1        2
 * +-------+--------+--------~
 * | 244   | length | label      (no header at all when there is no label)
 * +-------+--------+--------~
 * ```
 */
export function takeLabel(
  bytes: Uint8Array,
  from: number,
  to: number,
  { label = NO_BYTES, skipInboundLabelCheck = false }: WireOptions,
): number | Fault {
  const present = bytes[from] === messageTypes.label
  if (skipInboundLabelCheck) return present ? 'unexpectedLabel' : 0
  if (!present) return label.length === 0 ? 0 : 'wrongLabel'
  if (to - from < LABEL_HEADER) return 'truncated'
  const length = bytes[from + 1] as number
  if (length === 0) return 'badLabel'
  if (to - from < LABEL_HEADER + length) return 'truncated'
  if (length !== label.length) return 'wrongLabel'
  for (let i = 0; i < length; i++) if (bytes[from + LABEL_HEADER + i] !== label[i]) return 'wrongLabel'
  return LABEL_HEADER + length
}
