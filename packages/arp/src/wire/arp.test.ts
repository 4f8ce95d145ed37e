import { CarillonError, formatAddress, formatMac } from '@carillon/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ArpPacket, decodeArp, encodeArp } from './arp.ts'
import { decodeEthernet, encodeEthernet, etherTypes } from './ethernet.ts'

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'))

/** From tcpdump on a veth pair between two Linux 6.18 hosts, and from Thomas Habets' arping. */
const captured = {
  kernelAsks: hex(`ffff ffff ffff 0200 0000 000a 0806 0001 0800 0604 0001 0200 0000 000a 0a09 0001
    0000 0000 0000 0a09 0002`),
  kernelAnswers: hex(`0200 0000 000a 0200 0000 000b 0806 0001 0800 0604 0002 0200 0000 000b 0a09 0002
    0200 0000 000a 0a09 0001`),
  kernelAnnounces: hex(`ffff ffff ffff 0200 0000 000b 0806 0001 0800 0604 0001 0200 0000 000b 0a09 0002
    0000 0000 0000 0a09 0002`),
  arpingProbes: hex(`ffff ffff ffff 0200 0000 000a 0806 0001 0800 0604 0001 0200 0000 000a 0000 0000
    ffff ffff ffff 0a09 0002`),
}

const read = (frame: Uint8Array) => {
  const { etherType, payload } = decodeEthernet(frame)
  expect(etherType).toBe(etherTypes.arp)
  const { operation, sender, target } = decodeArp(payload)
  return [
    operation,
    formatMac(sender.mac),
    formatAddress(sender.address),
    formatMac(target.mac),
    formatAddress(target.address),
  ]
}

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const party = fc.record({ mac: bytes(6), address: bytes(4) })
const packets: fc.Arbitrary<ArpPacket> = fc.record({
  operation: fc.nat(0xffff),
  sender: party,
  target: party,
})

describe('ARP packets', () => {
  it('of the kernel and of arping are understood', () => {
    const [a, b] = ['02:00:00:00:00:0a', '02:00:00:00:00:0b']
    expect(read(captured.kernelAsks)).toEqual([1, a, '10.9.0.1', '00:00:00:00:00:00', '10.9.0.2'])
    expect(read(captured.kernelAnswers)).toEqual([2, b, '10.9.0.2', a, '10.9.0.1'])
    expect(read(captured.kernelAnnounces)).toEqual([1, b, '10.9.0.2', '00:00:00:00:00:00', '10.9.0.2'])
    expect(read(captured.arpingProbes)).toEqual([1, a, '0.0.0.0', 'ff:ff:ff:ff:ff:ff', '10.9.0.2'])
  })

  it('are written as the kernel writes them', () => {
    for (const frame of Object.values(captured)) {
      const ethernet = decodeEthernet(frame)
      expect(encodeEthernet({ ...ethernet, payload: encodeArp(decodeArp(ethernet.payload)) })).toEqual(frame)
    }
  })

  it('survive writing and reading, with unknown operations and padding', () => {
    fc.assert(
      fc.property(packets, bytes(18), (packet, padding) => {
        expect(decodeArp(Uint8Array.of(...encodeArp(packet), ...padding))).toEqual(packet)
      }),
    )
  })

  it('for another medium or protocol are refused', () => {
    const payload = decodeEthernet(captured.kernelAsks).payload
    for (const [at, value] of [
      [1, 6],
      [3, 1],
      [4, 8],
      [5, 16],
    ] as const) {
      const wrong = payload.slice()
      wrong[at] = value
      expect(() => decodeArp(wrong)).toThrow(expect.objectContaining({ code: 'BAD_ARP' }))
    }
    expect(() => decodeArp(payload.subarray(0, 27))).toThrow(expect.objectContaining({ code: 'SHORT_READ' }))
  })

  it('are read from any bytes, or refused with a coded error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), junk => {
        try {
          decodeArp(decodeEthernet(junk).payload)
        } catch (error) {
          expect(error).toBeInstanceOf(CarillonError)
        }
      }),
    )
  })
})

describe('an Ethernet frame', () => {
  it('survives writing and reading', () => {
    const frames = fc.record({
      destination: bytes(6),
      source: bytes(6),
      etherType: fc.nat(0xffff),
      payload: fc.uint8Array(),
    })
    fc.assert(
      fc.property(frames, frame => {
        expect(decodeEthernet(encodeEthernet(frame))).toEqual(frame)
      }),
    )
  })

  it('that ends within its header is refused', () => {
    expect(() => decodeEthernet(new Uint8Array(13))).toThrow(expect.objectContaining({ code: 'SHORT_READ' }))
  })
})
