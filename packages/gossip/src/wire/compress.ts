import { Writer } from '@carillon/core'
import type { Fault } from './fault.ts'
import { lzwCompress, lzwExpand } from './lzw.ts'
import { messageTypes, structs } from './messages.ts'

const LZW = 0

/** Bytes around the compressed ones, at least: type, map, names, algorithm, shortest header. */
const OVERHEAD = 13

/** Compresses a message, always: streams are compressed even where that makes them longer. */
export function compress(message: Uint8Array): Uint8Array {
  return wrap(lzwCompress(message) as Uint8Array)
}

/** Compresses a message if that makes it strictly smaller; otherwise gives it as it is. */
export function compressIfSmaller(message: Uint8Array): Uint8Array {
  const limit = message.length - 1 - OVERHEAD
  const buf = limit > 0 ? lzwCompress(message, limit) : undefined
  if (buf === undefined) return message
  const wrapped = wrap(buf)
  return wrapped.length < message.length ? wrapped : message
}

function wrap(buf: Uint8Array): Uint8Array {
  const w = new Writer(OVERHEAD + 4 + buf.length).u8(messageTypes.compress)
  structs.compress.write(w, { algo: LZW, buf })
  return w.finish()
}

/** The message inside of a compressed one whose fields were read. At most `limit` bytes, and not empty. */
export function expand(
  compressed: { readonly algo: number; readonly buf: Uint8Array },
  limit: number,
): Uint8Array | Fault {
  if (compressed.algo !== LZW) return 'badCompression'
  const message = lzwExpand(compressed.buf, limit)
  return typeof message !== 'string' && message.length === 0 ? 'empty' : message
}
