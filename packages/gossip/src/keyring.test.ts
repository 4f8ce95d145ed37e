import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { deriveMetalLBKey, Keyring, parseKeyFile } from './keyring.ts'

const key = (fill: number, length = 32): Uint8Array => new Uint8Array(length).fill(fill)
const refusal = expect.objectContaining({ code: 'BAD_KEY' })

describe('the keyring', () => {
  test('encrypts with its first key, and takes new ones at its end', () => {
    const ring = new Keyring([key(1), key(2, 16)])
    ring.add(key(3, 24))
    ring.add(key(1))
    expect(ring.primary).toEqual(key(1))
    expect(ring.keys).toEqual([key(1), key(2, 16), key(3, 24)])
  })

  test('is turned in two steps: everywhere the new key is added, then it is used, then the old one goes', () => {
    const ring = new Keyring([key(1)])
    ring.add(key(2))
    ring.use(key(2))
    expect(ring.keys).toEqual([key(2), key(1)])
    ring.remove(key(1))
    expect(ring.keys).toEqual([key(2)])
    expect(ring.has(key(1))).toBe(false)
  })

  test('does not lose its primary, and uses no key that it was not given', () => {
    const ring = new Keyring([key(1)])
    expect(() => ring.remove(key(1))).toThrow(refusal)
    expect(() => ring.use(key(2))).toThrow(refusal)
    ring.remove(key(2))
    expect(ring.keys).toEqual([key(1)])
  })

  test('refuses a key of another length, naming the lengths there are', () => {
    for (const length of [0, 15, 17, 33]) expect(() => new Keyring([key(1, length)])).toThrow(/16, 24 or 32/)
    expect(() => new Keyring([key(1, 20)])).toThrow(refusal)
  })

  test('keeps its keys when the buffers that they came in are wiped', () => {
    const secret = Buffer.from(key(1))
    const ring = new Keyring([secret])
    secret.fill(0)
    expect(ring.primary).toEqual(key(1))
  })

  test('shows who reads it one state, whatever happens meanwhile', () => {
    const ring = new Keyring([key(1)])
    const { keys } = ring
    ring.add(key(2))
    expect(keys).toEqual([key(1)])
  })
})

describe('a key made of a MetalLB secret', () => {
  const ofNothing = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
  const derived = (secret: string): string =>
    Buffer.from(deriveMetalLBKey(Buffer.from(secret)) as Uint8Array).toString('hex')

  test('is the secret, filled up with the hash of nothing', () => {
    expect(derived('AAECAwQFBgcICQoLDA0ODw')).toBe(
      `${Buffer.from('AAECAwQFBgcICQoLDA0ODw').toString('hex')}${ofNothing.slice(0, 20)}`,
    )
    expect(derived('x')).toBe(`78${ofNothing.slice(0, 62)}`)
  })

  test('takes a line end as part of the secret', () => {
    expect(derived('x\n')).toBe(`780a${ofNothing.slice(0, 60)}`)
  })

  test('is cut at 32 bytes', () => {
    expect(derived('y'.repeat(40))).toBe('79'.repeat(32))
  })

  test('does not exist for an empty secret: nothing is encrypted', () => {
    expect(deriveMetalLBKey(new Uint8Array(0))).toBeUndefined()
  })
})

describe('a key file', () => {
  test.each([16, 24, 32])('holds %i raw bytes, or their base64, with or without a line end', length => {
    const bytes = Uint8Array.from(randomBytes(length).map((byte, i) => (i === 0 ? 0x80 : byte)))
    const base64 = Buffer.from(bytes).toString('base64')
    expect(parseKeyFile(bytes)).toEqual(bytes)
    for (const content of [base64, `${base64}\n`, `${base64}\r\n`])
      expect(parseKeyFile(Buffer.from(content))).toEqual(bytes)
  })

  test('of 32 hexadecimal digits is a raw key, although it could be base64', () => {
    const digits = Buffer.from('0123456789abcdef0123456789abcdef')
    expect(parseKeyFile(digits)).toEqual(Uint8Array.from(digits))
  })

  test('of anything else is refused, without telling its content', () => {
    for (const content of ['', 'secret', 'AAAA', '0123456789abcdef0123456789abcdef\n', '-'.repeat(44)]) {
      expect(() => parseKeyFile(Buffer.from(content))).toThrow(refusal)
      expect(() => parseKeyFile(Buffer.from(content))).toThrow(/^((?!secret|abcdef).)*$/)
    }
  })
})
