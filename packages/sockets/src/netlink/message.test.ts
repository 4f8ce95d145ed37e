import { CarillonError } from '@carillon/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { littleEndian } from '../linux.ts'
import { readAddress } from './address.ts'
import { readLink } from './link.ts'
import {
  copyOf,
  dumpRequest,
  kinds,
  type NetlinkMessage,
  readAttributes,
  readErrno,
  readMessages,
} from './message.ts'
import { LinkTable } from './table.ts'

test('a request reads back as the message it is', () => {
  for (const kind of [kinds.getLink, kinds.getAddress]) {
    const [message, ...others] = readMessages(dumpRequest(kind, 7))
    expect(message).toMatchObject({ kind, sequence: 7, flags: 0x301 })
    expect(others).toEqual([])
  }
})

test('attributes are padded to four bytes, and their flags are no part of their type', () => {
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, 5, littleEndian)
  view.setUint16(2, 0x8003, littleEndian)
  view.setUint8(4, 65)
  view.setUint16(8, 8, littleEndian)
  view.setUint16(10, 4, littleEndian)
  view.setUint32(12, 1500, littleEndian)
  const attributes = readAttributes(view, 0)
  expect([...attributes.keys()]).toEqual([3, 4])
  expect(copyOf(attributes.get(3) as DataView)).toEqual(Uint8Array.from([65]))
  expect(attributes.get(4)?.getUint32(0, littleEndian)).toBe(1500)
})

test('a length that points beyond its bytes is refused', () => {
  const request = dumpRequest(kinds.getLink, 1)
  expect(() => [...readMessages(request.subarray(0, 30))]).toThrow(
    expect.objectContaining({ code: 'BAD_LENGTH' }),
  )
  expect(() => [...readMessages(request.subarray(0, 7))]).toThrow(
    expect.objectContaining({ code: 'BAD_LENGTH' }),
  )
})

test('an error without a number means none', () => {
  const message = { kind: kinds.error, flags: 0, sequence: 0, body: new DataView(new ArrayBuffer(2)) }
  expect(readErrno(message)).toBe(0)
})

const fed = (bytes: Uint8Array, read: (message: NetlinkMessage) => unknown): void => {
  try {
    for (const message of readMessages(bytes)) read(message)
  } catch (error) {
    if (!(error instanceof CarillonError)) throw error
  }
}

test('whatever arrives is read or refused with a code', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), bytes => fed(bytes, readErrno)))
})

test('whatever a message contains is read or refused with a code', () => {
  const kind = fc.constantFrom(kinds.newLink, kinds.deleteLink, kinds.newAddress, kinds.deleteAddress)
  fc.assert(
    fc.property(kind, fc.uint8Array({ maxLength: 120 }), (kind, body) => {
      const bytes = new Uint8Array(16 + body.length)
      const view = new DataView(bytes.buffer)
      view.setUint32(0, bytes.length, littleEndian)
      view.setUint16(4, kind, littleEndian)
      bytes.set(body, 16)
      // A plausible family, so that the attributes are reached.
      if (body.length > 0) bytes[16] = kind >= kinds.newAddress ? 10 : 0
      const table = new LinkTable()
      fed(bytes, message => table.apply(message))
      fed(bytes, readLink)
      fed(bytes, readAddress)
      expect(table.current().length).toBeLessThanOrEqual(1)
    }),
  )
})
