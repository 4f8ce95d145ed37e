import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { elect, rank, succession } from './election.ts'

const names = (text: string): { node: string }[] => text.split(',').map(node => ({ node }))
const fourNodes = names('node-a,node-b,node-c,node-d')

describe('the order of succession', () => {
  it.each([
    ['10.20.30.1', 'node-b,node-c,node-a,node-d'],
    ['10.20.30.2', 'node-c,node-a,node-b,node-d'],
    ['192.168.1.240', 'node-a,node-d,node-c,node-b'],
    ['192.168.1.241', 'node-d,node-c,node-a,node-b'],
    ['fc00:f853:ccd:e799::1', 'node-d,node-b,node-a,node-c'],
  ])('of %s among four nodes is the one that MetalLB finds', (address, order) => {
    expect(succession(address, fourNodes).join()).toBe(order)
  })

  it.each([
    ['10.20.30.1', 'iris2,iris1'],
    ['10.20.30.2', 'iris1,iris2'],
  ])('of %s among two nodes is the one that MetalLB finds', (address, order) => {
    expect(succession(address, names('iris1,iris2')).join()).toBe(order)
  })

  it('shows the digest that a rank comes from', () => {
    const first = rank('10.20.30.1', names('node-a'))[0]
    const expected = '9689afd510d912691cacee7592379b271c9ddf020192ea006d982e419294a74e'
    expect(Buffer.from(first?.digest ?? []).toString('hex')).toBe(expected)
  })

  it('does not depend on how an address is spelled', () => {
    expect(succession('FC00:F853:0ccd:e799:0:0:0:1', fourNodes)).toEqual(
      succession('fc00:f853:ccd:e799::1', fourNodes),
    )
    expect(succession('::ffff:10.20.30.1', fourNodes)).toEqual(succession('10.20.30.1', fourNodes))
  })

  it('puts preferred nodes first, by the sum of their weights', () => {
    const scored = [
      { node: 'node-a', score: 10 },
      { node: 'node-b' },
      { node: 'node-c', score: 30 },
      { node: 'node-d', score: 10 },
    ]
    expect(succession('192.168.1.240', scored)).toEqual(['node-c', 'node-a', 'node-d', 'node-b'])
  })

  it('is empty without candidates', () => {
    expect(elect('10.20.30.1', [])).toBeUndefined()
  })
})

const nodes = fc.uniqueArray(fc.record({ node: fc.stringMatching(/^[a-z0-9-]{1,12}$/), score: fc.nat(2) }), {
  minLength: 1,
  maxLength: 12,
  selector: ({ node }) => node,
})
const addresses = fc.oneof(fc.ipV4(), fc.ipV6())

describe('the election', () => {
  it('has the same outcome whatever the order in which candidates become known', () => {
    fc.assert(
      fc.property(addresses, nodes, fc.infiniteStream(fc.nat()), (address, candidates, numbers) => {
        const shuffled = candidates
          .map(candidate => ({ candidate, at: numbers.next().value }))
          .sort((a, b) => a.at - b.at)
          .map(({ candidate }) => candidate)
        expect(succession(address, shuffled)).toEqual(succession(address, candidates))
      }),
    )
  })

  it('moves nothing when a bystander is lost, and hands over to the next in line when the owner is', () => {
    fc.assert(
      fc.property(addresses, nodes, (address, candidates) => {
        const [winner, next] = succession(address, candidates)
        for (const lost of candidates) {
          const left = candidates.filter(candidate => candidate !== lost)
          expect(elect(address, left)).toBe(lost.node === winner ? next : winner)
        }
      }),
    )
  })
})
