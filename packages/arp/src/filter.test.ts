import { type AddressBytes, parseAddress } from '@carillon/core'
import { runBpf } from '@carillon/core/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { arpFilter, MAX_INSTRUCTIONS, ndpFilter } from './filter.ts'
import { mergeNearest, toRanges } from './ranges.ts'
import { arpOperations, encodeArp } from './wire/arp.ts'
import { broadcastMac, encodeEthernet, etherTypes } from './wire/ethernet.ts'
import { encodeIpv6 } from './wire/ipv6.ts'
import { encodeNdp, solicitedNodeGroup } from './wire/ndp.ts'

const mac = Uint8Array.of(2, 0, 0, 0, 0, 1)
const ethernet = (etherType: number, payload: Uint8Array): Uint8Array =>
  encodeEthernet({ destination: broadcastMac, source: mac, etherType, payload })

const arpFrame = (operation: number, sender: AddressBytes, target: AddressBytes): Uint8Array =>
  ethernet(
    etherTypes.arp,
    encodeArp({ operation, sender: { mac, address: sender }, target: { mac, address: target } }),
  )

const ndpFrame = (message: 'solicitation' | 'advertisement', target: AddressBytes): Uint8Array => {
  const source = parseAddress('fe80::1')
  const destination = solicitedNodeGroup(target)
  const flags = { router: false, solicited: false, override: true }
  const payload = encodeNdp({ message, target, options: [], ...flags }, source, destination)
  const fields = {
    trafficClass: 0,
    flowLabel: 0,
    nextHeader: 58,
    hopLimit: 255,
    source,
    destination,
    payload,
  }
  return ethernet(etherTypes.ipv6, encodeIpv6(fields))
}

const { request, reply } = arpOperations
const ipv4 = fc.uint8Array({ minLength: 4, maxLength: 4 })
/** Addresses that lie near each other as those of pools do, and some that do not. */
const fewBits = fc.constantFrom(0, 1, 2, 127, 128, 254, 255)
const near4 = fc
  .tuple(fc.constantFrom(10, 192, 255, 0), fewBits, fewBits, fewBits)
  .map(parts => Uint8Array.from(parts))
const near6 = fc
  .tuple(fc.constantFrom(0xfc, 0xfd, 0x20), fewBits, fewBits, fewBits, fewBits, fewBits)
  .map(([a, b, c, d, e, f]) => Uint8Array.of(a, b, 0, 0, c, 0, 0, 0, d, 0, 0, 0, e, 0, 0, f))
const other = parseAddress('172.16.0.1')

describe('the ARP filter', () => {
  it('passes what asks for one of the addresses or claims one, and nothing else', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(ipv4, near4), { maxLength: 60 }),
        fc.array(near4),
        (addresses, strangers) => {
          const owned = new Set(addresses.map(String))
          fc.pre(!owned.has(String(other)))
          const program = arpFilter(addresses)
          for (const address of [...addresses, ...strangers]) {
            const ours = owned.has(String(address))
            expect(runBpf(program, arpFrame(request, other, address)) > 0).toBe(ours)
            expect(runBpf(program, arpFrame(request, address, other)) > 0).toBe(ours)
            expect(runBpf(program, arpFrame(reply, address, other)) > 0).toBe(ours)
            expect(runBpf(program, arpFrame(reply, other, address))).toBe(0)
            expect(runBpf(program, arpFrame(3, address, address))).toBe(0)
          }
        },
      ),
    )
  })

  it('passes all that it must within the size that the kernel allows, however many scattered addresses there are', () => {
    fc.assert(
      fc.property(fc.array(ipv4, { minLength: 300, maxLength: 2000 }), addresses => {
        const program = arpFilter(addresses)
        expect(program.length).toBeLessThanOrEqual(MAX_INSTRUCTIONS)
        for (const address of addresses.slice(0, 200)) {
          expect(runBpf(program, arpFrame(request, other, address))).toBeGreaterThan(0)
          expect(runBpf(program, arpFrame(reply, address, other))).toBeGreaterThan(0)
        }
      }),
      { numRuns: 20 },
    )
  })

  it('is short for a whole pool', () => {
    const pool = Array.from({ length: 1000 }, (_, i) => Uint8Array.of(10, 0, i >> 8, i & 255))
    expect(arpFilter(pool).length).toBeLessThan(25)
  })

  it('passes nothing when there are no addresses', () => {
    expect(runBpf(arpFilter([]), arpFrame(request, other, other))).toBe(0)
  })

  it('rejects frames that are cut short, for another medium, or for another protocol', () => {
    const address = parseAddress('10.0.0.1')
    const program = arpFilter([address])
    const frame = arpFrame(request, other, address)
    expect(runBpf(program, frame)).toBeGreaterThan(0)
    expect(runBpf(program, frame.subarray(0, 41))).toBe(0)
    for (const [at, value] of [
      [15, 6],
      [16, 0x86],
      [18, 8],
      [19, 16],
    ] as const) {
      const wrong = frame.slice()
      wrong[at] = value
      expect(runBpf(program, wrong)).toBe(0)
    }
  })

  it('asks the kernel for the VLAN tag before anything else', () => {
    const [first, second] = arpFilter([other])
    expect(first).toEqual({ code: 0x20, jt: 0, jf: 0, k: 0xfffff030 })
    expect(second).toMatchObject({ code: 0x15, k: 0 })
  })
})

