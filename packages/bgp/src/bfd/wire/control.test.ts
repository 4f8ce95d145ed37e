import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ControlFault, type ControlPacket, decodeControl, encodeControl } from './control.ts'
import { bfdStates } from './state.ts'

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))

/** From tcpdump on a veth pair, FRR 8.4.4 and BIRD 2.0.12 at 3 x 50 ms, at the moments when they come up. */
const captured = {
  frrInit: hex('2080 0318 c7c5 2fda cec3 1ccc 000f 4240 000f 4240 0000 c350'),
  frrPolls: hex('20e0 0318 c7c5 2fda cec3 1ccc 0000 c350 0000 c350 0000 c350'),
  frrAnswers: hex('20d0 0318 c7c5 2fda cec3 1ccc 0000 c350 0000 c350 0000 c350'),
  birdDown: hex('2040 0318 c4bb 13fb 0000 0000 000f 4240 0000 c350 0000 0000'),
  birdUp: hex('20c0 0318 c4bb 13fb 8770 940e 0000 c350 0000 c350 0000 0000'),
}

const read = (bytes: Uint8Array): ControlPacket => {
  const packet = decodeControl(bytes)
  if (typeof packet === 'string') throw new Error(`dropped: ${packet}`)
  return packet
}

/** A packet of FRR with some bytes changed. */
const changed = (changes: Readonly<Record<number, number>>): Uint8Array => {
  const bytes = captured.frrPolls.slice()
  for (const [at, value] of Object.entries(changes)) bytes[Number(at)] = value
  return bytes
}

const u32 = fc.nat(0xffff_ffff)
const packets: fc.Arbitrary<ControlPacket> = fc
  .record({
    state: fc.constantFrom(...bfdStates),
    diagnostic: fc.nat(31),
    poll: fc.boolean(),
    final: fc.boolean(),
    controlPlaneIndependent: fc.boolean(),
    demand: fc.boolean(),
    detectMultiplier: fc.integer({ min: 1, max: 255 }),
    myDiscriminator: fc.integer({ min: 1, max: 0xffff_ffff }),
    yourDiscriminator: u32,
    desiredMinTxUs: u32,
    requiredMinRxUs: u32,
    requiredMinEchoRxUs: u32,
  })
  .filter(({ poll, final }) => !(poll && final))
  .filter(({ yourDiscriminator, state }) => yourDiscriminator !== 0 || state.endsWith('down'))

describe('BFD control packets', () => {
  it('of FRR and BIRD are understood', () => {
    expect(read(captured.frrPolls)).toEqual({
      state: 'up',
      diagnostic: 0,
      poll: true,
      final: false,
      controlPlaneIndependent: false,
      demand: false,
      detectMultiplier: 3,
      myDiscriminator: 0xc7c52fda,
      yourDiscriminator: 0xcec31ccc,
      desiredMinTxUs: 50_000,
      requiredMinRxUs: 50_000,
      requiredMinEchoRxUs: 50_000,
    })
    expect(read(captured.frrInit)).toMatchObject({ state: 'init', desiredMinTxUs: 1_000_000 })
    expect(read(captured.frrAnswers)).toMatchObject({ state: 'up', poll: false, final: true })
    expect(read(captured.birdDown)).toMatchObject({ state: 'down', yourDiscriminator: 0 })
    expect(read(captured.birdUp)).toMatchObject({ state: 'up', requiredMinEchoRxUs: 0 })
  })

  it('are written as FRR and BIRD write them', () => {
    for (const bytes of Object.values(captured)) expect(encodeControl(read(bytes))).toEqual(bytes)
  })

  it('survive writing and reading, whatever follows them', () => {
    fc.assert(
      fc.property(packets, fc.uint8Array({ maxLength: 20 }), (packet, after) => {
        expect(decodeControl(Uint8Array.of(...encodeControl(packet), ...after))).toEqual(packet)
      }),
    )
  })

  const faults: readonly [fault: ControlFault, why: string, bytes: Uint8Array][] = [
    ['short', 'with a byte missing', captured.frrPolls.subarray(0, 23)],
    ['short', 'that claim more bytes than there are', changed({ 3: 25 })],
    ['short', 'without the authentication section that they claim', changed({ 1: 0xe4, 3: 26 })],
    ['version', 'of version 0', changed({ 0: 0x00 })],
    ['version', 'of version 2', changed({ 0: 0x40 })],
    ['length', 'that claim fewer bytes than they need', changed({ 3: 23 })],
    ['length', 'that claim authentication without room for it', changed({ 1: 0xe4 })],
    ['multiplier', 'with a detection multiplier of 0', changed({ 2: 0 })],
    ['multipoint', 'with the multipoint bit', changed({ 1: 0xe1 })],
    ['discriminator', 'without a discriminator', changed({ 4: 0, 5: 0, 6: 0, 7: 0 })],
    ['state', 'that are up with nobody', changed({ 8: 0, 9: 0, 10: 0, 11: 0 })],
    ['flags', 'that ask and answer at once', changed({ 1: 0xf0 })],
    ['authentication', 'with authentication', Uint8Array.of(...changed({ 1: 0xe4, 3: 28 }), 1, 4, 7, 65)],
  ]
  for (const [fault, why, bytes] of faults)
    it(`${why} are dropped`, () => expect(decodeControl(bytes)).toBe(fault))

  it('of a sender that does not know us yet may be down or administratively down', () => {
    for (const flags of [0x00, 0x40])
      expect(read(changed({ 1: flags, 8: 0, 9: 0, 10: 0, 11: 0 })).yourDiscriminator).toBe(0)
  })

  it('are read from any bytes, or dropped for a reason', () => {
    const likely = fc
      .tuple(fc.constantFrom(...Object.values(captured)), fc.dictionary(fc.nat(23).map(String), fc.nat(255)))
      .map(([bytes, changes]) => {
        const out = bytes.slice()
        for (const [at, value] of Object.entries(changes)) out[Number(at)] = value
        return out
      })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 64 }), likely), bytes => {
        const packet = decodeControl(bytes)
        if (typeof packet !== 'string') expect(decodeControl(encodeControl(packet))).toEqual(packet)
      }),
    )
  })
})
