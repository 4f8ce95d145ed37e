/** Bytes that come in pieces and are taken off the front, kept in one buffer that grows with what really came. */
export class Slices {
  #bytes: Uint8Array
  #from = 0
  #to: number

  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.#bytes = bytes
    this.#to = bytes.length
  }

  get length(): number {
    return this.#to - this.#from
  }

  /** The buffer, whose bytes `[from, to)` are those present. Valid until the next `push`. */
  get bytes(): Uint8Array {
    return this.#bytes
  }

  get from(): number {
    return this.#from
  }

  get to(): number {
    return this.#to
  }

  /** The first byte; at least one must be there. */
  get first(): number {
    return this.#bytes[this.#from] as number
  }

  /** A view of the first `count` bytes, which must be there. */
  peek(count: number): Uint8Array {
    return this.#bytes.subarray(this.#from, this.#from + count)
  }

  /** Takes the first `count` bytes off, which must be there. */
  drop(count: number): void {
    this.#from += count
  }

  /** Appends a copy. */
  push(piece: Uint8Array): void {
    if (this.#to + piece.length > this.#bytes.length) this.#makeRoom(piece.length)
    this.#bytes.set(piece, this.#to)
    this.#to += piece.length
  }

  #makeRoom(count: number): void {
    const { length } = this
    const kept = this.#bytes.subarray(this.#from, this.#to)
    if (2 * (length + count) > this.#bytes.length) this.#bytes = new Uint8Array(2 * (length + count))
    this.#bytes.set(kept)
    this.#from = 0
    this.#to = length
  }
}
