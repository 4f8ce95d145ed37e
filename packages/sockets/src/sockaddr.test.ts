import { formatAddress } from '@carillon/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { inetName, isLinkLocal, packetName, parseScoped, readInetName, type Zones } from './sockaddr.ts'

const zones: Zones = {
  interfaceIndex: name => (name === 'eth0' ? 3 : 0),
  interfaceName: index => (index === 3 ? 'eth0' : ''),
}

test('an address may name its interface by name or by number', () => {
  expect(parseScoped('fe80::1%eth0', zones)).toMatchObject({ scope: 3 })
  expect(parseScoped('fe80::1%7', zones)).toMatchObject({ scope: 7 })
  expect(parseScoped('fe80::1', zones)).toMatchObject({ scope: 0 })
  expect(() => parseScoped('fe80::x%eth0', zones)).toThrow(expect.objectContaining({ code: 'BAD_ADDRESS' }))
})

test('every address and port survives the way to the kernel and back', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: 0, max: 65535 }), (text, port) => {
      const address = parseScoped(text, zones)
      expect(readInetName(inetName(6, address, port), zones)).toEqual({
        address: formatAddress(address.bytes),
        port,
      })
    }),
  )
})

test('a link-local address comes back with its interface, another one without', () => {
  const back = (text: string) => readInetName(inetName(6, parseScoped(text, zones), 1), zones).address
  expect(back('fe80::1%eth0')).toBe('fe80::1%eth0')
  expect(back('fe80::1%9')).toBe('fe80::1%9')
  expect(back('2001:db8::1%eth0')).toBe('2001:db8::1')
})

test('an IPv4 socket gets the short form', () => {
  expect([...inetName(4, parseScoped('10.0.0.1', zones), 179)].slice(2)).toEqual([
    0, 179, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0,
  ])
})

test('link-local are fe80::/10 and the groups of one link', () => {
  const local = (text: string) => isLinkLocal(parseScoped(text, zones).bytes)
  expect(['fe80::1', 'febf::1', 'ff02::1', 'ff12::1'].map(local)).toEqual([true, true, true, true])
  expect(['fec0::1', 'ff05::1', 'fd00::1', '169.254.0.1'].map(local)).toEqual([false, false, false, false])
})

test('a packet socket is bound to an EtherType in network byte order', () => {
  expect([...packetName(3, 0x0806).subarray(2, 4)]).toEqual([8, 6])
})
