import { formatAddress, formatMac } from '@carillon/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeUdpFrame, encodeUdpFrame, type UdpFrame } from './udp.ts'

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'))

/** An echo packet of FRR 8.4.4 to itself, by way of the peer; from tcpdump on a veth pair. */
const frrEcho = hex(`5e04 67bb 95f4 7285 6d10 d4dd 0800
  45c0 0034 33b1 0000 ff11 7144 0a00 0001 0a00 0001 0ec9 0ec9 0020 0000
  0118 0000 0541 77fd 0000 0000 0000 03c4 0000 0000 0007 1ee5`)

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const frames: fc.Arbitrary<UdpFrame> = fc.constantFrom(4, 16).chain(length =>
  fc.record({
    destinationMac: bytes(6),
    sourceMac: bytes(6),
    source: bytes(length),
    destination: bytes(length),
    sourcePort: fc.nat(0xffff),
    destinationPort: fc.nat(0xffff),
    ttl: fc.nat(255),
    payload: fc.uint8Array({ maxLength: 60 }),
  }),
)

/** The sum of RFC 1071, which is 0xffff over anything that holds its own checksum. */
function sum(...parts: readonly Uint8Array[]): number {
  const all = Buffer.concat(parts)
  let total = 0
  for (let i = 0; i < all.length; i += 2) total += (all[i] ?? 0) * 256 + (all[i + 1] ?? 0)
  return total % 0xffff || 0xffff
}

describe('UDP in Ethernet frames', () => {
  it('of FRR is understood', () => {
    const frame = decodeUdpFrame(frrEcho)
    expect(frame).toMatchObject({ sourcePort: 3785, destinationPort: 3785, ttl: 255 })
    expect(formatMac(frame?.sourceMac ?? new Uint8Array())).toBe('72:85:6d:10:d4:dd')
    expect(formatAddress(frame?.destination ?? new Uint8Array())).toBe('10.0.0.1')
    expect(frame?.payload.length).toBe(24)
  })

  it('survives writing and reading, with the padding of short frames', () => {
    fc.assert(
      fc.property(frames, bytes(18), (frame, padding) => {
        expect(decodeUdpFrame(Uint8Array.of(...encodeUdpFrame(frame), ...padding))).toEqual(frame)
      }),
    )
  })

  it('carries right checksums', () => {
    fc.assert(
      fc.property(frames, frame => {
        const written = encodeUdpFrame(frame)
        const v4 = frame.source.length === 4
        if (v4) expect(sum(written.subarray(14, 34))).toBe(0xffff)
        const segment = written.subarray(v4 ? 34 : 54)
        const pseudo = Uint8Array.of(...frame.source, ...frame.destination, 0, segment.length, 0, 17)
        expect(sum(pseudo, segment)).toBe(0xffff)
        expect(segment[6] || segment[7]).not.toBe(0)
      }),
    )
  })

  it('is not found in fragments, in other protocols, behind IP options, or where bytes are missing', () => {
    for (const [at, value] of [
      [12, 0x86],
      [14, 0x46],
      [20, 0x20],
      [21, 0x01],
      [23, 6],
      [38, 0x01],
      [39, 7],
    ] as const) {
      const other = frrEcho.slice()
      other[at] = value
      expect(decodeUdpFrame(other)).toBeUndefined()
    }
    for (let length = 0; length < frrEcho.length; length++)
      expect(decodeUdpFrame(frrEcho.subarray(0, length))).toBeUndefined()
  })

  it('is read from any bytes, or not found in them', () => {
    const headers = fc.constantFrom(
      hex('000000000000 000000000000 0800 45'),
      hex('000000000000 000000000000 86dd 60'),
    )
    fc.assert(
      fc.property(headers, fc.uint8Array({ maxLength: 100 }), (header, rest) => {
        const frame = decodeUdpFrame(Uint8Array.of(...header, ...rest))
        if (frame) expect(decodeUdpFrame(encodeUdpFrame(frame))).toEqual(frame)
      }),
    )
  })
})
