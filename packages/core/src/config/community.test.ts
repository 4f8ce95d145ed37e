import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalCommunity, compareCommunities, wellKnownCommunities } from './community.ts'

describe('a community', () => {
  it('is two 16-bit numbers, or "large" and three 32-bit numbers, without leading zeros', () => {
    expect(canonicalCommunity('65000:1')).toBe('65000:1')
    expect(canonicalCommunity('65535:65535')).toBe('65535:65535')
    expect(canonicalCommunity('00064500:007')).toBe('64500:7')
    expect(canonicalCommunity('large:4294967295:0:10')).toBe('large:4294967295:0:10')
  })

  it.each([
    '',
    '1',
    ':',
    '1:',
    '65536:1',
    '1:65536',
    '-1:1',
    '+1:1',
    '1 :1',
    '0x1:1',
    '1:2:3',
    'large:1:2',
    'large:1:2:4294967296',
    'huge:1:2:3',
    'Large:1:2:3',
    'no-export',
  ])('is not %j', text => {
    expect(canonicalCommunity(text)).toBeUndefined()
  })

  it('sorts as numbers, a plain one as its 32-bit value', () => {
    const sorted = [
      'large:1:0:9',
      '65535:65281',
      '9:1',
      'large:65536:0:0',
      '10:0',
      '1:0',
      'large:1:0:10',
    ].sort(compareCommunities)
    expect(sorted).toEqual([
      'large:1:0:9',
      'large:1:0:10',
      '1:0',
      'large:65536:0:0',
      '9:1',
      '10:0',
      '65535:65281',
    ])
  })

  it('never fails, and its canonical text is its own', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^(large:)?\d{1,10}(:\d{1,10}){1,2}$/)), text => {
        const canonical = canonicalCommunity(text)
        if (canonical !== undefined) expect(canonicalCommunity(canonical)).toBe(canonical)
      }),
    )
  })
})

describe('well-known communities', () => {
  it('have the numbers of the IANA registry', () => {
    expect(wellKnownCommunities.get('graceful-shutdown')).toBe('65535:0')
    expect(wellKnownCommunities.get('blackhole')).toBe('65535:666')
    expect(wellKnownCommunities.get('no-export')).toBe('65535:65281')
    expect(wellKnownCommunities.get('no-advertise')).toBe('65535:65282')
    expect(wellKnownCommunities.get('no-export-subconfed')).toBe('65535:65283')
    expect(wellKnownCommunities.get('no-peer')).toBe('65535:65284')
    for (const value of wellKnownCommunities.values()) expect(canonicalCommunity(value)).toBe(value)
  })
})
