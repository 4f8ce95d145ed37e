import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDuration, tryParseDuration } from './duration.ts'

describe('a duration', () => {
  it.each([
    ['0', 0],
    ['0s', 0],
    ['-0', 0],
    ['90s', 90_000],
    ['1m30s', 90_000],
    ['500ms', 500],
    ['1.5h', 5_400_000],
    ['.5s', 500],
    ['1.s', 1000],
    ['-2s', -2000],
    ['+2s', 2000],
    ['1h2m3s4ms5us6ns', 3_723_004.005006],
    ['1\u00b5s', 0.001],
    ['1\u03bcs', 0.001],
    ['0.1ns', 0],
    ['2562047h47m16.854775807s', 9_223_372_036_854.775],
  ])('reads %s as Go does', (text, ms) => {
    expect(tryParseDuration(text)).toBeCloseTo(ms, 6)
  })

  it.each([
    '',
    '-',
    '90',
    '1.5',
    's',
    '.s',
    '1d',
    '1 s',
    ' 1s',
    '1s ',
    '1s-',
    '1..5s',
    '1e3s',
    '--1s',
    '1S',
    '9999999h',
    'constructor',
  ])('refuses %j', text => {
    expect(tryParseDuration(text)).toBeUndefined()
  })

  it.each([
    [0, '0s'],
    [1, '1ms'],
    [0.001, '1\u00b5s'],
    [0.000001, '1ns'],
    [1.5, '1.5ms'],
    [1500, '1.5s'],
    [90_000, '1m30s'],
    [3_600_000, '1h0m0s'],
    [-90_000, '-1m30s'],
  ])('writes %d ms as Go does', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })

  it('survives being written and read again', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), ms => {
        const whole = Math.trunc(ms / 1_000_000)
        expect(tryParseDuration(formatDuration(whole)) ?? Number.NaN).toBe(whole + 0)
      }),
    )
  })

  it('is a number or nothing, whatever the text', () => {
    const pieces = fc.constantFrom(
      '1',
      '9',
      '0',
      '.',
      '-',
      '+',
      'h',
      'm',
      's',
      'ms',
      'us',
      'ns',
      '\u00b5s',
      ' ',
      'x',
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces).map(parts => parts.join('')),
        ),
        text => {
          const ms = tryParseDuration(text)
          expect(ms === undefined || Number.isFinite(ms)).toBe(true)
        },
      ),
    )
  })

  it('gives up on a text of absurd length instead of computing with it', () => {
    expect(tryParseDuration(`${'9'.repeat(100_000)}h`)).toBeUndefined()
  })
})
