import { describe, expect, it } from 'vitest'
import { decodeMessage } from './codec.ts'

const dialect = { fourOctetAs: true, extendedMessage: false }
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'))
const marker = 'ff'.repeat(16)

describe('a ROUTE-REFRESH', () => {
  it('that marks a beginning or an end must have four octets (RFC 7313 section 5)', () => {
    for (const subtype of ['01', '02']) {
      const bytes = hex(`${marker} 0018 05 0001 ${subtype} 01 00`)
      expect(() => decodeMessage(bytes, dialect)).toThrow(
        expect.objectContaining({
          code: 'BAD_ROUTE_REFRESH',
          notification: { type: 'notification', code: 7, subcode: 1, data: bytes },
        }),
      )
    }
  })

  it('may carry filters behind a request, and subtypes that are not known', () => {
    const request = { type: 'routeRefresh', afi: 2, safi: 1 }
    expect(decodeMessage(hex(`${marker} 001b 05 0002 00 01 01800000`), dialect).message).toEqual({
      ...request,
      subtype: 'request',
    })
    expect(decodeMessage(hex(`${marker} 0017 05 0002 09 01`), dialect).message).toEqual({
      ...request,
      subtype: 9,
    })
  })
})
