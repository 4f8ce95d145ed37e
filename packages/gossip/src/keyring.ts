import { createHash } from 'node:crypto'
import { CarillonError } from '@carillon/core'

const lengths: readonly number[] = [16, 24, 32]

/**
 * AES keys in order: the first, the primary, encrypts; every one may decrypt. Empty means no encryption. Every change is a
 * new array in `keys`, so that who reads it while it changes sees one state or the other.
 */
export class Keyring {
  #keys: readonly Uint8Array[] = []

  /** `keys`: the primary first. Throws `BAD_KEY` for a length other than 16, 24 or 32 bytes. */
  constructor(keys: Iterable<Uint8Array> = []) {
    for (const key of keys) this.add(key)
  }

  get keys(): readonly Uint8Array[] {
    return this.#keys
  }

  /** The key that encrypts; undefined when there is none. */
  get primary(): Uint8Array | undefined {
    return this.#keys[0]
  }

  has(key: Uint8Array): boolean {
    return this.#keys.some(one => same(one, key))
  }

  /** Appends a key (a copy of it) for decryption; one that is already there stays where it is. Throws `BAD_KEY`. */
  add(key: Uint8Array): void {
    checkLength(key)
    if (!this.has(key)) this.#keys = [...this.#keys, Uint8Array.from(key)]
  }

  /** Makes a key of the ring the primary. Throws `BAD_KEY` for one that was not added. */
  use(key: Uint8Array): void {
    const found = this.#keys.find(one => same(one, key))
    if (found === undefined)
      throw new CarillonError('BAD_KEY', 'the key to use is not in the keyring; add it first, on every node')
    this.#keys = [found, ...this.#keys.filter(one => one !== found)]
  }

  /** Takes a key off; one that is not there is no mistake. Throws `BAD_KEY` for the primary. */
  remove(key: Uint8Array): void {
    const { primary } = this
    if (primary !== undefined && same(primary, key))
      throw new CarillonError(
        'BAD_KEY',
        'the primary key cannot be removed; make another one the primary first',
      )
    this.#keys = this.#keys.filter(one => !same(one, key))
  }
}

/**
 * The key that a MetalLB speaker makes of its secret: the first 32 bytes of the secret followed by the SHA-256 of nothing.
 * The secret is taken as it is, a line end included. An empty one means no encryption: undefined.
 */
export function deriveMetalLBKey(secret: Uint8Array): Uint8Array | undefined {
  if (secret.length === 0) return undefined
  const key = new Uint8Array(secret.length + 32)
  key.set(secret)
  key.set(createHash('sha256').digest(), secret.length)
  return key.slice(0, 32)
}

/**
 * Reads a key file: 16, 24 or 32 raw bytes, or the base64 of so many, with or without a line end. Throws `BAD_KEY` for
 * anything else.
 *
 * Some files could be either. 24 characters are base64 if they decode to 16 bytes; 32 letters and digits are base64 if they
 * mix small and capital letters, as base64 of a random key does, and a raw key if not (hexadecimal digits, say).
 */
export function parseKeyFile(content: Uint8Array): Uint8Array {
  return decodeBase64(content) ?? raw(content)
}

function raw(content: Uint8Array): Uint8Array {
  checkLength(content, 'the key file holds')
  return Uint8Array.from(content)
}

function decodeBase64(content: Uint8Array): Uint8Array | undefined {
  const text = Buffer.from(content).toString('latin1').trimEnd()
  const decoded = Buffer.from(text, 'base64')
  if (!lengths.includes(decoded.length) || decoded.toString('base64') !== text) return undefined
  // 24 bytes are 32 characters without padding: a raw key of 32 characters would look the same.
  if (decoded.length === 24 && !(/[a-z]/.test(text) && /[A-Z]/.test(text))) return undefined
  return Uint8Array.from(decoded)
}

function checkLength(key: Uint8Array, what = 'the key has'): void {
  if (lengths.includes(key.length)) return
  const wanted = 'a key has 16, 24 or 32 bytes (AES-128, AES-192, AES-256)'
  throw new CarillonError('BAD_KEY', `${what} ${key.length} bytes; ${wanted}`, { length: key.length })
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
