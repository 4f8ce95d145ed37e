import { describe, expect, it } from 'vitest'
import { decodeMessage, encodeMessage } from './codec.ts'
import { WireFault } from './fault.ts'
import { writeHeader } from './header.ts'
import type { Dialect, UpdateMessage } from './message.ts'
import { endOfRib, endOfRibFamily } from './update.ts'

const dialect: Dialect = { fourOctetAs: true, extendedMessage: false }
const old: Dialect = { fourOctetAs: false, extendedMessage: false }
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'))
const size = (text: string): string => hex(text).length.toString(16).padStart(4, '0')

const origin = '40010100'
const asPath = '400206 0201 0000fde9'
const nextHop = '400304 c0000201'
const all = `${origin} ${asPath} ${nextHop}`
const route = '20 c6336407'
const mpReach = '800e1c 0002 01 10 20010db8000000000000000000000001 00 30 20010db80001'

/** An UPDATE of these attributes, prefixes announced and prefixes withdrawn, as hexadecimal. */
function read(attributes: string, announced = '', withdrawn = '', as = dialect) {
  const body = hex(`${size(withdrawn)} ${withdrawn} ${size(attributes)} ${attributes} ${announced}`)
  const bytes = new Uint8Array(19 + body.length)
  bytes.set(body, 19)
  writeHeader(bytes, 'update')
  const { message, faults } = decodeMessage(bytes, as)
  return { message: message as UpdateMessage, faults: faults.map(summary) }
}

const summary = ({ reaction, notification: { code, subcode, data } }: WireFault): string =>
  `${reaction} ${code}/${subcode} ${Buffer.from(data).toString('hex')}`.trim()

function resets(attributes: string, announced = '', withdrawn = '', as = dialect): string {
  try {
    read(attributes, announced, withdrawn, as)
  } catch (error) {
    expect(error).toBeInstanceOf(WireFault)
    expect(error).toMatchObject({ code: 'BAD_UPDATE' })
    return summary(error as WireFault)
  }
  return 'nothing'
}
const bare = (text: string): string => text.replaceAll(' ', '')

