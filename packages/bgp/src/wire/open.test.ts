import { describe, expect, it } from 'vitest'
import { decodeMessage, encodeMessage } from './codec.ts'
import type { WireFault } from './fault.ts'
import { writeHeader } from './header.ts'
import type { Capability, Dialect, OpenMessage } from './message.ts'

const dialect: Dialect = { fourOctetAs: false, extendedMessage: false }
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'))

function read(body: string): OpenMessage {
  const bytes = new Uint8Array(19 + hex(body).length)
  bytes.set(hex(body), 19)
  writeHeader(bytes, 'open')
  return decodeMessage(bytes, dialect).message as OpenMessage
}

function fault(body: string): string {
  try {
    read(body)
  } catch (error) {
    expect(error).toMatchObject({ code: 'BAD_OPEN', reaction: 'reset' })
    const { code, subcode, data } = (error as WireFault).notification
    return `${code}/${subcode} ${Buffer.from(data).toString('hex')}`.trim()
  }
  return 'nothing'
}

const fixed = '04 fde9 00b4 0a000001'

describe('an OPEN', () => {
  it('is refused as RFC 4271 section 6.2 says', () => {
    expect(fault('03 fde9 00b4 0a000001 00')).toBe('2/1 0004')
    expect(fault('04 0000 00b4 0a000001 00')).toBe('2/2')
    expect(fault(`${fixed} 08 02 06 41 04 00000000`)).toBe('2/2')
    expect(fault('04 fde9 0001 0a000001 00')).toBe('2/6 0001')
    expect(fault('04 fde9 0002 0a000001 00')).toBe('2/6 0002')
    expect(fault('04 fde9 00b4 00000000 00')).toBe('2/3')
    expect(fault(`${fixed} 03 01 01 00`)).toBe('2/4')
    expect(read('04 fde9 0000 0a000001 00').holdTime).toBe(0)
  })

  it('is refused where the lengths of its parameters or capabilities do not fit', () => {
    for (const parameters of [
      '01',
      '04 02 04 0200',
      '05 02 02 0200',
      '03 02 02 02',
      '03 02 01 02',
      '05 02 03 010100',
      '08 02 06 010400010001 00',
      '09 02 07 01050001000100',
      '08 02 06 400400000001',
      '07 02 05 0503000100',
      '05 02 03 020100',
      'ff ff',
      'ff ff 0001',
      'ff ff 0004 02 0002 02',
    ])
      expect(fault(`${fixed} ${parameters}`)).toBe('2/0')
  })

  it('can have its capabilities in one parameter, in many, or in the extended form (RFC 9072)', () => {
    const capabilities: readonly Capability[] = [
      { name: 'multiprotocol', afi: 1, safi: 1 },
      { name: 'routeRefresh' },
      { name: 'fourOctetAs', as: 70000 },
    ]
    for (const parameters of [
      '10 02 0e 010400010001 0200 410400011170',
      '14 02 06 010400010001 02 02 0200 02 06 410400011170',
      'ff ff 0011 02 000e 010400010001 0200 410400011170',
      // The one-octet length does not count then.
      '01 ff 0011 02 000e 010400010001 0200 410400011170',
    ])
      expect(read(`${fixed} ${parameters}`).capabilities).toEqual(capabilities)
    expect(read(`${fixed} ff ff 0000`).capabilities).toEqual([])
  })

  it('is written in the extended form only where the plain one has no room', () => {
    const open = (size: number): OpenMessage => ({
      type: 'open',
      version: 4,
      as: 1,
      holdTime: 90,
      routerId: '10.0.0.1',
      capabilities: [{ name: 'unknown', code: 200, value: new Uint8Array(size) }],
    })
    const plain = encodeMessage(open(251), dialect)
    expect([...plain.subarray(28, 31)]).toEqual([255, 2, 253])
    const extended = encodeMessage(open(252), dialect)
    expect([...extended.subarray(28, 35)]).toEqual([255, 255, 1, 1, 2, 0, 254])
    for (const size of [251, 252, 255])
      expect(decodeMessage(encodeMessage(open(size), dialect), dialect).message).toEqual(open(size))
    expect(() => encodeMessage(open(256), dialect)).toThrow(expect.objectContaining({ code: 'BAD_LENGTH' }))
  })

  it('keeps capabilities that are not known, and host names that are none', () => {
    expect(read(`${fixed} 0a 02 08 c803010203 490105`).capabilities).toEqual([
      { name: 'unknown', code: 200, value: hex('010203') },
      { name: 'unknown', code: 73, value: hex('05') },
    ])
    expect(read(`${fixed} 07 02 05 4903 01ff00`).capabilities).toEqual([
      { name: 'unknown', code: 73, value: hex('01ff00') },
    ])
  })

  it('needs an IPv4 address as its router ID', () => {
    const open = { type: 'open', version: 4, as: 1, holdTime: 90, capabilities: [] } as const
    for (const routerId of ['::1', 'router'])
      expect(() => encodeMessage({ ...open, routerId }, dialect)).toThrow(
        expect.objectContaining({ code: 'BAD_ADDRESS' }),
      )
  })
})
