import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { lzwCompress, lzwExpand } from './lzw.ts'

/** Codes as a stream of 9-bit ones, least significant bit first: enough for short streams. */
function codes(...values: readonly number[]): Uint8Array {
  const bits = values.flatMap(value => Array.from({ length: 9 }, (_, i) => (value >> i) & 1))
  const bytes = new Uint8Array(Math.ceil(bits.length / 8))
  for (const [i, bit] of bits.entries()) bytes[i >> 3] = (bytes[i >> 3] as number) | (bit << (i & 7))
  return bytes
}

const text = (bytes: unknown): string => Buffer.from(bytes as Uint8Array).toString()

test('whatever is compressed expands to itself', () => {
  const contents = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.uint8Array({ max: 2, maxLength: 3000 }),
    fc.uint8Array({ minLength: 3000, maxLength: 12_000, size: 'max' }),
  )
  fc.assert(
    fc.property(contents, content => {
      expect(lzwExpand(lzwCompress(content) as Uint8Array, content.length)).toEqual(content)
    }),
    { numRuns: 60 },
  )
})

test('20,000 bytes, which fill the table several times, compress to the bytes that Go gives', () => {
  const content = Uint8Array.from({ length: 20_000 }, (_, i) => (i * i) >>> 5)
  const packed = lzwCompress(content) as Uint8Array
  expect(createHash('sha256').update(packed).digest('hex')).toBe(
    'b6ebd1846217e658ea9ba88a0d8fb69a6f7ec3ebf73624823d1acdc29e5c69cf',
  )
})

test('nothing compresses to a clear and an end', () => {
  expect(lzwCompress(new Uint8Array(0))).toEqual(codes(256, 257))
})

test('compression gives up as soon as it cannot stay within the limit', () => {
  const content = Uint8Array.from({ length: 256 }, (_, i) => i)
  const { length } = lzwCompress(content) as Uint8Array
  expect(lzwCompress(content, length)).toHaveLength(length)
  expect(lzwCompress(content, length - 1)).toBeUndefined()
})

test('a stream without its first clear is read, and so is one with bytes after its end', () => {
  expect(text(lzwExpand(codes(104, 105, 257), 10))).toBe('hi')
  expect(text(lzwExpand(Buffer.concat([codes(256, 104, 105, 257), Buffer.from('more')]), 10))).toBe('hi')
})

test('a code may name the string that it is about to complete', () => {
  expect(text(lzwExpand(codes(256, 97, 258, 259, 257), 10))).toBe('aaaaaa')
})

test('a stream without an end, or with a code that nothing defined, is refused', () => {
  expect(lzwExpand(codes(256, 104, 105), 10)).toBe('badCompression')
  expect(lzwExpand(codes(256, 258, 257), 10)).toBe('badCompression')
  expect(lzwExpand(codes(256, 97, 259, 257), 10)).toBe('badCompression')
  expect(lzwExpand(new Uint8Array(0), 10)).toBe('badCompression')
})

test('a small stream that would expand to megabytes is stopped at the limit', () => {
  const bomb = lzwCompress(new Uint8Array(5_000_000)) as Uint8Array
  expect(bomb.length).toBeLessThan(6000)
  expect(lzwExpand(bomb, 4_999_999)).toBe('tooLarge')
  expect(lzwExpand(bomb, 5_000_000)).toHaveLength(5_000_000)
})

test('any bytes expand to something within the limit, or are refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
      const found = lzwExpand(bytes, 500)
      if (typeof found === 'string') expect(['badCompression', 'tooLarge']).toContain(found)
      else expect(found.length).toBeLessThanOrEqual(500)
    }),
  )
})