describe('a fault in an UPDATE', () => {
  it('of one attribute leads to what RFC 7606 section 7 says', () => {
    const rows: readonly (readonly [attribute: string, reaction: string])[] = [
      ['400102 0000', 'withdraw 3/5'], // ORIGIN of two octets
      ['400101 03', 'withdraw 3/6'],
      ['400206 0501 00000001', 'withdraw 3/11'], // a segment type that does not exist
      ['400202 0200', 'withdraw 3/11'], // an empty segment
      ['400206 0202 00000001', 'withdraw 3/11'], // a segment longer than the path
      ['400207 0201 00000001 02', 'withdraw 3/11'], // an octet too many
      ['400206 0201 00000000', 'withdraw 3/11'], // AS 0, RFC 7607
      ['400303 c00002', 'withdraw 3/5'],
      ['800403 000000', 'withdraw 3/5'],
      ['400503 000000', 'withdraw 3/5'],
      ['400601 00', 'discard 3/5'],
      ['c00706 0001 c0000201', 'discard 3/5'],
      ['c00708 00000000 c0000201', 'discard 3/9'], // AS 0
      ['c00800', 'withdraw 3/5'],
      ['c00805 0000000000', 'withdraw 3/5'],
      ['c01007 00000000000000', 'withdraw 3/5'],
      ['c01106 0201 00000000', 'discard 3/9'],
      ['c01203 000000', 'discard 3/5'],
      ['c0200b 0000000000000000000000', 'withdraw 3/5'],
    ]
    for (const [attribute, reaction] of rows) {
      const sound = [origin, asPath, nextHop].filter(one => one.slice(2, 4) !== attribute.slice(2, 4))
      const { message, faults } = read(`${sound.join('')} ${attribute}`, route)
      expect(faults).toEqual([`${reaction} ${bare(attribute)}`])
      expect(message.announced).toHaveLength(1)
    }
  })

  it('of its flags makes the routes count as withdrawn (RFC 7606 section 3 c), and is not in the bits that say nothing', () => {
    expect(read(`${origin} ${asPath} c00304c0000201`, route).faults).toEqual(['withdraw 3/4 c00304c0000201'])
    expect(read(`${all} 400404 00000001`, route).faults).toEqual(['withdraw 3/4 40040400000001'])
    expect(read(`${all} e00804 00000001`, route).faults).toEqual([])
    expect(read(`${all} cf0804 00000001`, route).faults).toEqual([])
  })

  it('of the flags of MP_REACH_NLRI leaves its prefixes known, to be withdrawn', () => {
    const { message, faults } = read(`c${mpReach.slice(1)} ${origin} ${asPath}`)
    expect(faults).toEqual([`withdraw 3/4 c${bare(mpReach).slice(1)}`])
    expect(message.attributes.mpReach?.prefixes).toHaveLength(1)
    const unreach = 'c00f0a 0002 01 30 20010db80001'
    expect(read(unreach).message.attributes.mpUnreach?.prefixes).toHaveLength(1)
  })

  it('that hides prefixes ends the session', () => {
    expect(resets(all, '21 c6336407')).toBe('reset 3/10')
    expect(resets(all, '20 c63364')).toBe('reset 3/10')
    expect(resets('', '', '18 0a00')).toBe('reset 3/10')
    const broken = [
      '800e1c 0002 01 11 20010db8000000000000000000000001 00 30 20010db80001', // next hop of 17 octets
      '800e09 0002 01 04 c0000201 00', // IPv4 next hop of an IPv6 route
      '800e1b 0002 01 10 20010db8000000000000000000000001 00 30 20010db800', // a prefix cut off
      '800e17 0002 01 10 20010db8000000000000000000000001 00 81 20', // a prefix of 129 bits
      '800e04 0002 01 00',
      '800f02 0002',
      '800f05 0002 01 30 20',
    ]
    for (const attribute of broken) {
      expect(resets(`${origin} ${asPath} ${attribute}`)).toMatch(/^reset 3\/[59] /)
      expect(resets(`${all} ${attribute}`, route)).toMatch(/^reset 3\/[59] /)
    }
  })

  it('without prefixes around it ends the session, for they may be hidden (RFC 7606 section 5.2)', () => {
    expect(resets('400101 03')).toBe('reset 3/6 40010103')
    expect(resets('400101 03', '', '08 0a')).toBe('reset 3/6 40010103')
    expect(resets('80')).toBe('reset 3/1')
    expect(read('400601 00').faults).toEqual(['discard 3/5 40060100'])
  })

  it('of the lengths of its parts ends the session', () => {
    for (const body of ['0001 0000', '0000 0001', 'ffff 0000', '0000 ffff 00', '0002 0a 000000']) {
      const bytes = new Uint8Array(19 + hex(body).length)
      bytes.set(hex(body), 19)
      writeHeader(bytes, 'update')
      expect(() => decodeMessage(bytes, dialect)).toThrow(
        expect.objectContaining({
          reaction: 'reset',
          notification: expect.objectContaining({ code: 3, subcode: expect.toBeOneOf([1, 10]) }),
        }),
      )
    }
  })

  it('that cuts the last attribute off makes the routes count as withdrawn (RFC 7606 section 4)', () => {
    for (const cut of ['40', '4005', '400504', '500500', '40050400', '50050004'])
      expect(read(`${all} ${cut}`, route).faults).toEqual(['withdraw 3/1'])
  })

  it('that leaves a mandatory attribute out makes the routes count as withdrawn', () => {
    expect(read(`${asPath} ${nextHop}`, route).faults).toEqual(['withdraw 3/3 01'])
    expect(read(`${origin} ${nextHop}`, route).faults).toEqual(['withdraw 3/3 02'])
    expect(read(`${origin} ${asPath}`, route).faults).toEqual(['withdraw 3/3 03'])
    expect(read(`${mpReach} ${origin}`).faults).toEqual(['withdraw 3/3 02'])
    expect(read(`${mpReach} ${origin} ${asPath}`).faults).toEqual([])
  })

  it('that repeats an attribute leaves all but the first out, and ends the session for MP attributes', () => {
    const { message, faults } = read(`${all} 800404 00000001 800404 00000002 c06301aa c06301bb`, route)
    expect(faults).toEqual(['discard 3/1', 'discard 3/1'])
    expect(message.attributes.med).toBe(1)
    expect(message.attributes.unknown).toEqual([{ flags: 0xc0, code: 99, value: hex('aa') }])
    expect(resets(`${mpReach} ${origin} ${asPath} ${mpReach}`)).toBe('reset 3/1')
    expect(resets('800f03000201 800f03000201')).toBe('reset 3/1')
  })

  it('is worded for people, with the name of the attribute', () => {
    const bytes = hex(`${'ff'.repeat(16)} 0030 02 0000 0014 40010109 ${asPath} ${nextHop} ${route}`)
    const [fault] = decodeMessage(bytes, dialect).faults
    expect(fault?.message).toBe('an UPDATE of the peer: its attribute origin: origin 9 does not exist')
  })
})

