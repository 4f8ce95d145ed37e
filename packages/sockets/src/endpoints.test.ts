import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Endpoints, endpointText, plainAddress } from './endpoints.ts'

const zones = { interfaceIndex: () => 0, interfaceName: (index: number) => (index === 3 ? 'eth0' : '') }

test('the same peer is the same object, different peers never are', () => {
  const peer = fc.tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: 0, max: 65535 }))
  fc.assert(
    fc.property(peer, peer, ([a, portA], [b, portB]) => {
      const endpoints = new Endpoints(6, zones, 0)
      const nameA = endpoints.nameOf({ address: a, port: portA }).slice()
      const nameB = endpoints.nameOf({ address: b, port: portB }).slice()
      const same = nameA.every((byte, i) => byte === nameB[i])
      expect(endpoints.endpointOf(nameA)).toBe(endpoints.endpointOf(nameA.slice()))
      expect(endpoints.endpointOf(nameA) === endpoints.endpointOf(nameB)).toBe(same)
    }),
  )
})

test('strangers without number leave what is known bounded, and the answers right', () => {
  const endpoints = new Endpoints(4, zones, 0)
  for (let port = 1; port <= 5000; port++) {
    const name = endpoints.nameOf({ address: '10.0.0.1', port })
    expect(endpoints.endpointOf(name).port).toBe(port)
  }
})

test('a link-local address without a zone takes that of the device', () => {
  const endpoints = new Endpoints(6, zones, 3)
  expect(endpoints.endpointOf(endpoints.nameOf({ address: 'fe80::1', port: 1 }))).toEqual({
    address: 'fe80::1%eth0',
    port: 1,
  })
  expect(endpoints.endpointOf(endpoints.nameOf({ address: '2001:db8::1', port: 1 })).address).toBe(
    '2001:db8::1',
  )
})

test('texts are canonical', () => {
  expect(plainAddress('::ffff:10.0.0.1', zones)).toBe('10.0.0.1')
  expect(plainAddress('FE80:0::1%eth0', zones)).toBe('fe80::1%eth0')
  expect(endpointText({ address: 'fe80::1%eth0', port: 179 })).toBe('[fe80::1%eth0]:179')
  expect(endpointText({ address: '10.0.0.1', port: 179 })).toBe('10.0.0.1:179')
})
