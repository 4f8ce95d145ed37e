import { CarillonError, Reader, Writer } from '@carillon/core'
import { notification, WireFault } from './fault.ts'
import { HEADER, maxLength, readHeader, writeHeader } from './header.ts'
import type { Dialect, Message } from './message.ts'
import { readNotification, writeNotification } from './notification.ts'
import { readOpen, writeOpen } from './open.ts'
import { readRouteRefresh, writeRouteRefresh } from './route-refresh.ts'
import { readUpdate, writeUpdate } from './update.ts'

/** A message as it was read. */
export interface Decoded {
  readonly message: Message
  /**
   * What was wrong with an UPDATE and does not end the session. With a `withdraw` among them, every prefix in the message counts
   * as withdrawn (RFC 7606 section 2), also those that it announces. Attributes with a fault are not in the message.
   */
  readonly faults: readonly WireFault[]
}

interface Row<M extends Message> {
  read(r: Reader, dialect: Dialect, whole: Uint8Array): Decoded
  write(w: Writer, message: M, dialect: Dialect): void
}

const sound = (message: Message): Decoded => ({ message, faults: [] })
const keepalive = sound({ type: 'keepalive' })

const table: { readonly [Type in Message['type']]: Row<Extract<Message, { readonly type: Type }>> } = {
  open: { read: r => sound(readOpen(r)), write: writeOpen },
  update: { read: readUpdate, write: writeUpdate },
  notification: { read: r => sound(readNotification(r)), write: writeNotification },
  keepalive: { read: () => keepalive, write: () => undefined },
  routeRefresh: { read: (r, _, whole) => sound(readRouteRefresh(r, whole)), write: writeRouteRefresh },
}

/**
 * Reads one whole message, its header included, as `Framer` gives them. Byte fields are views of `bytes`. Throws a
 * `WireFault` where the session must fall, with the NOTIFICATION to send.
 */
export function decodeMessage(bytes: Uint8Array, dialect: Dialect): Decoded {
  if (bytes.length < HEADER)
    throw new WireFault(
      'BAD_HEADER',
      `${bytes.length} bytes are too few for a message`,
      notification('header', 'badLength', Uint8Array.of(0, bytes.length)),
    )
  const { length, type } = readHeader(bytes, 0, dialect.extendedMessage)
  if (length !== bytes.length)
    throw new WireFault(
      'BAD_HEADER',
      `a message of ${bytes.length} octets claims ${length}`,
      notification('header', 'badLength', bytes.slice(16, 18)),
    )
  return table[type].read(new Reader(bytes.subarray(HEADER)), dialect, bytes)
}

const noHeader = new Uint8Array(HEADER)

/**
 * Writes one whole message, its header included. Throws `MESSAGE_TOO_LARGE` where the dialect does not allow its length, and
 * `BAD_LENGTH` where a part does not fit its own length field.
 */
export function encodeMessage(message: Message, dialect: Dialect): Uint8Array {
  const w = new Writer().bytes(noHeader)
  const row = table[message.type] as Row<Message>
  row.write(w, message, dialect)
  const max = maxLength(message.type, dialect.extendedMessage)
  if (w.length > max)
    throw new CarillonError(
      'MESSAGE_TOO_LARGE',
      `a BGP message (${message.type}) of ${w.length} octets exceeds the ${max} that the session can carry`,
      { type: message.type, length: w.length, max },
    )
  const bytes = w.finish()
  writeHeader(bytes, message.type)
  return bytes
}
