import { expect, test } from 'vitest'
import { Keyring } from '../keyring.ts'
import { broadcastRoom, PART_OVERHEAD } from './budget.ts'
import { encodeLabel } from './label.ts'
import { encodePacket } from './packet.ts'

const keys = new Keyring([new Uint8Array(32)])

test('a gossip packet leaves room for its compound, label and encryption', () => {
  expect(broadcastRoom(1400, {})).toBe(1398)
  expect(broadcastRoom(1400, { label: encodeLabel('blue') })).toBe(1392)
  expect(broadcastRoom(1400, { keys })).toBe(1369)
  expect(broadcastRoom(1400, { keys, encryptionVersion: 0 })).toBe(1353)
  expect(broadcastRoom(1400, { keys, verifyOutgoing: false })).toBe(1369)
})

test('a message that carries broadcasts takes its own length, and encryption only where it is on', () => {
  expect(broadcastRoom(1400, {}, 61)).toBe(1337)
  expect(broadcastRoom(1400, { keys }, 61)).toBe(1308)
  expect(broadcastRoom(1400, { keys, verifyOutgoing: false }, 61)).toBe(1337)
})

test('a full packet has the bytes that it may have, and 5 more with a checksum', () => {
  const options = { keys, label: encodeLabel('blue'), compress: false }
  const room = broadcastRoom(1400, options)
  const parts = Array.from({ length: 9 }, () => new Uint8Array(100).fill(8))
  const used = parts.length * (100 + PART_OVERHEAD)
  parts.push(new Uint8Array(room - used - PART_OVERHEAD).fill(8))
  expect(encodePacket(parts, options)).toHaveLength(1400)
  expect(encodePacket(parts, { ...options, checksum: true })).toHaveLength(1405)
})