describe('an UPDATE', () => {
  it('keeps optional attributes that are not known, and no well-known ones', () => {
    const { message, faults } = read(`${all} c08003 010203 d0ff0001 00`, route)
    expect(faults).toEqual([])
    expect(message.attributes.unknown).toEqual([
      { flags: 0xc0, code: 128, value: hex('010203') },
      { flags: 0xc0, code: 255, value: hex('00') },
    ])
    expect(resets(`${all} 406301 00`, route)).toBe('reset 3/2 40630100')
  })

  it('of families that are not carried here is no fault, and goes through unread', () => {
    const evpn = '800e05 0019 46 04 00'
    const flow = '800f04 0001 85 ff'
    const { message, faults } = read(`${evpn} ${flow} ${origin} ${asPath}`)
    expect(faults).toEqual([])
    expect(message.attributes.unknown).toEqual([
      { flags: 0x80, code: 14, value: hex('0019460400') },
      { flags: 0x80, code: 15, value: hex('000185ff') },
    ])
    expect(decodeMessage(encodeMessage(message, dialect), dialect).message).toEqual(message)
  })

  it('can have next hops of both scopes, and IPv6 next hops for IPv4 prefixes (RFC 8950)', () => {
    const global = '20010db8000000000000000000000001'
    const local = 'fe800000000000000000000000000001'
    const two = `800e2c 0002 01 20 ${global} ${local} 00 30 20010db80001`
    expect(read(`${two} ${origin} ${asPath}`).message.attributes.mpReach?.nextHops).toEqual([
      hex(global),
      hex(local),
    ])
    const ipv4 = `800e1a 0001 01 10 ${local} 00 ${route}`
    expect(read(`${ipv4} ${origin} ${asPath}`).message.attributes.mpReach).toEqual({
      afi: 1,
      safi: 1,
      nextHops: [hex(local)],
      prefixes: [{ address: hex('c6336407'), length: 32 }],
    })
  })

  it('has prefixes without the bits beyond their length', () => {
    const { message } = read(all, '09 0aff 18 0a0b0c 00')
    expect(message.announced).toEqual([
      { address: hex('0a800000'), length: 9 },
      { address: hex('0a0b0c00'), length: 24 },
      { address: hex('00000000'), length: 0 },
    ])
  })

  it('of a two-octet session has its AS numbers from AS4_PATH and AS4_AGGREGATOR (RFC 6793)', () => {
    const message: UpdateMessage = {
      type: 'update',
      withdrawn: [],
      attributes: {
        origin: 'igp',
        asPath: [{ type: 'sequence', as: [65001, 4200000000] }],
        nextHop: hex('c0000201'),
        aggregator: { as: 70000, address: hex('0a000001') },
      },
      announced: [{ address: hex('0a000000'), length: 8 }],
    }
    const bytes = encodeMessage(message, old)
    expect(Buffer.from(bytes).toString('hex')).toContain('40020602 02fde95ba0'.replace(' ', ''))
    expect(decodeMessage(bytes, old)).toEqual({ message, faults: [] })
    // The next one to see it is old as well, and puts itself in front of AS_PATH only.
    const joined = read(
      `${origin} 40020a 0204 fdea fde9 5ba0 0005 ${nextHop} c0110e 0203 0000fde9 fa56ea00 00000005`,
      route,
      '',
      old,
    )
    expect(joined.message.attributes.asPath).toEqual([
      { type: 'sequence', as: [65002] },
      { type: 'sequence', as: [65001, 4200000000, 5] },
    ])
    // What somebody aggregated without knowing of them makes them outdated.
    const outdated = read(
      `${origin} 400204 0201 5ba0 ${nextHop} c00706 0005 0a000001 c01106 0201 fa56ea00 c01208 fa56ea00 0a000001`,
      route,
      '',
      old,
    )
    expect(outdated.message.attributes.asPath).toEqual([{ type: 'sequence', as: [23456] }])
    expect(outdated.message.attributes.aggregator?.as).toBe(5)
    // A longer AS4_PATH than AS_PATH cannot belong to it.
    const longer = read(`${origin} 400204 0201 5ba0 ${nextHop} c0110a 0202 00000001 fa56ea00`, route, '', old)
    expect(longer.message.attributes.asPath).toEqual([{ type: 'sequence', as: [23456] }])
  })

  it('of a four-octet session leaves AS4_PATH out', () => {
    const { message, faults } = read(`${all} c01106 0201 fa56ea00`, route)
    expect(faults).toEqual([])
    expect(message.attributes.asPath).toEqual([{ type: 'sequence', as: [65001] }])
    expect(message.attributes.unknown).toBeUndefined()
  })

  it('with a long sequence of ASes has it in segments of 255', () => {
    const as = Array.from({ length: 300 }, (_, i) => i + 1)
    const message = { ...read(all, route).message }
    const long = {
      ...message,
      attributes: { ...message.attributes, asPath: [{ type: 'sequence' as const, as }] },
    }
    const { message: again } = decodeMessage(encodeMessage(long, dialect), dialect)
    expect((again as UpdateMessage).attributes.asPath?.map(one => one.as.length)).toEqual([255, 45])
    const set = { ...message, attributes: { ...message.attributes, asPath: [{ type: 'set' as const, as }] } }
    expect(() => encodeMessage(set, dialect)).toThrow(expect.objectContaining({ code: 'BAD_LENGTH' }))
  })

  it('is not written with an attribute of a size that no reader takes', () => {
    const update = (attributes: UpdateMessage['attributes']): UpdateMessage => ({
      type: 'update',
      withdrawn: [],
      attributes,
      announced: [],
    })
    for (const attributes of [{ communities: [] }, { largeCommunities: [] }, { nextHop: new Uint8Array(16) }])
      expect(() => encodeMessage(update(attributes), dialect)).toThrow(
        expect.objectContaining({ code: 'BAD_LENGTH' }),
      )
  })

  it('can be the End-of-RIB marker of a family (RFC 4724 section 2)', () => {
    expect(
      Buffer.from(encodeMessage(endOfRib('ipv4'), dialect))
        .toString('hex')
        .slice(32),
    ).toBe('00170200000000')
    expect(
      Buffer.from(encodeMessage(endOfRib('ipv6'), dialect))
        .toString('hex')
        .slice(32),
    ).toBe('001d0200000006800f03000201')
    for (const family of ['ipv4', 'ipv6'] as const) {
      const { message } = decodeMessage(encodeMessage(endOfRib(family), dialect), dialect)
      expect(endOfRibFamily(message as UpdateMessage)).toBe(family)
    }
    expect(endOfRibFamily(read('800f03 0001 01').message)).toBe('ipv4')
    for (const other of [
      read(all, route),
      read('', '', '08 0a'),
      read('800f04 0002 01 00'),
      read('800f03 0019 46'),
      read(origin),
    ])
      expect(endOfRibFamily(other.message)).toBeUndefined()
  })
})
