import { describe, expect, it } from 'vitest'
import type { AddressRange } from './config.ts'
import { localPrefConflict, sessionKey } from './conflict.ts'

const v4: AddressRange = { family: 4, first: 1n, last: 9n }
const v6: AddressRange = { family: 6, first: 1n, last: 9n }
const ad = (
  localPref: number,
  aggregationLength = 32,
  aggregationLengthV6 = 128,
  peers: readonly string[] = [],
) => ({
  localPref,
  aggregationLength,
  aggregationLengthV6,
  peers,
})

describe('two advertisements with different local preferences', () => {
  it('conflict on a pool', () => {
    expect(localPrefConflict(ad(100), ad(200), { ranges: [v4] }, false)).toBe(true)
    expect(localPrefConflict(ad(100), ad(0), { ranges: [v6] }, false)).toBe(true)
  })

  it('do not conflict when the preferences are equal after all', () => {
    expect(localPrefConflict(ad(100), ad(100), { ranges: [v4] }, false)).toBe(false)
  })

  it('do not conflict when no node is in both', () => {
    expect(localPrefConflict(ad(100), ad(200), { ranges: [v4] }, true)).toBe(false)
  })

  it('do not conflict when every family of the pool has different lengths', () => {
    expect(localPrefConflict(ad(100, 32), ad(200, 24), { ranges: [v4] }, false)).toBe(false)
    expect(localPrefConflict(ad(100, 32, 128), ad(200, 32, 64), { ranges: [v6] }, false)).toBe(false)
    expect(localPrefConflict(ad(100, 32, 128), ad(200, 24, 64), { ranges: [v4, v6] }, false)).toBe(false)
    expect(localPrefConflict(ad(100, 32, 128), ad(200, 24, 128), { ranges: [v4, v6] }, false)).toBe(true)
    expect(localPrefConflict(ad(100, 32, 128), ad(200, 32, 64), { ranges: [v4, v6] }, false)).toBe(true)
  })

  it('do not conflict when both name peers and have none in common', () => {
    const pool = { ranges: [v4] }
    expect(localPrefConflict(ad(1, 32, 128, ['a']), ad(2, 32, 128, ['b']), pool, false)).toBe(false)
    expect(localPrefConflict(ad(1, 32, 128, ['a', 'b']), ad(2, 32, 128, ['b']), pool, false)).toBe(true)
    expect(localPrefConflict(ad(1, 32, 128, ['a']), ad(2), pool, false)).toBe(true)
  })
})

describe('a session', () => {
  const base = { peerAddress: '10.0.0.1', peerPort: 179 }

  it('is the same for one address and port, whatever else differs', () => {
    expect(sessionKey(base)).toBe(sessionKey({ ...base }))
  })

  it('is another one with another port, VRF or source address, or on an interface', () => {
    const others = [
      { ...base, peerPort: 180 },
      { ...base, vrf: 'red' },
      { ...base, sourceAddress: '10.0.0.2' },
      { interface: '10.0.0.1', peerPort: 179 },
    ]
    expect(new Set([base, ...others].map(sessionKey)).size).toBe(5)
  })
})
