import { parseAddress } from '@carillon/core'
import { expect, test } from 'vitest'
import { littleEndian } from '../linux.ts'
import { kinds, type NetlinkMessage } from './message.ts'
import { LinkTable } from './table.ts'

type Attribute = readonly [type: number, value: Uint8Array]

const u32 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, littleEndian)
  return bytes
}

function message(kind: number, head: Uint8Array, attributes: readonly Attribute[]): NetlinkMessage {
  const size = attributes.reduce((sum, [, value]) => sum + 4 + Math.ceil(value.length / 4) * 4, head.length)
  const bytes = new Uint8Array(size)
  const body = new DataView(bytes.buffer)
  bytes.set(head)
  let at = head.length
  for (const [type, value] of attributes) {
    body.setUint16(at, 4 + value.length, littleEndian)
    body.setUint16(at + 2, type, littleEndian)
    bytes.set(value, at + 4)
    at += 4 + Math.ceil(value.length / 4) * 4
  }
  return { kind, flags: 0, sequence: 0, body }
}

interface LinkOptions {
  readonly family?: number
  readonly type?: number
  readonly flags?: number
  readonly master?: number
  readonly mac?: readonly number[]
}

function link(kind: number, index: number, name: string, options: LinkOptions = {}): NetlinkMessage {
  const { family = 0, type = 1, flags = 0x10043, master, mac = [2, 0, 0, 0, 0, index] } = options
  const head = new Uint8Array(16)
  const view = new DataView(head.buffer)
  head[0] = family
  view.setUint16(2, type, littleEndian)
  view.setInt32(4, index, littleEndian)
  view.setUint32(8, flags, littleEndian)
  return message(kind, head, [
    [3, new TextEncoder().encode(`${name}\0`)],
    [1, Uint8Array.from(mac)],
    [4, u32(1500)],
    ...(master === undefined ? [] : [[10, u32(master)] as const]),
  ])
}

function address(
  kind: number,
  index: number,
  text: string,
  options: { flags?: number; scope?: number; peer?: string } = {},
): NetlinkMessage {
  const bytes = parseAddress(text)
  const v4 = bytes.length === 4
  const head = new Uint8Array(8)
  head.set([v4 ? 2 : 10, v4 ? 24 : 64, 0, options.scope ?? 0])
  new DataView(head.buffer).setInt32(4, index, littleEndian)
  const peer = options.peer === undefined ? bytes : parseAddress(options.peer)
  return message(kind, head, [[1, peer], ...(v4 ? [[2, bytes] as const] : []), [8, u32(options.flags ?? 0)]])
}

test('a link is what its message says', () => {
  const table = new LinkTable()
  table.apply(link(kinds.newLink, 2, 'eth0', { master: 5 }))
  expect(table.current()).toEqual([
    {
      index: 2,
      name: 'eth0',
      mac: Uint8Array.from([2, 0, 0, 0, 0, 2]),
      mtu: 1500,
      up: true,
      carrier: true,
      broadcast: true,
      loopback: false,
      noArp: false,
      master: 5,
      addresses: [],
    },
  ])
})

test('only Ethernet has a MAC', () => {
  const table = new LinkTable()
  table.apply(link(kinds.newLink, 1, 'lo', { type: 772, flags: 0x49, mac: [0, 0, 0, 0, 0, 0] }))
  table.apply(link(kinds.newLink, 2, 'sit0', { type: 776, flags: 0x80, mac: [0, 0, 0, 0] }))
  expect(table.current().map(one => [one.name, one.mac.length, one.loopback, one.noArp])).toEqual([
    ['lo', 0, true, false],
    ['sit0', 0, false, true],
  ])
})

test('what a bridge says of its ports adds and removes nothing', () => {
  const table = new LinkTable()
  table.apply(link(kinds.newLink, 2, 'eth0'))
  const before = table.current()
  table.apply(link(kinds.deleteLink, 2, 'eth0', { family: 7 }))
  table.apply(link(kinds.newLink, 3, 'eth1', { family: 7 }))
  expect(table.current()).toBe(before)
})

