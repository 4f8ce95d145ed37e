import { type CipherGCMTypes, createCipheriv, createDecipheriv, randomFillSync } from 'node:crypto'
import type { Fault } from './fault.ts'
import type { SecretKeys } from './options.ts'

const NONCE = 12
const TAG = 16
const BLOCK = 16

/** Bytes that encryption adds to a packet, at most. Version 0 pads to whole blocks. */
export const encryptionOverhead: Readonly<Record<0 | 1, number>> = {
  0: 1 + NONCE + BLOCK + TAG,
  1: 1 + NONCE + TAG,
}

const ciphers: Readonly<Record<number, CipherGCMTypes>> = {
  16: 'aes-128-gcm',
  24: 'aes-192-gcm',
  32: 'aes-256-gcm',
}

const pool = new Uint8Array(NONCE * 256)
let used = pool.length

/** 12 random bytes, as good as any for the life of a key at gossip's rates. A view that is valid until the next call. */
export function randomNonce(): Uint8Array {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += NONCE
  return pool.subarray(used - NONCE, used)
}

/**
 * Encrypts with AES-GCM; `length` bytes come out (see `sealedLength`). `aad` is authenticated along with it.
 *
 * ```text
 *  0         1              13
 * +---------+--------------+--------------------~---------------+
 * | version | nonce (12)   | ciphertext         ~ tag (16)      |
 * +---------+--------------+--------------------~---------------+
 * ```
 */
export function seal(
  key: Uint8Array,
  plain: Uint8Array,
  aad: Uint8Array,
  version: 0 | 1 = 1,
  nonce: Uint8Array = randomNonce(),
): Uint8Array {
  const cipher = createCipheriv(cipherOf(key), key, nonce, { authTagLength: TAG })
  cipher.setAAD(aad)
  const out = new Uint8Array(sealedLength(plain.length, version))
  out[0] = version
  out.set(nonce, 1)
  out.set(cipher.update(version === 0 ? padded(plain) : plain), 1 + NONCE)
  cipher.final()
  out.set(cipher.getAuthTag(), out.length - TAG)
  return out
}

/** The length of `seal`'s result for so many bytes. */
export function sealedLength(length: number, version: 0 | 1): number {
  const padding = version === 0 ? BLOCK - (length % BLOCK) : 0
  return 1 + NONCE + length + padding + TAG
}

/** Decrypts with the first key that fits. Gives `badEncryption` for what cannot be such a payload, `noKeyFits`, or `empty`. */
export function open({ keys }: SecretKeys, sealed: Uint8Array, aad: Uint8Array): Uint8Array | Fault {
  const version = sealed[0]
  if ((version !== 0 && version !== 1) || sealed.length < encryptionOverhead[version]) return 'badEncryption'
  for (const key of keys) {
    const plain = openWith(key, sealed, aad)
    if (plain === undefined) continue
    const fault = version === 0 ? paddingFault(plain) : undefined
    if (fault !== undefined) return fault
    const length = version === 0 ? plain.length - (plain[plain.length - 1] as number) : plain.length
    return length === 0 ? 'empty' : plain.subarray(0, length)
  }
  return 'noKeyFits'
}

function openWith(key: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Uint8Array | undefined {
  const nonce = sealed.subarray(1, 1 + NONCE)
  const decipher = createDecipheriv(cipherOf(key), key, nonce, { authTagLength: TAG })
  decipher.setAAD(aad)
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG))
  const plain = decipher.update(sealed.subarray(1 + NONCE, sealed.length - TAG))
  try {
    decipher.final()
  } catch {
    return undefined
  }
  return plain
}

function cipherOf(key: Uint8Array): CipherGCMTypes {
  const cipher = ciphers[key.length]
  if (cipher === undefined) throw new TypeError(`a key has 16, 24 or 32 bytes, not ${key.length}`)
  return cipher
}

/** PKCS#7 (RFC 5652 section 6.3) to 16 bytes. */
function padded(plain: Uint8Array): Uint8Array {
  const padding = BLOCK - (plain.length % BLOCK)
  const out = new Uint8Array(plain.length + padding).fill(padding, plain.length)
  out.set(plain)
  return out
}

function paddingFault(plain: Uint8Array): Fault | undefined {
  const padding = plain[plain.length - 1] as number
  return padding >= 1 && padding <= BLOCK && padding <= plain.length ? undefined : 'badEncryption'
}
