/**
 * The 64 round constants of SHA-256 (FIPS 180-4 section 4.2.2): the fractional parts of cube roots of primes.
 */
export const roundConstants: Uint32Array = new Uint32Array(64)

/**
 * The initial hash value of SHA-256 (FIPS 180-4 section 5.3.3): the fractional parts of square roots of
 * primes.
 */
export const initialHash: Uint32Array = new Uint32Array(8)

const fraction = (root: number): number => (root % 1) * 2 ** 32

// Computed rather than listed: a double holds far more than the 32 bits wanted.
for (let found = 0, candidate = 2; found < 64; candidate++) {
  let prime = true
  for (let divisor = 2; divisor * divisor <= candidate; divisor++)
    if (candidate % divisor === 0) prime = false
  if (!prime) continue
  roundConstants[found] = fraction(Math.cbrt(candidate))
  if (found < 8) initialHash[found] = fraction(Math.sqrt(candidate))
  found++
}

const constants = Int32Array.from(roundConstants)
const schedule = new Int32Array(64)

/** One block of SHA-256 (FIPS 180-4 section 6.2.2): `words[at..at+15]` into `state`. */
function compress(state: Int32Array, words: Int32Array, at: number): void {
  const w = schedule
  for (let i = 0; i < 16; i++) w[i] = words[at + i] as number
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15] as number
    const y = w[i - 2] as number
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10)
    w[i] = ((w[i - 16] as number) + s0 + (w[i - 7] as number) + s1) | 0
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))
    const t1 = (h + s1 + (((f ^ g) & e) ^ g) + (constants[i] as number) + (w[i] as number)) | 0
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))
    const t2 = (s0 + ((a & b) | (c & (a | b)))) | 0
    h = g
    g = f
    f = e
    e = (d + t1) | 0
    d = c
    c = b
    b = a
    a = (t1 + t2) | 0
  }
  state[0] = (state[0] as number) + a
  state[1] = (state[1] as number) + b
  state[2] = (state[2] as number) + c
  state[3] = (state[3] as number) + d
  state[4] = (state[4] as number) + e
  state[5] = (state[5] as number) + f
  state[6] = (state[6] as number) + g
  state[7] = (state[7] as number) + h
}

/** How many 64-byte blocks a message of `length` bytes fills once padded. */
export function blockCount(length: number): number {
  return ((length + 8) >>> 6) + 1
}

const encoder = new TextEncoder()

/** How many bytes a text has in UTF-8. */
export function byteLength(text: string): number {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return encoder.encode(text).length
  return text.length
}

function placeByte(words: Int32Array, byte: number, at: number, base: number, step: number): void {
  const word = base + (at >>> 2) * step
  words[word] = (words[word] as number) | (byte << (24 - 8 * (at & 3)))
}

/**
 * Puts a text, in UTF-8, into `words` as big-endian 32-bit words, from byte `offset` of the message that
 * starts at `base` and has its words `step` apart. The words must be zero there beforehand.
 */
export function place(words: Int32Array, text: string, offset: number, base = 0, step = 1): void {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f) {
      // What has been placed already is placed again, which changes nothing.
      for (const [j, byte] of encoder.encode(text).entries()) placeByte(words, byte, offset + j, base, step)
      return
    }
    placeByte(words, code, offset + i, base, step)
  }
}

/** Adds the padding of a message of `length` bytes (FIPS 180-4 section 5.1.1), laid out as `place` does. */
export function pad(words: Int32Array, length: number, base = 0, step = 1): void {
  placeByte(words, 0x80, length, base, step)
  words[base + (blockCount(length) * 16 - 1) * step] = length * 8
}

const start = Int32Array.from(initialHash)
const state = new Int32Array(8)
let message = new Int32Array(64)

/** The eight words of the digest of a text, in a buffer that the next call overwrites. */
function digestWords(text: string): Int32Array {
  const length = byteLength(text)
  const blocks = blockCount(length)
  if (message.length < 16 * blocks) message = new Int32Array(16 * blocks)
  message.fill(0, 0, 16 * blocks)
  place(message, text, 0)
  pad(message, length)
  state.set(start)
  for (let block = 0; block < blocks; block++) compress(state, message, 16 * block)
  return state
}

/** SHA-256 of a text in UTF-8, as 32 bytes. */
export function sha256(text: string): Uint8Array {
  const words = digestWords(text)
  const digest = new Uint8Array(32)
  for (let i = 0; i < 32; i++) digest[i] = (words[i >>> 2] as number) >>> (24 - 8 * (i & 3))
  return digest
}

/** The first 32 bits of `sha256(text)` as an unsigned number: enough to order two digests, nearly always. */
export function sha256Head(text: string): number {
  return (digestWords(text)[0] as number) >>> 0
}
