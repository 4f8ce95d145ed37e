import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Hasher } from './hasher.ts'
import { kernelModule } from './kernel.ts'
import { initialHash, roundConstants, sha256, sha256Head } from './sha256.ts'

const reference = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest()

// Long enough for two and three blocks; beyond 55 bytes the padding starts a block of its own.
const names = fc.string({ minLength: 1, maxLength: 140, unit: 'binary' })
const addresses = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string({ maxLength: 80 }))

const expected = (list: readonly string[], address: string): string =>
  list
    .map(name => ({ name, digest: reference(`${name}#${address}`) }))
    .sort((a, b) => a.digest.compare(b.digest))
    .map(({ name }) => name)[0] as string

describe('SHA-256 in plain script', () => {
  it('starts from the constants of FIPS 180-4', () => {
    expect([...initialHash.subarray(0, 2)]).toEqual([0x6a09e667, 0xbb67ae85])
    expect([...roundConstants.subarray(0, 2), roundConstants[63]]).toEqual([
      0x428a2f98, 0x71374491, 0xc67178f2,
    ])
  })

  it('agrees with node:crypto for any text', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300, unit: 'binary' }), text => {
        const digest = reference(text)
        expect(Buffer.from(sha256(text)).equals(digest)).toBe(true)
        expect(sha256Head(text)).toBe(digest.readUInt32BE(0))
      }),
    )
  })
})

describe.each([
  ['the vector kernel', new Hasher(0)],
  ['plain script', new Hasher(Number.POSITIVE_INFINITY)],
])('hashing with %s', (_, hasher) => {
  it('finds the name that node:crypto finds, whatever the lengths of names and addresses', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(names, { minLength: 1, maxLength: 23 }),
        fc.array(addresses, { minLength: 1, maxLength: 5 }),
        (list, texts) => {
          const found = hasher.least(list, texts)
          for (const [i, address] of texts.entries()) {
            const name = list[found[i]?.index ?? -1]
            expect(name).toBe(expected(list, address))
            expect(found[i]?.head).toBe(reference(`${name}#${address}`).readUInt32BE(0))
          }
        },
      ),
    )
  })

  it('gives the first 32 bits for one name and many addresses', () => {
    fc.assert(
      fc.property(names, fc.array(addresses, { minLength: 1, maxLength: 40 }), (name, texts) => {
        const heads = hasher.heads(name, texts)
        expect([...heads]).toEqual(texts.map(text => reference(`${name}#${text}`).readUInt32BE(0)))
      }),
    )
  })

  it('takes more addresses and names than fit its memory at first', () => {
    const list = Array.from({ length: 2000 }, (_, i) => `node-${i}.rack-${i % 7}.dc1.example.internal`)
    const texts = Array.from({ length: 9000 }, (_, i) => `fd00::${i.toString(16)}`)
    expect(hasher.heads('node-1', texts)[8999]).toBe(reference(`node-1#${texts[8999]}`).readUInt32BE(0))
    expect(list[hasher.least(list, ['fd00:1:2:3:4:5:6:7'])[0]?.index ?? -1]).toBe(
      expected(list, 'fd00:1:2:3:4:5:6:7'),
    )
  })

  it('lets the whole digest decide when the first 32 bits agree', () => {
    // Found by trying: sha256 of these two begins with the same four bytes, and nothing smaller is among the
    // others.
    const [a, b] = twins
    const [ha, hb] = [reference(`${a}#10.0.0.1`), reference(`${b}#10.0.0.1`)]
    expect(ha.readUInt32BE(0)).toBe(hb.readUInt32BE(0))
    const better = ha.compare(hb) < 0 ? a : b
    for (const list of [
      [a, b],
      [b, a],
      [a, 'x', 'y', 'z', b],
      [b, 'x', 'y', 'z', a],
    ]) {
      const others = list.filter(name => reference(`${name}#10.0.0.1`).readUInt32BE(0) >= ha.readUInt32BE(0))
      expect(others[hasher.least(others, ['10.0.0.1'])[0]?.index ?? -1]).toBe(better)
    }
  })

  it('refuses an election without names', () => {
    expect(() => hasher.least([], ['10.0.0.1'])).toThrow(TypeError)
  })
})

const twins = ['node-72141', 'node-161575'] as const

it('falls back to plain script for names longer than the kernel has room for', () => {
  const long = 'n'.repeat(2000)
  const hasher = new Hasher(0)
  expect(hasher.heads(long, ['10.0.0.1'])[0]).toBe(reference(`${long}#10.0.0.1`).readUInt32BE(0))
  expect(hasher.least([long], ['10.0.0.1'])).toEqual([
    { index: 0, head: reference(`${long}#10.0.0.1`).readUInt32BE(0) },
  ])
})

it('assembles a kernel of a few kilobytes', () => {
  expect(kernelModule().length).toBeLessThan(10_000)
})
