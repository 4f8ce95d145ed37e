import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Claim, Claims, decodeClaims, encodeClaims } from './claims.ts'

const address = '192.168.1.240'
const planned = (
  node: string | undefined,
): ReadonlyMap<string, { address: string; node: string | undefined }> =>
  new Map([[address, { address, node }]])

describe('claims', () => {
  it('are made by the node that was elected, once', () => {
    const claims = new Claims()
    expect(claims.follow(planned('a'), 'a', 1000)).toEqual([{ address, node: 'a', term: 1, since: 1000 }])
    expect(claims.follow(planned('a'), 'a', 2000)).toEqual([])
    expect(claims.follow(planned('b'), 'a', 2000)).toEqual([])
    expect([...claims.incumbents]).toEqual([[address, 'a']])
  })

  it('give way to a later owner, and not to one who comes back with an old claim', () => {
    const claims = new Claims()
    claims.merge([{ address, node: 'a', term: 1, since: 1000 }])
    expect(claims.follow(planned('b'), 'b', 5000)).toEqual([{ address, node: 'b', term: 2, since: 5000 }])
    expect(claims.merge([{ address, node: 'a', term: 1, since: 1000 }])).toBe(false)
    expect(claims.incumbents.get(address)).toBe('b')
  })

  it('of a node that claimed while it was alone lose to those of the cluster that it then meets', () => {
    const lonely = new Claims()
    lonely.follow(planned('c'), 'c', 9000)
    expect(lonely.merge([{ address, node: 'a', term: 1, since: 1000 }])).toBe(true)
    expect(lonely.incumbents.get(address)).toBe('a')
  })

  it('are forgotten with the address', () => {
    const claims = new Claims()
    claims.follow(planned('a'), 'a', 1000)
    claims.follow(new Map(), 'a', 2000)
    expect(claims.all()).toEqual([])
    expect(claims.incumbents.size).toBe(0)
  })

  const claim: fc.Arbitrary<Claim> = fc.record({
    address: fc.constantFrom('10.0.0.1', '10.0.0.2', 'fd00::1'),
    node: fc.constantFrom('a', 'b', 'c'),
    term: fc.integer({ min: 1, max: 3 }),
    since: fc.integer({ min: 0, max: 3 }),
  })

  it('merge to the same result in whatever order they arrive', () => {
    fc.assert(
      fc.property(fc.array(claim), fc.array(claim), (first, second) => {
        const [one, other] = [new Claims(), new Claims()]
        one.merge(first)
        one.merge(second)
        other.merge([...second, ...first].reverse())
        expect(new Set(one.all().map(all => JSON.stringify(all)))).toEqual(
          new Set(other.all().map(all => JSON.stringify(all))),
        )
      }),
    )
  })

  it('come back from bytes as they were, and nothing comes from any other bytes', () => {
    fc.assert(
      fc.property(fc.array(claim), claims => {
        expect(decodeClaims(encodeClaims(claims))).toEqual(claims)
      }),
    )
    fc.assert(
      fc.property(fc.uint8Array(), bytes => {
        for (const { address: text, term } of decodeClaims(bytes)) {
          expect(typeof text).toBe('string')
          expect(term).toBeGreaterThan(0)
        }
      }),
    )
    expect(decodeClaims(new TextEncoder().encode('[["10.0.0.1","a",0,1]]'))).toEqual([])
    expect(decodeClaims(new TextEncoder().encode('[["010.0.0.1","a",1,1]]'))).toEqual([])
  })
})
