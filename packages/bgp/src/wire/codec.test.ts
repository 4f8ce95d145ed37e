import { CarillonError } from '@carillon/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { arbitraryDialect, arbitraryMessage } from './arbitraries.test.ts'
import { decodeMessage, encodeMessage } from './codec.ts'
import { WireFault } from './fault.ts'
import { writeHeader } from './header.ts'
import type { Dialect, Message } from './message.ts'

const plain: Dialect = { fourOctetAs: true, extendedMessage: false }
const marker = 'ff'.repeat(16)
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'))

/** Encodes, or says that this dialect has no room for the message. */
function tryEncode(message: Message, dialect: Dialect): Uint8Array | undefined {
  try {
    return encodeMessage(message, dialect)
  } catch (error) {
    expect(error).toMatchObject({ code: 'MESSAGE_TOO_LARGE' })
    return undefined
  }
}

/** A decoded message is whole and has its NOTIFICATION; anything but that and a fault is a defect. */
function decodeOrFault(bytes: Uint8Array, dialect: Dialect): void {
  try {
    const { message, faults } = decodeMessage(bytes, dialect)
    expect(message.type).toBeTypeOf('string')
    for (const fault of faults) expect(['withdraw', 'discard']).toContain(fault.reaction)
  } catch (error) {
    expect(error).toBeInstanceOf(WireFault)
    const fault = error as WireFault
    expect(fault).toBeInstanceOf(CarillonError)
    expect(fault.reaction).toBe('reset')
    // What must be sent can be sent.
    expect(encodeMessage(fault.notification, dialect).length).toBeGreaterThanOrEqual(21)
  }
}

