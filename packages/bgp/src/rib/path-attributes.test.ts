import { describe, expect, it } from 'vitest'
import { PathAttributesPool, readCommunities } from './path-attributes.ts'

describe('communities', () => {
  it('are read from their text', () => {
    expect(readCommunities(['65000:1', 'large:65000:1:4294967295', '65535:65281'])).toEqual({
      communities: [0xfde80001, 0xffffff01],
      largeCommunities: [[65000, 1, 4294967295]],
    })
  })

  it('that are none are refused', () => {
    for (const text of ['', '65536:1', '1:2:3', 'small:1:2:3', 'no-export'])
      expect(() => readCommunities([text])).toThrow(expect.objectContaining({ code: 'BAD_ROUTE' }))
  })
})

describe('a pool of attributes', () => {
  it('gives one object for the same attributes', () => {
    const pool = new PathAttributesPool()
    const one = pool.of(0, ['65000:1'])
    expect(one).toEqual({ communities: [0xfde80001], largeCommunities: [] })
    expect(pool.of(0, ['65000:1'])).toBe(one)
    expect(pool.of(200, ['65000:1'])).toEqual({ ...one, localPref: 200 })
    expect(pool.of(0, [])).not.toBe(one)
  })

  it('does not grow without bounds', () => {
    const pool = new PathAttributesPool()
    const one = pool.of(1, [])
    for (let i = 2; i < 2000; i++) pool.of(i, [])
    expect(pool.of(1, [])).not.toBe(one)
    expect(pool.of(1, [])).toEqual(one)
  })
})
