import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatAddress, parseAddress } from '../address.ts'
import { CarillonError } from '../errors.ts'
import type { AddressRange, Cidr } from './config.ts'
import {
  addressToNumber,
  findOverlaps,
  joinRanges,
  lastOfCidr,
  numberToAddress,
  parseAddressEntry,
  rangeOf,
  summarise,
} from './ranges.ts'

const writeCidr = ({ family, first, prefixLength }: Cidr): string =>
  `${formatAddress(numberToAddress(first, family))}/${prefixLength}`
const cidrsOf = (text: string): string[] => parseAddressEntry(text).cidrs.map(writeCidr)
const complaint = (text: string): string => {
  try {
    parseAddressEntry(text)
  } catch (error) {
    if (error instanceof CarillonError && error.code === 'BAD_RANGE') return error.message
    throw error
  }
  return ''
}

describe('an entry of spec.addresses', () => {
  it('can be a CIDR, of which the host bits do not count', () => {
    expect(cidrsOf('192.168.1.77/24')).toEqual(['192.168.1.0/24'])
    expect(cidrsOf('2001:db8::1/64')).toEqual(['2001:db8::/64'])
    expect(cidrsOf('10.0.0.1/32')).toEqual(['10.0.0.1/32'])
  })

  it('can be a whole family', () => {
    expect(rangeOf(parseAddressEntry('0.0.0.0/0'))).toEqual({ family: 4, first: 0n, last: 2n ** 32n - 1n })
    expect(rangeOf(parseAddressEntry('::/0'))).toEqual({ family: 6, first: 0n, last: 2n ** 128n - 1n })
    expect(cidrsOf('0.0.0.0-255.255.255.255')).toEqual(['0.0.0.0/0'])
    expect(cidrsOf('::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff')).toEqual(['::/0'])
  })

  it('can be a range, with space around its ends, which becomes the fewest CIDRs', () => {
    expect(cidrsOf('192.168.1.240 - 192.168.1.250')).toEqual([
      '192.168.1.240/29',
      '192.168.1.248/31',
      '192.168.1.250/32',
    ])
    expect(cidrsOf('10.0.0.0-10.0.0.255')).toEqual(['10.0.0.0/24'])
    expect(cidrsOf('10.0.0.9-10.0.0.9')).toEqual(['10.0.0.9/32'])
    expect(cidrsOf('fc00::1-fc00::3')).toEqual(['fc00::1/128', 'fc00::2/127'])
  })

  it('is IPv4 when it is written as an IPv4-mapped IPv6 address', () => {
    expect(cidrsOf('::ffff:10.1.2.3/120')).toEqual(['10.1.2.0/24'])
    expect(cidrsOf('::ffff:10.0.0.0-10.0.0.1')).toEqual(['10.0.0.0/31'])
    expect(complaint('::ffff:10.1.2.3/95')).toMatch('from 96 to 128')
  })

  it('says what to write when it is neither', () => {
    expect(complaint('192.168.1.1')).toBe(
      '"192.168.1.1" has no prefix length: write 192.168.1.1/32 if this one address is meant',
    )
    expect(complaint('2001:db8::1')).toMatch('write 2001:db8::1/128')
    expect(complaint('10.0.0.0/33')).toMatch('must be from 0 to 32')
    expect(complaint('::/129')).toMatch('must be from 0 to 128')
    expect(complaint('10.0.0.9-10.0.0.1')).toBe('"10.0.0.9-10.0.0.1" ends before it starts: swap its ends')
    expect(complaint('10.0.0.1-::5')).toMatch('mixes IPv4 and IPv6')
    expect(complaint('10.0.0.1-10.0.0')).toMatch('"10.0.0" is not an IP address')
  })

  it.each([
    '',
    '-',
    '/',
    '/24',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/ 24',
    ' 10.0.0.0/24',
    '10.0.0.0/24 ',
    '010.0.0.0/24',
    '10.0.00.0/24',
    '10.0.0.256/24',
    '10.0.0/24',
    '10.0.0.0/255.255.255.0',
    '10.0.0.0/24-10.0.1.0/24',
    '10.0.0.1-10.0.0.2-10.0.0.3',
    'fe80::1%eth0/64',
    'example.com/24',
  ])('is refused as %j', text => {
    expect(complaint(text)).not.toBe('')
  })

  it('never fails in another way, whatever the text', () => {
    const pieces = fc.constantFrom(
      '10.0.0.1',
      '::1',
      '::ffff:1.2.3.4',
      '/',
      '-',
      '24',
      '128',
      ' ',
      'x',
      '%',
      ':',
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces).map(all => all.join('')),
        ),
        text => {
          try {
            expect(parseAddressEntry(text).cidrs.length).toBeGreaterThan(0)
          } catch (error) {
            expect(error).toBeInstanceOf(CarillonError)
          }
        },
      ),
      { numRuns: 1000 },
    )
  })
})