describe('messages', () => {
  it('survive writing and reading, in every dialect', () => {
    fc.assert(
      fc.property(arbitraryMessage, arbitraryDialect, (message, dialect) => {
        const bytes = tryEncode(message, dialect)
        if (bytes !== undefined) expect(decodeMessage(bytes, dialect)).toEqual({ message, faults: [] })
      }),
      { numRuns: 1000 },
    )
  })

  it('are written again as they were read', () => {
    fc.assert(
      fc.property(arbitraryMessage, arbitraryDialect, (message, dialect) => {
        const bytes = tryEncode(message, dialect)
        if (bytes !== undefined)
          expect(encodeMessage(decodeMessage(bytes, dialect).message, dialect)).toEqual(bytes)
      }),
    )
  })

  it('that RFC 4271 gives the layout of are read and written octet by octet', () => {
    const cases: readonly (readonly [Message, string])[] = [
      [{ type: 'keepalive' }, `${marker} 0013 04`],
      [
        { type: 'open', version: 4, as: 65001, holdTime: 180, routerId: '10.0.0.1', capabilities: [] },
        `${marker} 001d 01 04 fde9 00b4 0a000001 00`,
      ],
      [
        {
          type: 'open',
          version: 4,
          as: 23456,
          holdTime: 90,
          routerId: '10.0.0.1',
          capabilities: [
            { name: 'multiprotocol', afi: 1, safi: 1 },
            { name: 'routeRefresh' },
            { name: 'fourOctetAs', as: 4200000000 },
            {
              name: 'gracefulRestart',
              restarting: true,
              notification: false,
              restartTime: 120,
              families: [{ afi: 2, safi: 1, forwarding: true }],
            },
            { name: 'extendedNextHop', entries: [{ afi: 1, safi: 1, nextHopAfi: 2 }] },
            { name: 'hostname', hostName: 'a', domainName: '' },
          ],
        },
        `${marker} 0042 01 04 5ba0 005a 0a000001 25 02 23
         01 04 0001 00 01   02 00   41 04 fa56ea00   40 06 8078 0002 01 80   05 06 0001 0001 0002   49 03 01 61 00`,
      ],
      [
        {
          type: 'update',
          withdrawn: [{ address: Uint8Array.of(10, 1, 0, 0), length: 16 }],
          attributes: {
            origin: 'igp',
            asPath: [{ type: 'sequence', as: [65001] }],
            nextHop: Uint8Array.of(192, 0, 2, 1),
            localPref: 100,
            communities: [0xffffff01],
            largeCommunities: [[65000, 1, 2]],
          },
          announced: [
            { address: Uint8Array.of(198, 51, 100, 7), length: 32 },
            { address: Uint8Array.of(0, 0, 0, 0), length: 0 },
          ],
        },
        `${marker} 0051 02 0003 10 0a 01  0031
         40 01 01 00   40 02 06 02 01 0000fde9   40 03 04 c0000201   40 05 04 00000064
         c0 08 04 ffffff01   c0 20 0c 0000fde8 00000001 00000002
         20 c6336407 00`,
      ],
      [
        {
          type: 'update',
          withdrawn: [],
          attributes: {
            mpReach: {
              afi: 2,
              safi: 1,
              nextHops: [hex('20010db8000000000000000000000001')],
              prefixes: [{ address: hex('20010db8000100000000000000000000'), length: 48 }],
            },
            origin: 'igp',
            asPath: [],
          },
          announced: [],
        },
        `${marker} 003d 02 0000 0026 80 0e 1c 0002 01 10 20010db8000000000000000000000001 00 30 20010db80001
         40 01 01 00  40 02 00`,
      ],
      [
        { type: 'notification', code: 6, subcode: 2, data: hex('0568656c6c6f') },
        `${marker} 001b 03 06 02 0568656c6c6f`,
      ],
      [{ type: 'notification', code: 1, subcode: 3, data: hex('09') }, `${marker} 0016 03 01 03 09`],
      [{ type: 'routeRefresh', afi: 1, safi: 1, subtype: 'request' }, `${marker} 0017 05 0001 00 01`],
      [{ type: 'routeRefresh', afi: 2, safi: 1, subtype: 'end' }, `${marker} 0017 05 0002 02 01`],
    ]
    for (const [message, text] of cases) {
      expect(encodeMessage(message, plain)).toEqual(hex(text))
      expect(decodeMessage(hex(text), plain)).toEqual({ message, faults: [] })
    }
  })

  it('that the session cannot carry are not written', () => {
    const data = new Uint8Array(4096 - 21)
    const full: Message = { type: 'notification', code: 6, subcode: 8, data }
    const over: Message = { ...full, data: new Uint8Array(4096 - 20) }
    expect(encodeMessage(full, plain)).toHaveLength(4096)
    expect(() => encodeMessage(over, plain)).toThrow(expect.objectContaining({ code: 'MESSAGE_TOO_LARGE' }))
    expect(encodeMessage(over, { ...plain, extendedMessage: true })).toHaveLength(4097)
    const open: Message = {
      type: 'open',
      version: 4,
      as: 1,
      holdTime: 90,
      routerId: '10.0.0.1',
      capabilities: Array.from({ length: 20 }, () => ({
        name: 'unknown',
        code: 255,
        value: new Uint8Array(255),
      })),
    }
    expect(() => encodeMessage(open, { ...plain, extendedMessage: true })).toThrow(
      expect.objectContaining({ code: 'MESSAGE_TOO_LARGE' }),
    )
  })

  it('of any bytes are read, or refused with what to tell the peer', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 120 }), arbitraryDialect, decodeOrFault), {
      numRuns: 500,
    })
    const types = ['open', 'update', 'notification', 'keepalive', 'routeRefresh'] as const
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 19, maxLength: 200 }),
        fc.constantFrom(...types),
        arbitraryDialect,
        (bytes, type, dialect) => {
          // With a header in order, so that the rest is reached.
          writeHeader(bytes, type)
          decodeOrFault(bytes, dialect)
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('that were sound before some octets changed are read, or refused with what to tell the peer', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(arbitraryMessage, arbitraryDialect, changes, fc.nat(4), (message, dialect, list, cut) => {
        const sound = tryEncode(message, dialect)
        if (sound === undefined || sound.length - cut < 19) return
        const bytes = sound.slice(0, sound.length - cut)
        for (const [at, value] of list) bytes[at % bytes.length] = value
        decodeOrFault(bytes, dialect)
        // And with a header in order again, so that the faults inside are reached.
        writeHeader(bytes, message.type)
        decodeOrFault(bytes, dialect)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('a header', () => {
  const refused = (text: string, notification: readonly [number, number, string], dialect = plain): void => {
    const [code, subcode, data] = notification
    expect(() => decodeMessage(hex(text), dialect)).toThrow(
      expect.objectContaining({
        code: 'BAD_HEADER',
        notification: { type: 'notification', code, subcode, data: hex(data) },
      }),
    )
  }

  it('is refused as RFC 4271 section 6.1 says', () => {
    refused(`fe${'ff'.repeat(15)} 0013 04`, [1, 1, ''])
    refused(`${marker} 0012 04`, [1, 2, '0012'])
    refused(`${marker} 0014 04 00`, [1, 2, '0014'])
    refused(`${marker} 1001 02`, [1, 2, '1001'])
    refused(`${marker} 001c 01 04 fde9 00b4 0a0000`, [1, 2, '001c'])
    refused(`${marker} 0016 02 0000 00`, [1, 2, '0016'])
    refused(`${marker} 0014 03 06`, [1, 2, '0014'])
    refused(`${marker} 0016 05 0001 00`, [1, 2, '0016'])
    refused(`${marker} 0013 06`, [1, 3, '06'])
    refused(`${marker} 0013 00`, [1, 3, '00'])
  })

  it('that does not tell the length of the message is refused', () => {
    refused(`${marker} 0018 02 0000 0000`, [1, 2, '0018'])
    refused('ffff', [1, 2, '0002'])
  })

  it('of more than 4096 octets is refused without extended messages, and of an OPEN always', () => {
    const extended = { ...plain, extendedMessage: true }
    refused(`${marker} 1001 01`, [1, 2, '1001'], extended)
    refused(`${marker} 1001 04`, [1, 2, '1001'], extended)
    const long = new Uint8Array(4097)
    writeHeader(long, 'update')
    expect(decodeMessage(long, extended).message.type).toBe('update')
    expect(() => decodeMessage(long, plain)).toThrow(expect.objectContaining({ code: 'BAD_HEADER' }))
  })
})
