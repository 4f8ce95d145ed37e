import { copyOf } from './copy.ts'

/** Longer ones are seldom the same twice. */
const longest = 64
/** A power of two. */
const slots = 8192

/**
 * What short byte strings were read as, for those that come again and again, such as the names of members: it is made once and shared.
 * Forgets one for another at will, so that it stays small whatever comes.
 */
export class Recall<Value> {
  readonly #make: (bytes: Uint8Array, from: number, to: number) => Value
  readonly #keys: (Uint8Array | undefined)[] = new Array(slots).fill(undefined)
  readonly #values: (Value | undefined)[] = new Array(slots).fill(undefined)

  constructor(make: (bytes: Uint8Array, from: number, to: number) => Value) {
    this.#make = make
  }

  /** What `bytes[from, to)` are read as. */
  read(bytes: Uint8Array, from: number, to: number): Value {
    const length = to - from
    if (length > longest) return this.#make(bytes, from, to)
    let hash = length
    for (let at = from; at < to; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193)
    const slot = (hash ^ (hash >>> 15)) & (slots - 1)
    const key = this.#keys[slot]
    if (key?.length === length && sameAt(bytes, from, key)) return this.#values[slot] as Value
    const value = this.#make(bytes, from, to)
    this.#keys[slot] = copyOf(bytes, from, to)
    this.#values[slot] = value
    return value
  }
}

/** Whether `bytes` has `part` at that place. */
export function sameAt(bytes: Uint8Array, from: number, part: Uint8Array): boolean {
  for (let i = 0; i < part.length; i++) if (bytes[from + i] !== part[i]) return false
  return true
}
