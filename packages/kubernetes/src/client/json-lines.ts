import { Buffer } from 'node:buffer'

const newline = 0x0a

/** Cuts a stream of bytes into lines. */
export class JsonLines {
  readonly #maxBytes: number
  #pieces: Uint8Array[] = []
  #bytes = 0

  /** @param maxBytes a longer line is not waited for */
  constructor(maxBytes: number = 32 * 1024 * 1024) {
    this.#maxBytes = maxBytes
  }

  /** The lines that end in this chunk, without their newline; empty ones are left out. Throws a RangeError on a line without end. */
  push(chunk: Uint8Array): string[] {
    const lines: string[] = []
    let from = 0
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, from)) {
      const line = this.#finish(chunk.subarray(from, end))
      if (line !== '') lines.push(line)
      from = end + 1
    }
    if (from < chunk.length) {
      this.#pieces.push(chunk.subarray(from))
      this.#bytes += chunk.length - from
      if (this.#bytes > this.#maxBytes) throw new RangeError(`a line is longer than ${this.#maxBytes} bytes`)
    }
    return lines
  }

  #finish(last: Uint8Array): string {
    if (this.#pieces.length === 0) {
      return Buffer.from(last.buffer, last.byteOffset, last.byteLength).toString().trim()
    }
    const whole = Buffer.concat([...this.#pieces, last])
    this.#pieces = []
    this.#bytes = 0
    return whole.toString().trim()
  }
}
