import { formatAddress, maskAddress, parseAddress } from '@carillon/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type PrefixWords, readPrefix } from './prefix-text.ts'

const hexOf = ({ family, a, b, c, d, length }: PrefixWords): string => {
  const words = (family === 'ipv4' ? [a] : [a, b, c, d]).map(one => (one >>> 0).toString(16).padStart(8, '0'))
  return `${words.join('')}/${length}`
}

/** Addresses with many zeros, where RFC 5952 has its rules. */
const address = (size: 4 | 16) =>
  fc
    .array(fc.oneof(fc.constant(0), fc.nat(0xffff), fc.nat(15)), { minLength: size / 2, maxLength: size / 2 })
    .map(words => Uint8Array.from(words.flatMap(word => [word >>> 8, word & 0xff])))
const prefix = fc
  .oneof(address(4), address(16))
  .chain(bytes => fc.tuple(fc.constant(bytes), fc.nat(8 * bytes.length)))
  .map(([bytes, length]) => [maskAddress(bytes, length), length] as const)
  .filter(([bytes]) => parseAddress(formatAddress(bytes)).length === bytes.length)

/** Other spellings of an IPv6 address. */
const spellings = (bytes: Uint8Array): readonly string[] => {
  const words = Array.from(
    { length: 8 },
    (_, i) => ((bytes[2 * i] as number) << 8) | (bytes[2 * i + 1] as number),
  )
  const full = words.map(word => word.toString(16))
  return [
    full.join(':'),
    words.map(word => word.toString(16).padStart(4, '0')).join(':'),
    full.join(':').toUpperCase(),
  ]
}

describe('the text of a prefix', () => {
  it('is read in whatever spelling, and has one canonical text', () => {
    fc.assert(
      fc.property(prefix, ([bytes, length]) => {
        const text = `${formatAddress(bytes)}/${length}`
        const read = readPrefix(text)
        expect(read.text).toBe(text)
        expect(read.family).toBe(bytes.length === 4 ? 'ipv4' : 'ipv6')
        expect(hexOf(read)).toBe(`${Buffer.from(bytes).toString('hex')}/${length}`)
        if (bytes.length === 16)
          for (const other of spellings(bytes)) expect(readPrefix(`${other}/${length}`)).toEqual(read)
      }),
      { numRuns: 500 },
    )
  })

  it('without a length is that of the address alone', () => {
    expect(readPrefix('192.0.2.1').text).toBe('192.0.2.1/32')
    expect(readPrefix('2001:db8::1').text).toBe('2001:db8::1/128')
    expect(readPrefix('::ffff:192.0.2.1')).toEqual(readPrefix('192.0.2.1/32'))
    expect(readPrefix('::ffff:c000:201/32')).toEqual(readPrefix('192.0.2.1/32'))
  })

  it('is refused where it is none, with what is wrong', () => {
    for (const [text, why] of [
      ['', 'not an IP prefix'],
      ['web', 'not an IP prefix'],
      ['10.0.0.0.0/8', 'not an IP prefix'],
      ['10.0.0/8', 'not an IP prefix'],
      ['256.0.0.0/8', 'not an IP prefix'],
      ['010.0.0.0/8', 'not an IP prefix'],
      ['fe80::1%eth0/64', 'not an IP prefix'],
      ['1:2:3:4:5:6:7:8:9/64', 'not an IP prefix'],
      ['1::2::3/64', 'not an IP prefix'],
      ['12345::/16', 'not an IP prefix'],
      [':1::/16', 'not an IP prefix'],
      ['1:/16', 'not an IP prefix'],
      ['10.0.0.0/33', 'from 0 to 32'],
      ['10.0.0.0/', 'from 0 to 32'],
      ['10.0.0.0/08', 'from 0 to 32'],
      ['10.0.0.0/8/8', 'from 0 to 32'],
      ['10.0.0.0/-1', 'from 0 to 32'],
      ['::/129', 'from 0 to 128'],
      ['::/1e1', 'from 0 to 128'],
      ['10.0.0.1/8', 'the prefix is 10.0.0.0/8'],
      ['2001:db8::1/64', 'the prefix is 2001:db8::/64'],
      ['128.0.0.0/0', 'the prefix is 0.0.0.0/0'],
      ['::1/127', 'the prefix is ::/127'],
    ] as const) {
      expect(() => readPrefix(text)).toThrow(expect.objectContaining({ code: 'BAD_ROUTE' }))
      expect(() => readPrefix(text)).toThrow(why)
    }
  })

  it('of any kind is read or refused with a coded error', () => {
    const pieces = fc.array(fc.constantFrom('0', '1', 'ff', '::', ':', '.', '/', '10', '255', ' ', 'G'), {
      maxLength: 20,
    })
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          pieces.map(list => list.join('')),
        ),
        text => {
          try {
            expect(readPrefix(readPrefix(text).text)).toEqual(readPrefix(text))
          } catch (error) {
            expect(error).toMatchObject({ code: 'BAD_ROUTE' })
          }
        },
      ),
      { numRuns: 1000 },
    )
  })
})
