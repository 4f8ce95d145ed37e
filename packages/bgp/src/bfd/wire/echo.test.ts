import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeEcho, type EchoPacket, encodeEcho } from './echo.ts'

const packets: fc.Arbitrary<EchoPacket> = fc.record({
  discriminator: fc.nat(0xffff_ffff),
  sequence: fc.nat(0xffff_ffff),
  key: fc.uint8Array({ minLength: 8, maxLength: 8 }),
})

describe('echo packets', () => {
  it('survive writing and reading, whatever follows them', () => {
    fc.assert(
      fc.property(packets, fc.uint8Array({ maxLength: 20 }), (packet, after) => {
        expect(decodeEcho(Uint8Array.of(...encodeEcho(packet), ...after))).toEqual(packet)
      }),
    )
  })

  it('of others are told apart', () => {
    const frr = Buffer.from('011800000541 77fd00000000000003c4000000000007 1ee5'.replaceAll(' ', ''), 'hex')
    expect(decodeEcho(frr)).toBeUndefined()
    const ours = encodeEcho({ discriminator: 1, sequence: 2, key: new Uint8Array(8) })
    expect(decodeEcho(ours.subarray(0, 23))).toBeUndefined()
    ours[4] = 2
    expect(decodeEcho(ours)).toBeUndefined()
  })

  it('are read from any bytes, or told apart', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), bytes => {
        const packet = decodeEcho(bytes)
        if (packet) expect(decodeEcho(encodeEcho(packet))).toEqual(packet)
      }),
    )
  })
})