test('addresses belong to their link, in the order in which they came', () => {
  const table = new LinkTable()
  table.apply(address(kinds.newAddress, 2, '10.0.0.1'))
  table.apply(link(kinds.newLink, 2, 'eth0'))
  table.apply(address(kinds.newAddress, 2, 'fe80::1', { flags: 0x40, scope: 253 }))
  table.apply(address(kinds.newAddress, 2, 'fd00::1', { flags: 0x08 }))
  table.apply(address(kinds.newAddress, 2, 'fe80::1', { flags: 0x80, scope: 253 }))
  expect(table.current()[0]?.addresses).toEqual([
    { address: '10.0.0.1', prefixLength: 24, scope: 'global', usable: true },
    { address: 'fe80::1', prefixLength: 64, scope: 'link', usable: true },
    { address: 'fd00::1', prefixLength: 64, scope: 'global', usable: false },
  ])
  table.apply(address(kinds.deleteAddress, 2, '10.0.0.1'))
  expect(table.current()[0]?.addresses.map(one => one.address)).toEqual(['fe80::1', 'fd00::1'])
})

test('on a point-to-point link our own end counts, and one end may face several others', () => {
  const table = new LinkTable()
  table.apply(link(kinds.newLink, 2, 'ppp0'))
  table.apply(address(kinds.newAddress, 2, '10.0.0.1', { peer: '10.9.9.1' }))
  table.apply(address(kinds.newAddress, 2, '10.0.0.1', { peer: '10.9.9.2' }))
  expect(table.current()[0]?.addresses.map(one => one.address)).toEqual(['10.0.0.1', '10.0.0.1'])
  table.apply(address(kinds.deleteAddress, 2, '10.0.0.1', { peer: '10.9.9.1' }))
  expect(table.current()[0]?.addresses).toHaveLength(1)
})

test('what changes nothing leaves the same array, and a change leaves the other links as they are', () => {
  const table = new LinkTable()
  table.apply(link(kinds.newLink, 2, 'eth0'))
  table.apply(link(kinds.newLink, 3, 'eth1'))
  const before = table.current()
  table.apply(link(kinds.newLink, 2, 'eth0'))
  table.apply(address(kinds.deleteAddress, 2, '10.0.0.1'))
  expect(table.current()).toBe(before)
  table.apply(link(kinds.newLink, 2, 'lan0'))
  expect(table.current()).not.toBe(before)
  expect(table.current()[1]).toBe(before[1])
})

test('a link that goes takes its addresses with it', () => {
  const table = new LinkTable()
  table.apply(link(kinds.newLink, 2, 'eth0'))
  table.apply(address(kinds.newAddress, 2, '10.0.0.1'))
  table.apply(link(kinds.deleteLink, 2, 'eth0'))
  expect(table.current()).toEqual([])
  table.apply(link(kinds.newLink, 2, 'eth0'))
  expect(table.current()[0]?.addresses).toEqual([])
})

test('a new dump forgets what is not in it any more', () => {
  const table = new LinkTable()
  table.beginDump()
  table.apply(link(kinds.newLink, 2, 'eth0'))
  table.apply(link(kinds.newLink, 3, 'eth1'))
  table.apply(address(kinds.newAddress, 2, '10.0.0.1'))
  table.apply(address(kinds.newAddress, 2, '10.0.0.2'))
  table.endDump()
  const before = table.current()
  table.beginDump()
  table.apply(link(kinds.newLink, 2, 'eth0'))
  table.apply(address(kinds.newAddress, 2, '10.0.0.2'))
  expect(table.current()).toBe(before)
  table.endDump()
  expect(table.current().map(one => [one.name, one.addresses.map(own => own.address)])).toEqual([
    ['eth0', ['10.0.0.2']],
  ])
})