/** Ranges near each other and near the ends of their family, so that they touch and overlap often. */
const ranges = fc
  .record({
    family: fc.constantFrom(4 as const, 6 as const),
    base: fc.nat(40),
    size: fc.nat(20),
    top: fc.boolean(),
  })
  .map(({ family, base, size, top }): AddressRange => {
    const end = 2n ** (family === 4 ? 32n : 128n) - 1n
    const first = top ? end - BigInt(base + size) : BigInt(base)
    return { family, first, last: first + BigInt(size) }
  })

describe('CIDRs of a range', () => {
  it('cover exactly the range, in order, and no two of them would make one', () => {
    const wide = fc
      .tuple(fc.bigInt(0n, 2n ** 128n - 1n), fc.bigInt(0n, 2n ** 128n - 1n))
      .filter(([first, last]) => first <= last)
      .map(([first, last]): AddressRange => ({ family: 6, first, last }))
    fc.assert(
      fc.property(fc.oneof(ranges, wide), range => {
        const cidrs = summarise(range)
        let at = range.first
        for (const [i, cidr] of cidrs.entries()) {
          expect(cidr.first).toBe(at)
          const size = lastOfCidr(cidr) - cidr.first + 1n
          expect(cidr.first % size).toBe(0n)
          const before = cidrs[i - 1]
          if (before?.prefixLength === cidr.prefixLength) expect(before.first % (2n * size)).not.toBe(0n)
          at += size
        }
        expect(at - 1n).toBe(range.last)
      }),
    )
  })
})

describe('overlaps', () => {
  const overlap = (a: AddressRange, b: AddressRange): boolean =>
    a.family === b.family && a.first <= b.last && b.first <= a.last

  it('are found exactly where comparing every two finds one', () => {
    fc.assert(
      fc.property(fc.array(ranges, { maxLength: 12 }), list => {
        const found = findOverlaps(list, range => range)
        for (const [a, b] of found) expect(overlap(a, b)).toBe(true)
        // Whatever overlaps with something is named at least once, so nothing is left when all named are gone.
        const named = new Set(found.flat())
        const left = list.filter(range => !named.has(range))
        for (const [i, a] of left.entries()) {
          for (const b of left.slice(i + 1)) expect(overlap(a, b)).toBe(false)
        }
        const any = list.some((a, i) => list.slice(i + 1).some(b => overlap(a, b)))
        expect(found.length > 0).toBe(any)
      }),
      { numRuns: 1000 },
    )
  })
})

describe('ranges that follow one another', () => {
  it('become one, in the order in which they are given', () => {
    const range = (text: string): AddressRange => rangeOf(parseAddressEntry(text))
    const joined = joinRanges(['10.0.0.0/25', '10.0.0.128/25', '10.0.2.0/24', '10.0.1.0/24'].map(range))
    expect(joined).toEqual([range('10.0.0.0/24'), range('10.0.2.0/24'), range('10.0.1.0/24')])
  })

  it('stay two when one ends IPv4 and the other starts IPv6', () => {
    const low: AddressRange = { family: 4, first: 0n, last: 4n }
    expect(joinRanges([low, { family: 6, first: 5n, last: 6n }])).toHaveLength(2)
  })
})

describe('an address as a number', () => {
  it('comes back as the address', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), text => {
        const bytes = parseAddress(text)
        expect(numberToAddress(addressToNumber(bytes), bytes.length === 4 ? 4 : 6)).toEqual(
          new Uint8Array(bytes),
        )
      }),
    )
    expect(addressToNumber(parseAddress('255.0.0.1'))).toBe(0xff000001n)
  })
})