describe('the NDP filter', () => {
  it('passes solicitations and advertisements of the addresses, and nothing else', () => {
    fc.assert(
      fc.property(fc.array(near6, { maxLength: 40 }), fc.array(near6), (addresses, strangers) => {
        const owned = new Set(addresses.map(String))
        const program = ndpFilter(addresses)
        for (const address of [...addresses, ...strangers]) {
          const ours = owned.has(String(address))
          expect(runBpf(program, ndpFrame('solicitation', address)) > 0).toBe(ours)
          expect(runBpf(program, ndpFrame('advertisement', address)) > 0).toBe(ours)
        }
      }),
    )
  })

  it('stays within the size that the kernel allows, and passes all that it must, with addresses all over the place', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 16, maxLength: 16 }), { minLength: 300, maxLength: 2000 }),
        random => {
          const addresses = random.map(bytes => Uint8Array.of(0x20, ...bytes.subarray(1)))
          const program = ndpFilter(addresses)
          expect(program.length).toBeLessThanOrEqual(MAX_INSTRUCTIONS)
          for (const address of addresses.slice(0, 200)) {
            expect(runBpf(program, ndpFrame('solicitation', address))).toBeGreaterThan(0)
          }
        },
      ),
      { numRuns: 20 },
    )
  })

  it('lets other IPv6 traffic stay in the kernel', () => {
    const address = parseAddress('fd00::1')
    const program = ndpFilter([address])
    const frame = ndpFrame('solicitation', address)
    for (const [at, value] of [
      [20, 17],
      [54, 133],
      [54, 128],
    ] as const) {
      const wrong = frame.slice()
      wrong[at] = value
      expect(runBpf(program, wrong)).toBe(0)
    }
    expect(runBpf(program, frame.subarray(0, 77))).toBe(0)
    expect(runBpf(ndpFilter([]), frame)).toBe(0)
  })
})

describe('ranges', () => {
  it('hold exactly the numbers they are made of', () => {
    expect(toRanges([5, 3, 4, 9, 3])).toEqual([
      { first: 3, last: 5 },
      { first: 9, last: 9 },
    ])
  })

  it('are merged where they are nearest', () => {
    const ranges = toRanges([1, 3, 100, 101, 200, 202])
    expect(mergeNearest(ranges, 3)).toEqual([
      { first: 1, last: 3 },
      { first: 100, last: 101 },
      { first: 200, last: 202 },
    ])
    expect(mergeNearest(ranges, 1)).toEqual([{ first: 1, last: 202 }])
  })

  it('never lose a number by merging, and never exceed the limit', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(1000), { minLength: 1 }),
        fc.integer({ min: 1, max: 5 }),
        (values, limit) => {
          const merged = mergeNearest(toRanges(values), limit)
          expect(merged.length).toBeLessThanOrEqual(limit)
          for (const value of values) expect(merged.some(r => r.first <= value && value <= r.last)).toBe(true)
        },
      ),
    )
  })
})
