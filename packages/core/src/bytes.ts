import { CarillonError } from './errors.ts'

/** A reading cursor over bytes. Every read throws `SHORT_READ` rather than pass the end. Integers are big-endian. */
export class Reader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Bytes read so far. */
  get offset(): number {
    return this.#at
  }

  /** Bytes not yet read. */
  get left(): number {
    return this.#bytes.length - this.#at
  }

  #take(count: number): number {
    const at = this.#at
    if (count > this.#bytes.length - at) {
      throw new CarillonError('SHORT_READ', `wanted ${count} bytes at offset ${at}, ${this.left} are left`, {
        offset: at,
        wanted: count,
        left: this.left,
      })
    }
    this.#at = at + count
    return at
  }

  u8(): number {
    return this.#bytes[this.#take(1)] as number
  }

  u16(): number {
    const at = this.#take(2)
    const b = this.#bytes
    return ((b[at] as number) << 8) | (b[at + 1] as number)
  }

  u24(): number {
    return this.u16() * 256 + this.u8()
  }

  u32(): number {
    const at = this.#take(4)
    const b = this.#bytes
    const low = ((b[at + 1] as number) << 16) | ((b[at + 2] as number) << 8) | (b[at + 3] as number)
    return (b[at] as number) * 0x1000000 + low
  }

  /** A view (not a copy) of the next `count` bytes. */
  take(count: number): Uint8Array {
    const at = this.#take(count)
    return this.#bytes.subarray(at, at + count)
  }

  /** A view of everything that is left. */
  rest(): Uint8Array {
    return this.take(this.left)
  }

  /** A cursor of its own over the next `count` bytes. */
  slice(count: number): Reader {
    return new Reader(this.take(count))
  }

  skip(count: number): void {
    this.#take(count)
  }

  /** Reads items until nothing is left. */
  *each<T>(read: (reader: Reader) => T): Generator<T> {
    while (this.left > 0) yield read(this)
  }
}

/** A writing cursor that grows as needed. Integers are big-endian. */
export class Writer {
  #bytes: Uint8Array
  #length = 0

  constructor(capacity = 64) {
    this.#bytes = new Uint8Array(capacity)
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length
  }

  #room(count: number): number {
    const at = this.#length
    const need = at + count
    if (need > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(need, this.#bytes.length * 2))
      grown.set(this.#bytes)
      this.#bytes = grown
    }
    this.#length = need
    return at
  }

  u8(value: number): this {
    const at = this.#room(1)
    this.#bytes[at] = value
    return this
  }

  u16(value: number): this {
    const at = this.#room(2)
    this.#bytes[at] = value >>> 8
    this.#bytes[at + 1] = value
    return this
  }

  u24(value: number): this {
    return this.u8(value >>> 16).u16(value & 0xffff)
  }

  u32(value: number): this {
    const at = this.#room(4)
    this.#bytes[at] = value >>> 24
    this.#bytes[at + 1] = value >>> 16
    this.#bytes[at + 2] = value >>> 8
    this.#bytes[at + 3] = value
    return this
  }

  bytes(value: Uint8Array): this {
    const { length } = value
    const at = this.#room(length)
    // For a few bytes a loop is much faster than `set`.
    if (length > 24) this.#bytes.set(value, at)
    else for (let i = 0; i < length; i++) this.#bytes[at + i] = value[i] as number
    return this
  }

  /** Writes a length of `bits` bits, then what `body` writes; throws `BAD_LENGTH` when it does not fit. */
  sized(bits: 8 | 16 | 32, body: (writer: this) => void): this {
    const width = bits / 8
    const at = this.#room(width)
    body(this)
    const size = this.#length - at - width
    if (size >= 2 ** bits)
      throw new CarillonError('BAD_LENGTH', `${size} bytes do not fit a ${bits}-bit length`, { size })
    for (let i = 0; i < width; i++) this.#bytes[at + i] = Math.floor(size / 2 ** (8 * (width - 1 - i))) & 0xff
    return this
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }
}
