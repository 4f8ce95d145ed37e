import { Buffer } from 'node:buffer'

/** Writes messages in protobuf's notation, field by field. Nothing is written for what is undefined. */
export class Message {
  readonly #parts: Uint8Array[] = []
  #size = 0

  /** The bytes of the message. */
  get bytes(): Uint8Array {
    return Buffer.concat(this.#parts, this.#size)
  }

  text(field: number, value: unknown): this {
    return typeof value === 'string' ? this.#sized(field, Buffer.from(value, 'utf8')) : this
  }

  flag(field: number, value: boolean | undefined): this {
    return value === true ? this.#push(varint(field << 3)).#push(varint(1)) : this
  }

  whole(field: number, value: unknown): this {
    return typeof value === 'number' ? this.#push(varint(field << 3)).#push(varint(value)) : this
  }

  double(field: number, value: unknown): this {
    if (typeof value !== 'number') return this
    const bytes = Buffer.alloc(8)
    bytes.writeDoubleLE(value)
    return this.#push(varint((field << 3) | 1)).#push(bytes)
  }

  message(field: number, value: Message | undefined): this {
    return value === undefined ? this : this.#sized(field, value.bytes)
  }

  #sized(field: number, bytes: Uint8Array): this {
    return this.#push(varint((field << 3) | 2))
      .#push(varint(bytes.length))
      .#push(bytes)
  }

  #push(bytes: Uint8Array): this {
    this.#parts.push(bytes)
    this.#size += bytes.length
    return this
  }
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let left = value
  while (left > 127) {
    bytes.push((left % 128) | 128)
    left = Math.floor(left / 128)
  }
  bytes.push(left)
  return Uint8Array.from(bytes)
}
