import { copyOf } from './copy.ts'
import type { Fault } from './fault.ts'
import { Recall } from './recall.ts'
import { decodeText } from './text.ts'

/** No bytes: what nil, empty and missing byte strings read as. */
export const NO_BYTES: Uint8Array = new Uint8Array(0)

const NIL = 0xc0

const texts = new Recall(decodeText)
const byteStrings = new Recall(copyOf)
const shareBytes = (bytes: Uint8Array, from: number, to: number): Uint8Array =>
  byteStrings.read(bytes, from, to)

/** Values that are passed over at once, at most; a node sends a dozen. */
const MAX_SKIPPED = 4096

/**
 * Reads msgpack as memberlist's nodes take it: old and new string formats, byte strings also as arrays of numbers, integers
 * of any width, nil as the zero of every type.
 *
 * It never throws. The first failure is kept in `fault`, and from then on every read gives a zero; callers look once, at the
 * end. Work and memory are bounded by the bytes present, whatever lengths they claim.
 */
export class Unpacker {
  readonly bytes: Uint8Array
  /** Where the next value begins. */
  at: number
  readonly end: number
  fault: Fault | undefined
  /** After the fault `truncated`: the offset that the bytes must reach before it is worth another try. */
  needed = 0

  constructor(bytes: Uint8Array, at = 0, end: number = bytes.length) {
    this.bytes = bytes
    this.at = at
    this.end = end
    this.fault = undefined
  }

  /** Stops the reading. */
  fail(fault: Fault): 0 {
    this.fault ??= fault
    this.at = this.end
    return 0
  }

  /** True if `count` bytes are there; otherwise the reading has failed. */
  #has(count: number): boolean {
    if (count <= this.end - this.at) return true
    if (this.fault === undefined) this.needed = this.at + count
    this.fail('truncated')
    return false
  }

  #u8(): number {
    return this.#has(1) ? (this.bytes[this.at++] as number) : 0
  }

  /** An unsigned big-endian number of 1, 2, 4 or 8 bytes; above 2^53 it is rounded, which every field's limit refuses. */
  #unsigned(width: number): number {
    if (!this.#has(width)) return 0
    let value = 0
    for (let i = 0; i < width; i++) value = value * 256 + (this.bytes[this.at++] as number)
    return value
  }

  #signed(width: number): number {
    const value = this.#unsigned(width)
    const range = 2 ** (8 * width)
    return value >= range / 2 ? value - range : value
  }

  /** An integer from `min` to `max`. */
  integer(min: number, max: number): number {
    const head = this.#u8()
    let value: number
    if (head < 0x80) value = head
    else if (head >= 0xe0) value = head - 0x100
    else if (head >= 0xcc && head <= 0xcf) value = this.#unsigned(1 << (head - 0xcc))
    else if (head >= 0xd0 && head <= 0xd3) value = this.#signed(1 << (head - 0xd0))
    else return head === NIL ? 0 : this.fail('malformed')
    return value < min || value > max ? this.fail('overflow') : value
  }

  boolean(): boolean {
    const head = this.#u8()
    if (head !== 0xc2 && head !== 0xc3 && head !== NIL) this.fail('malformed')
    return head === 0xc3
  }

  text(): string {
    const length = this.raw()
    if (length <= 0) return ''
    const from = this.at
    this.at = from + length
    return texts.read(this.bytes, from, this.at)
  }

  /** A byte string, copied. */
  byteString(): Uint8Array {
    return this.#byteString(copyOf)
  }

  /** A byte string that nobody writes to: equal ones may be one array. */
  sharedBytes(): Uint8Array {
    return this.#byteString(shareBytes)
  }

  #byteString(make: (bytes: Uint8Array, from: number, to: number) => Uint8Array): Uint8Array {
    const head = this.bytes[this.at] as number
    if (this.at < this.end && ((head >= 0x90 && head <= 0x9f) || head === 0xdc || head === 0xdd))
      return this.#numbers()
    const length = this.raw()
    if (length <= 0) return NO_BYTES
    const from = this.at
    this.at = from + length
    return make(this.bytes, from, this.at)
  }

  #numbers(): Uint8Array {
    const head = this.#u8()
    const count = head < 0xa0 ? head & 0x0f : this.#unsigned(head === 0xdc ? 2 : 4)
    // Every element takes a byte at least.
    if (!this.#has(count)) return NO_BYTES
    const out = new Uint8Array(count)
    for (let i = 0; i < count; i++) out[i] = this.integer(0, 255)
    return this.fault === undefined ? out : NO_BYTES
  }

  /** The length of the string or byte string that begins here, whose bytes are next and all there. Nil gives 0. */
  raw(): number {
    const head = this.#u8()
    let length: number
    if (head >= 0xa0 && head <= 0xbf) length = head & 0x1f
    else if (head === 0xda || head === 0xc5) length = this.#unsigned(2)
    else if (head === 0xd9 || head === 0xc4) length = this.#unsigned(1)
    else if (head === 0xdb || head === 0xc6) length = this.#unsigned(4)
    else return head === NIL ? 0 : this.fail('malformed')
    return this.#has(length) ? length : 0
  }

  /** The head of a structure: how many fields follow, as a map (name and value) or as an array (values in order). */
  structure(): { readonly count: number; readonly keyed: boolean } {
    const head = this.#u8()
    if (head >= 0x80 && head <= 0x8f) return { count: head & 0x0f, keyed: true }
    if (head >= 0x90 && head <= 0x9f) return { count: head & 0x0f, keyed: false }
    if (head === 0xde || head === 0xdf) return { count: this.#unsigned(head === 0xde ? 2 : 4), keyed: true }
    if (head === 0xdc || head === 0xdd) return { count: this.#unsigned(head === 0xdc ? 2 : 4), keyed: false }
    if (head !== NIL) this.fail('malformed')
    return { count: 0, keyed: true }
  }

  /**
   * Passes over one value of any kind, however deeply nested, in constant memory; `tooLarge` when it consists of thousands.
   */
  skip(): void {
    let seen = 0
    for (let pending = 1; pending > 0 && this.fault === undefined; pending--) {
      if (++seen > MAX_SKIPPED) this.fail('tooLarge')
      const head = this.#u8()
      if (head < 0x80 || head >= 0xe0 || (head >= 0xc0 && head <= 0xc3)) {
        if (head === 0xc1) this.fail('malformed')
      } else if (head <= 0x8f) pending += 2 * (head & 0x0f)
      else if (head <= 0x9f) pending += head & 0x0f
      else if (head <= 0xbf) this.#pass(head & 0x1f)
      else if (head <= 0xc6) this.#pass(this.#unsigned(1 << (head - 0xc4)))
      else if (head <= 0xc9) this.#pass(this.#unsigned(1 << (head - 0xc7)) + 1)
      else if (head <= 0xcb) this.#pass(head === 0xca ? 4 : 8)
      else if (head <= 0xcf) this.#pass(1 << (head - 0xcc))
      else if (head <= 0xd3) this.#pass(1 << (head - 0xd0))
      else if (head <= 0xd8) this.#pass((1 << (head - 0xd4)) + 1)
      else if (head <= 0xdb) this.#pass(this.#unsigned(1 << (head - 0xd9)))
      else if (head <= 0xdd) pending += this.#unsigned(head === 0xdc ? 2 : 4)
      else pending += 2 * this.#unsigned(head === 0xde ? 2 : 4)
    }
  }

  #pass(count: number): void {
    if (this.#has(count)) this.at += count
  }
}
