import type { NodeReport } from '@carillon/web'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeWord, encodeWord, fitting } from './words.ts'

const report: NodeReport = {
  version: '1.0.0',
  startedAt: '2026-01-01T00:00:00.000Z',
  configuration: 'valid',
  standing: 'confirmed',
  health: 0,
  load: 0.4,
  cpu: 0.01,
  memory: 70_000_000,
  failures: ['bgp: no'],
  sessions: [
    {
      peer: 'tor-1',
      at: '10.0.0.1',
      state: 'Active',
      since: '2026-01-01T00:00:00.000Z',
      peerAs: 64_512,
      bfd: 'down',
      routes: [3, 2, 1, 0],
      trouble: 'refused',
    },
  ],
}

const utf8 = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

it('a word is read as it was written', () => {
  const words = [
    { says: 'ask', node: 'node-a' },
    { says: 'report', node: 'node-b', report },
  ] as const
  for (const word of words) expect(decodeWord(encodeWord(word))).toEqual(word)
})

it('whatever else arrives is no word, and breaks nothing', () => {
  fc.assert(fc.property(fc.uint8Array(), bytes => decodeWord(bytes) === undefined))
  fc.assert(fc.property(fc.json(), text => decodeWord(new TextEncoder().encode(text)) === undefined))
})

it('a report of which any part is of another kind is no report', () => {
  const paths = [
    ...Object.keys(report).filter(key => key !== 'health'),
    ...Object.keys(report.sessions[0] ?? {})
      .filter(key => !['peerAs', 'bfd', 'trouble'].includes(key))
      .map(key => `sessions.${key}`),
  ]
  for (const path of paths) {
    for (const wrong of [null, { a: 1 }, true, Number.NaN, 'x'.repeat(400)]) {
      const copy = structuredClone(report) as unknown as Record<string, unknown>
      const [first = '', second] = path.split('.')
      if (second === undefined) copy[first] = wrong
      else ((copy.sessions as Record<string, unknown>[])[0] as Record<string, unknown>)[second] = wrong
      expect(decodeWord(utf8({ carillon: 1, says: 'report', node: 'n', report: copy })), path).toBeUndefined()
    }
  }
})

it('words of a later version, without a name, or claims of sticky owners are no words', () => {
  expect(decodeWord(utf8({ carillon: 2, says: 'ask', node: 'n' }))).toBeUndefined()
  expect(decodeWord(utf8({ carillon: 1, says: 'ask', node: '' }))).toBeUndefined()
  expect(decodeWord(utf8([['10.0.0.1', 'node-a', 1, 1]]))).toBeUndefined()
  expect(decodeWord(utf8({ carillon: 1, says: 'ask', node: 'n', more: 'x'.repeat(70_000) }))).toBeUndefined()
})

it('what a report says at too great length is cut, so that others can read it', () => {
  const long = fitting({
    ...report,
    failures: Array.from({ length: 40 }, () => 'x'.repeat(1000)),
    sessions: Array.from({ length: 100 }, (_, i) => ({
      ...(report.sessions[0] as (typeof report.sessions)[0]),
      peer: `p${i}`,
      trouble: 'y'.repeat(1000),
    })),
  })
  const word = decodeWord(encodeWord({ says: 'report', node: 'n', report: long }))
  expect(word).toMatchObject({
    says: 'report',
    report: { failures: { length: 16 }, sessions: { length: 64 } },
  })
})
