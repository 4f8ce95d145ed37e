import type { Fault } from './fault.ts'

// The variable-width LZW of GIF with 8-bit literals: bits least significant first, 9 to 12 bits a code, no early change.

const CLEAR = 256
const END = 257
const FIRST_WIDTH = 9
const LAST_WIDTH = 12
const CODES = 1 << LAST_WIDTH

const MAX_HASH_BITS = 13
/** Open addressing: each entry is (prefix code, byte, code) in 12 + 8 + 12 bits; codes start above 257, so 0 is free. */
const known = new Uint32Array(1 << MAX_HASH_BITS)

/** Compresses `bytes`; undefined as soon as the result would be longer than `limit`. */
export function lzwCompress(
  bytes: Uint8Array,
  limit: number = Number.MAX_SAFE_INTEGER,
): Uint8Array | undefined {
  // A small message needs, and clears, a small part of the table.
  const hashBits = Math.min(MAX_HASH_BITS, 33 - Math.clz32(bytes.length))
  const hashMask = (1 << hashBits) - 1
  const worst = Math.ceil(((bytes.length + bytes.length / 3000 + 4) * LAST_WIDTH) / 8) + 4
  const out = new Uint8Array(Math.min(worst, limit + 4))
  let length = 0
  let bits = 0
  let bitCount = 0
  let width = FIRST_WIDTH
  let last = END

  const emit = (code: number): void => {
    bits |= code << bitCount
    bitCount += width
    while (bitCount >= 8) {
      out[length++] = bits
      bits >>>= 8
      bitCount -= 8
    }
  }
  /** Counts the code that the reader assigns now; false when all are used up and the table starts anew. */
  const assign = (): boolean => {
    last++
    if (last === 1 << width) width++
    if (last < CODES - 1) return true
    emit(CLEAR)
    width = FIRST_WIDTH
    last = END
    known.fill(0, 0, hashMask + 1)
    return false
  }

  known.fill(0, 0, hashMask + 1)
  emit(CLEAR)
  if (bytes.length > 0) {
    let prefix = bytes[0] as number
    for (let at = 1; at < bytes.length; at++) {
      const byte = bytes[at] as number
      const key = (prefix << 8) | byte
      let slot = Math.imul(key, 0x9e3779b1) >>> (32 - hashBits)
      let entry = known[slot] as number
      while (entry !== 0 && entry >>> LAST_WIDTH !== key) {
        slot = (slot + 1) & hashMask
        entry = known[slot] as number
      }
      if (entry !== 0) {
        prefix = entry & (CODES - 1)
        continue
      }
      emit(prefix)
      if (length > limit) return undefined
      if (assign()) known[slot] = (key << LAST_WIDTH) | last
      prefix = byte
    }
    emit(prefix)
    assign()
  }
  emit(END)
  if (bitCount > 0) out[length++] = bits
  return length > limit ? undefined : out.slice(0, length)
}

const prefixes = new Uint16Array(CODES)
const lastBytes = new Uint8Array(CODES)
const firstBytes = new Uint8Array(CODES)
const lengths = new Uint16Array(CODES)
for (let i = 0; i < CLEAR; i++) {
  lastBytes[i] = i
  firstBytes[i] = i
  lengths[i] = 1
}

/**
 * Expands what `lzwCompress` or Go's compress/lzw wrote. Gives `badCompression` for a stream that breaks off or names a code
 * that does not exist, and `tooLarge` as soon as the result would pass `limit` bytes.
 */
export function lzwExpand(bytes: Uint8Array, limit: number): Uint8Array | Fault {
  let out = new Uint8Array(Math.min(limit, 64 + bytes.length * 4))
  let length = 0
  let bits = 0
  let bitCount = 0
  let at = 0
  let width = FIRST_WIDTH
  let last = END
  /** The code before this one, -1 after a clear and once the table is full: nothing is to be added then. */
  let previous = -1

  for (;;) {
    while (bitCount < width) {
      if (at === bytes.length) return 'badCompression'
      bits |= (bytes[at++] as number) << bitCount
      bitCount += 8
    }
    const code = bits & ((1 << width) - 1)
    bits >>>= width
    bitCount -= width

    if (code === CLEAR) {
      width = FIRST_WIDTH
      last = END
      previous = -1
      continue
    }
    if (code === END) return out.slice(0, length)
    // The entry being assigned by this very code is the previous string with its own first byte appended.
    const pending = code === last && previous >= 0
    if (code > END && !pending && code > last) return 'badCompression'
    const head = firstBytes[pending ? previous : code] as number
    if (previous >= 0) {
      prefixes[last] = previous
      lastBytes[last] = head
      firstBytes[last] = firstBytes[previous] as number
      lengths[last] = (lengths[previous] as number) + 1
    }

    const size = lengths[code] as number
    if (length + size > limit) return 'tooLarge'
    if (length + size > out.length) {
      const grown = new Uint8Array(Math.min(limit, Math.max(length + size, out.length * 2)))
      grown.set(out)
      out = grown
    }
    length += size
    let from = code
    for (let to = length - 1; from > END; to--) {
      out[to] = lastBytes[from] as number
      from = prefixes[from] as number
    }
    out[length - size] = from

    previous = code
    if (++last === 1 << width) {
      if (width < LAST_WIDTH) width++
      else {
        last--
        previous = -1
      }
    }
  }
}
