import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { notification } from './fault.ts'
import { notificationCodes } from './iana.ts'
import type { NotificationMessage } from './message.ts'
import { describeNotification, hardReset, hardResetReason, shutdown, shutdownText } from './notification.ts'

const of = (code: number, subcode: number, ...data: readonly number[]): NotificationMessage => ({
  type: 'notification',
  code,
  subcode,
  data: Uint8Array.from(data),
})

describe('a NOTIFICATION in words', () => {
  it('says what was wrong, and with what', () => {
    const rows: readonly (readonly [NotificationMessage, string])[] = [
      [of(1, 1), 'Message Header Error: Connection Not Synchronized'],
      [of(1, 2, 0x10, 0x01), 'Message Header Error: Bad Message Length, length 4097'],
      [of(1, 3, 9), 'Message Header Error: Bad Message Type, type 9'],
      [of(2, 1, 0, 4), 'OPEN Message Error: Unsupported Version Number, it speaks version 4'],
      [of(2, 2), 'OPEN Message Error: Bad Peer AS'],
      [of(2, 2, 0, 1, 0x11, 0x70), 'OPEN Message Error: Bad Peer AS, AS 70000'],
      [of(2, 6, 0, 1), 'OPEN Message Error: Unacceptable Hold Time, 1 s'],
      [of(2, 7, 65, 4, 0, 0, 0, 1), 'OPEN Message Error: Unsupported Capability, capability 65'],
      [of(3, 3, 3), 'UPDATE Message Error: Missing Well-known Attribute, attribute 3 (nextHop)'],
      [of(3, 6, 0x40, 1, 1, 9), 'UPDATE Message Error: Invalid ORIGIN Attribute, attribute 1 (origin)'],
      [of(3, 9, 0xc0, 200, 0), 'UPDATE Message Error: Optional Attribute Error, attribute 200'],
      [of(3, 11), 'UPDATE Message Error: Malformed AS_PATH'],
      [of(4, 0), 'Hold Timer Expired'],
      [of(5, 3), 'Finite State Machine Error: Receive Unexpected Message in Established State'],
      [of(6, 0), 'Cease'],
      [
        of(6, 1, 0, 1, 1, 0, 0, 0x03, 0xe8),
        'Cease: Maximum Number of Prefixes Reached, 1000 prefixes of AFI 1, SAFI 1',
      ],
      [of(6, 2), 'Cease: Administrative Shutdown'],
      [of(6, 2, 0), 'Cease: Administrative Shutdown'],
      [of(6, 10), 'Cease: BFD Down'],
      [of(6, 99, 1, 2), 'Cease: subcode 99, data 0102'],
      [of(7, 1), 'ROUTE-REFRESH Message Error: Invalid Message Length'],
      [of(8, 0), 'Send Hold Timer Expired'],
      [of(99, 7), 'error 99, subcode 7'],
    ]
    for (const [message, words] of rows) expect(describeNotification(message)).toBe(words)
  })

  it('has words for every code of IANA', () => {
    for (const { code, words, subcodes } of Object.values(notificationCodes))
      for (const subcode of Object.values(subcodes))
        expect(describeNotification(of(code, subcode.code))).toContain(
          subcode.code === 0 ? words : `${words}: ${subcode.words}`,
        )
  })

  it('is one line that is safe to print, whatever came', () => {
    fc.assert(
      fc.property(fc.nat(10), fc.nat(12), fc.uint8Array({ maxLength: 300 }), (code, subcode, data) => {
        const words = describeNotification({ type: 'notification', code, subcode, data })
        expect(words).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
        expect(words.length).toBeLessThan(400)
      }),
    )
  })

  it('stays short where a peer nests Hard Resets by the thousand', () => {
    const nested = of(6, 9, ...new Array<number>(20_000).fill(0).map((_, i) => (i % 2 === 0 ? 6 : 9)))
    expect(describeNotification(nested)).toMatch(
      /^Cease: Hard Reset, Cease: Hard Reset, data 0609[0-9]+\.\.\.$/,
    )
  })
})

describe('a shutdown communication', () => {
  it('survives writing and reading', () => {
    const text = 'Wartung bis 5 Uhr, rückfragen: 2024-0815'
    for (const subcode of ['administrativeShutdown', 'administrativeReset'] as const) {
      const message = shutdown(subcode, text)
      expect(shutdownText(message)).toBe(text)
      expect(message.data[0]).toBe(message.data.length - 1)
    }
    expect(describeNotification(shutdown('administrativeReset', text))).toBe(
      `Cease: Administrative Reset, "${text}"`,
    )
    expect(shutdownText(shutdown('administrativeShutdown'))).toBeUndefined()
  })

  it('of more than 255 octets ends with a whole character', () => {
    const message = shutdown('administrativeShutdown', 'ü'.repeat(200))
    expect(message.data).toHaveLength(255)
    expect(shutdownText(message)).toBe('ü'.repeat(127))
  })

  it('loses what controls a terminal', () => {
    const message = shutdown('administrativeShutdown', '\u001b[31mred\u0007\n\u202eback')
    expect(shutdownText(message)).toBe('[31mred back')
  })

  it('that is malformed is shown as it came', () => {
    for (const data of [
      [5, 0x61],
      [1, 0xff],
      [1, 0x61, 0x62],
    ]) {
      expect(shutdownText(of(6, 2, ...data))).toBeUndefined()
      expect(describeNotification(of(6, 2, ...data))).toBe(
        `Cease: Administrative Shutdown, data ${Buffer.from(data).toString('hex')}`,
      )
    }
    expect(shutdownText(of(6, 3, 1, 0x61))).toBeUndefined()
    expect(shutdownText(of(5, 2, 1, 0x61))).toBeUndefined()
  })
})

describe('a Hard Reset (RFC 8538)', () => {
  it('holds the reason', () => {
    const reason = shutdown('administrativeShutdown', 'bye')
    const message = hardReset(reason)
    expect(message).toMatchObject({ code: 6, subcode: 9 })
    expect(hardResetReason(message)).toEqual(reason)
    expect(describeNotification(message)).toBe('Cease: Hard Reset, Cease: Administrative Shutdown, "bye"')
  })

  it('can come without one', () => {
    expect(hardResetReason(of(6, 9))).toBeUndefined()
    expect(describeNotification(of(6, 9))).toBe('Cease: Hard Reset')
    expect(hardResetReason(notification('cease', 'peerDeconfigured'))).toBeUndefined()
  })
})
