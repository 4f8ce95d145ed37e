import { HEADER, readHeader } from './header.ts'

const nothing: Uint8Array = new Uint8Array(0)

/**
 * Cuts a stream of bytes that comes in arbitrary pieces into messages. Of an unfinished message it keeps what has come, and
 * copies each byte a bounded number of times, however small the pieces are.
 *
 * ```ts
 * framer.push(piece)
 * for (let message = framer.next(); message !== undefined; message = framer.next()) handle(message)
 * ```
 */
export class Framer {
  /** Whether messages may be longer than 4096 octets (RFC 8654); can change between two messages. */
  extendedMessage: boolean
  #piece = nothing
  #at = 0
  /** The message that began in an earlier piece. */
  #partial = nothing
  #have = 0
  /** What its header says; 0 while that is not there. */
  #length = 0

  constructor(extendedMessage = false) {
    this.extendedMessage = extendedMessage
  }

  /** Bytes that have come and make no whole message yet, or were not asked for. */
  get pending(): number {
    return this.#have + this.#piece.length - this.#at
  }

  /** Takes the next piece, which must not be overwritten later: messages are views of it. Ask for all messages before the next one. */
  push(piece: Uint8Array): void {
    const left = this.#piece.subarray(this.#at)
    this.#at = 0
    if (left.length === 0) this.#piece = piece
    else {
      const joined = new Uint8Array(left.length + piece.length)
      joined.set(left)
      joined.set(piece, left.length)
      this.#piece = joined
    }
  }

  /**
   * The next whole message, its header included; undefined when none is complete. Throws `BAD_HEADER` as soon as a header
   * is there that cannot be one, and again on every further call: the stream cannot be followed any more.
   */
  next(): Uint8Array | undefined {
    if (this.#have === 0) {
      const at = this.#at
      const left = this.#piece.length - at
      if (left >= HEADER) {
        const { length } = readHeader(this.#piece, at, this.extendedMessage)
        if (left >= length) {
          this.#at = at + length
          return this.#piece.subarray(at, at + length)
        }
      }
    }
    if (!this.#fill(HEADER)) return undefined
    if (this.#length === 0) this.#length = readHeader(this.#partial, 0, this.extendedMessage).length
    if (!this.#fill(this.#length)) return undefined
    const message = this.#partial.subarray(0, this.#length)
    this.#partial = nothing
    this.#have = 0
    this.#length = 0
    return message
  }

  /** Moves bytes from the piece to the unfinished message until that has `wanted`; false if they do not suffice. */
  #fill(wanted: number): boolean {
    const count = Math.min(wanted - this.#have, this.#piece.length - this.#at)
    if (count > 0) {
      const need = this.#have + count
      if (need > this.#partial.length) {
        const grown = new Uint8Array(
          Math.min(Math.max(need, 2 * this.#partial.length), Math.max(wanted, HEADER)),
        )
        grown.set(this.#partial.subarray(0, this.#have))
        this.#partial = grown
      }
      this.#partial.set(this.#piece.subarray(this.#at, this.#at + count), this.#have)
      this.#have = need
      this.#at += count
    }
    return this.#have >= wanted
  }
}
