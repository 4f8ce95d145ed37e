import { describe, expect, it } from 'vitest'
import { Batches } from './batches.ts'
import type { RibTerms } from './terms.ts'

const terms: RibTerms = {
  dialect: { fourOctetAs: true, extendedMessage: false },
  nextHops: { ipv4: [Uint8Array.of(192, 0, 2, 1)] },
  asPath: [],
  internal: true,
  enhancedRefresh: false,
}

describe('batches', () => {
  it('are one for equal attributes, and others for others', () => {
    const batches = new Batches('ipv4', terms)
    const one = batches.of({ med: 1 })
    expect(one).toBeDefined()
    expect(batches.of({ med: 1 })).toBe(one)
    expect(batches.of({ med: 1, localPref: 100 })).toBe(one)
    expect(batches.of({ med: 2 })).not.toBe(one)
    expect(batches.size).toBe(2)
  })

  it('that are not used can be forgotten', () => {
    const batches = new Batches('ipv4', terms)
    const path = { med: 1 }
    const used = batches.of(path)
    const unused = batches.of({ med: 2 })
    batches.keep(new Set(used === undefined ? [] : [used]))
    expect(batches.size).toBe(1)
    expect(batches.of({ ...path })).toBe(used)
    expect(batches.of({ med: 2 })).not.toBe(unused)
  })

  it('are others for another next hop, and the same again for the same', () => {
    const batches = new Batches('ipv4', terms)
    const path = { med: 1 }
    const before = batches.of(path)
    batches.renew({ ...terms, nextHops: { ipv4: [Uint8Array.of(192, 0, 2, 2)] } })
    expect(batches.of(path)).not.toBe(before)
    batches.renew(terms)
    expect(batches.of(path)).toBe(before)
    batches.renew({ ...terms, nextHops: { ipv4: [] } })
    expect(batches.of(path)).toBeUndefined()
  })
})
