/** A copy of `bytes[from, to)` as a plain Uint8Array: a Buffer's own `slice` would share its memory. */
export function copyOf(bytes: Uint8Array, from = 0, to: number = bytes.length): Uint8Array {
  const copy = new Uint8Array(to - from)
  copy.set(bytes.subarray(from, to))
  return copy
}
