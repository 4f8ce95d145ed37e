import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { JsonLines } from './json-lines.ts'

it('gives the same lines however the bytes are cut', () => {
  const text = fc.array(fc.string({ unit: 'grapheme' }).map(line => line.replace(/\s/g, '_')))
  fc.assert(
    fc.property(text, fc.array(fc.nat(200)), (lines, cuts) => {
      const bytes = Buffer.from(lines.map(line => `${line}\n`).join(''))
      const places = [...new Set([0, ...cuts.map(cut => Math.min(cut, bytes.length)), bytes.length])].sort(
        (a, b) => a - b,
      )
      const reader = new JsonLines()
      const found = places.slice(1).flatMap((end, i) => reader.push(bytes.subarray(places[i], end)))
      expect(found).toEqual(lines.filter(line => line !== ''))
    }),
  )
})

it('does not wait for the end of a line without bounds', () => {
  const reader = new JsonLines(10)
  expect(reader.push(Buffer.from('12345678\n1234'))).toEqual(['12345678'])
  expect(() => reader.push(Buffer.from('5678901'))).toThrow('a line is longer than 10 bytes')
})
