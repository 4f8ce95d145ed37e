import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseAddress } from '../address.ts'
import { addressToNumber, parseAddressEntry, rangeOf } from '../config/ranges.ts'
import { Block, isBuggy } from './block.ts'

const block = (text: string, avoidBuggyIPs: boolean, limit = 2 ** 52): Block =>
  new Block(rangeOf(parseAddressEntry(text)), 0, limit, avoidBuggyIPs)

describe('a block', () => {
  it('numbers exactly the addresses that may be handed out, low to high, and finds each again by its number', () => {
    fc.assert(
      fc.property(fc.nat(2000), fc.nat(1500), fc.boolean(), (start, length, avoid) => {
        const first = 0xc0a80000n + BigInt(start)
        const range = { family: 4 as const, first, last: first + BigInt(length) }
        const made = new Block(range, 7, 2 ** 52, avoid)
        let position = 7
        for (let value = range.first; value <= range.last; value++) {
          if (avoid && isBuggy(value)) continue
          expect(made.positionOf(value)).toBe(position)
          expect(addressToNumber(parseAddress(made.addressAt(position)))).toBe(value)
          position++
        }
        expect(made.size).toBe(position - 7)
        expect(made.capacity).toBe(BigInt(position - 7))
      }),
      { numRuns: 30 },
    )
  })

  it('counts a whole IPv6 space without overflow, and numbers as much of it as it is told', () => {
    const all = block('::/0', false, 1000)
    expect(all.capacity).toBe(2n ** 128n)
    expect(all.size).toBe(1000)
    expect(all.addressAt(999)).toBe('::3e7')
    expect(all.positionOf(1000n)).toBe(Number.POSITIVE_INFINITY)
  })

  it('writes IPv6 addresses canonically', () => {
    expect(block('fd00:0:0:1::/64', false).addressAt(0x10000)).toBe('fd00::1:0:0:1:0')
  })
})
