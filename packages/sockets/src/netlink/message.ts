import { CarillonError } from '@carillon/core'
import { littleEndian } from '../linux.ts'

/** The kinds of netlink message that we read (linux/netlink.h, linux/rtnetlink.h). */
export const kinds = {
  error: 2,
  done: 3,
  overrun: 4,
  newLink: 16,
  deleteLink: 17,
  getLink: 18,
  newAddress: 20,
  deleteAddress: 21,
  getAddress: 22,
} as const

const HEADER = 16

/** One netlink message; `body` is a view. */
export interface NetlinkMessage {
  readonly kind: number
  readonly flags: number
  readonly sequence: number
  readonly body: DataView
}

/** A dump was disturbed by a change and has to be repeated (NLM_F_DUMP_INTR). */
export const DUMP_INTERRUPTED = 0x10

const align = (length: number): number => (length + 3) & ~3

const truncated = (what: string, length: number, left: number): CarillonError =>
  new CarillonError('BAD_LENGTH', `a netlink ${what} claims ${length} bytes of ${left}`, {
    what,
    length,
    left,
  })

/**
 * Reads the messages of one netlink datagram: `struct nlmsghdr` is length (4), kind (2), flags (2), sequence (4), port (4), in the
 * machine's byte order. Throws `BAD_LENGTH`.
 */
export function* readMessages(bytes: Uint8Array): Generator<NetlinkMessage> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  while (at < bytes.length) {
    const left = bytes.length - at
    if (left < HEADER) throw truncated('message', HEADER, left)
    const length = view.getUint32(at, littleEndian)
    if (length < HEADER || length > left) throw truncated('message', length, left)
    yield {
      kind: view.getUint16(at + 4, littleEndian),
      flags: view.getUint16(at + 6, littleEndian),
      sequence: view.getUint32(at + 8, littleEndian),
      body: part(view, at + HEADER, length - HEADER),
    }
    at += align(length)
  }
}

/**
 * Reads attributes that start at `offset`: `struct rtattr` is length (2), type (2), then the value, padded to 4 bytes. Throws
 * `BAD_LENGTH`.
 */
export function readAttributes(body: DataView, offset: number): ReadonlyMap<number, DataView> {
  const attributes = new Map<number, DataView>()
  let at = offset
  while (at < body.byteLength) {
    const left = body.byteLength - at
    if (left < 4) throw truncated('attribute', 4, left)
    const length = body.getUint16(at, littleEndian)
    if (length < 4 || length > left) throw truncated('attribute', length, left)
    // The two highest bits are flags: nested, and in network byte order.
    attributes.set(body.getUint16(at + 2, littleEndian) & 0x3fff, part(body, at + 4, length - 4))
    at += align(length)
  }
  return attributes
}

/** The errno in an error or done message, as a negative number; 0 for none. */
export function readErrno(message: NetlinkMessage): number {
  return message.body.byteLength < 4 ? 0 : message.body.getInt32(0, littleEndian)
}

/** Asks for everything of one kind: all links without their statistics, or all addresses. */
export function dumpRequest(kind: number, sequence: number): Uint8Array {
  const links = kind === kinds.getLink
  // ifinfomsg (16) and an attribute IFLA_EXT_MASK; or ifaddrmsg (8).
  const length = HEADER + (links ? 24 : 8)
  const out = new Uint8Array(length)
  const view = new DataView(out.buffer)
  view.setUint32(0, length, littleEndian)
  view.setUint16(4, kind, littleEndian)
  view.setUint16(6, 0x301, littleEndian)
  view.setUint32(8, sequence, littleEndian)
  if (links) {
    view.setUint16(32, 8, littleEndian)
    view.setUint16(34, 29, littleEndian)
    view.setUint32(36, 8, littleEndian)
  }
  return out
}

function part(view: DataView, offset: number, length: number): DataView {
  return new DataView(view.buffer, view.byteOffset + offset, length)
}

/** A copy of a view's bytes. */
export function copyOf(view: DataView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice()
}
