import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeText, encodeText } from './text.ts'

test('every byte string has a text, and the text gives the same bytes back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), bytes => {
      expect(encodeText(decodeText(bytes))).toEqual(bytes)
    }),
  )
})

test('well-formed text is written and read as UTF-8', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 20 }), text => {
      const utf8 = new TextEncoder().encode(text)
      expect(encodeText(text)).toEqual(utf8)
      expect(decodeText(utf8)).toBe(text)
    }),
  )
})

test('two names that differ only in invalid bytes stay different names', () => {
  const names = [Uint8Array.of(0x6e, 0xff), Uint8Array.of(0x6e, 0xfe), Uint8Array.of(0x6e, 0xc0, 0x80)].map(
    bytes => decodeText(bytes),
  )
  expect(new Set(names).size).toBe(3)
})
