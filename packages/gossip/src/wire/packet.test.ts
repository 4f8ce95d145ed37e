import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Keyring } from '../keyring.ts'
import { arbitraryMessage } from './arbitraries.test.ts'
import { compound } from './compound.ts'
import { compress } from './compress.ts'
import { crc32 } from './crc.ts'
import { encryptionOverhead, seal } from './encrypt.ts'
import { faults } from './fault.ts'
import { encodeLabel } from './label.ts'
import { encodeMessage, type PacketMessage } from './messages.ts'
import type { WireOptions } from './options.ts'
import { decodePacket, encodePacket, type PacketOptions } from './packet.ts'

const nothing = new Uint8Array(0)
const nack = (seqNo: number): PacketMessage => ({ type: 'nack', seqNo })
const one = encodeMessage(nack(1))
const two = encodeMessage(nack(2))
const [key, other] = [new Uint8Array(16).fill(1), new Uint8Array(32).fill(2)]
const blue = encodeLabel('blue')

const join = (...pieces: readonly (Uint8Array | readonly number[])[]): Uint8Array =>
  Uint8Array.from(pieces.flatMap(piece => [...piece]))
const checked = (rest: Uint8Array): Uint8Array => {
  const sum = crc32(rest)
  return join([12, sum >>> 24, sum >>> 16, sum >>> 8, sum], rest)
}
const read = (bytes: Uint8Array, options?: WireOptions) => decodePacket(bytes, options)
const taken = (...messages: readonly PacketMessage[]) => ({ messages, dropped: [] })
const refused = (...dropped: readonly string[]) => ({ messages: [], dropped })

const nodes: fc.Arbitrary<PacketOptions> = fc.record({
  compress: fc.boolean(),
  checksum: fc.boolean(),
  label: fc.constantFrom(nothing, blue),
  keys: fc.constantFrom(new Keyring(), new Keyring([key]), new Keyring([other, key])),
  encryptionVersion: fc.constantFrom(0, 1),
})

test('every packet is read as it was made, whatever it is wrapped in', () => {
  fc.assert(
    fc.property(fc.array(arbitraryMessage, { minLength: 1, maxLength: 12 }), nodes, (messages, options) => {
      expect(read(encodePacket(messages.map(encodeMessage), options), options)).toEqual(taken(...messages))
    }),
  )
})

describe('wrapping', () => {
  test('one message goes bare, several as a compound', () => {
    expect(encodePacket([one])).toEqual(one)
    expect(encodePacket([one, two], { compress: false })).toEqual(
      join([7, 2, 0, one.length, 0, two.length], one, two),
    )
  })

  test('from the outside in: label, encryption, checksum, compression, compound', () => {
    const parts = [one, ...new Array<Uint8Array>(30).fill(two)]
    const nonce = new Uint8Array(12).fill(9)
    const options = { label: blue, keys: new Keyring([key]), checksum: true, nonce: () => nonce }
    const inside = checked(compress(compound(parts)))
    expect(encodePacket(parts, options)).toEqual(join([244, 4], blue, seal(key, inside, blue, 1, nonce)))
  })

  test('a packet is compressed only if that makes it smaller', () => {
    const ping = {
      type: 'ping',
      seqNo: 1,
      node: 'n2',
      sourceAddr: nothing,
      sourcePort: 0,
      sourceNode: '',
    } as const
    expect(encodePacket([encodeMessage(ping)])).toEqual(encodeMessage(ping))
    const long = encodeMessage({ type: 'user', payload: new Uint8Array(300) })
    expect(encodePacket([long])[0]).toBe(9)
    expect(encodePacket([long], { compress: false })).toEqual(long)
  })

  test('255 messages fit a packet; more, or an empty one, are refused', () => {
    expect(read(encodePacket(new Array<Uint8Array>(255).fill(one))).messages).toHaveLength(255)
    const tooMany = new Array<Uint8Array>(256).fill(one)
    expect(() => encodePacket(tooMany)).toThrow(expect.objectContaining({ code: 'MESSAGE_TOO_LARGE' }))
    const tooLong = [one, new Uint8Array(65_536)]
    expect(() => encodePacket(tooLong)).toThrow(expect.objectContaining({ code: 'MESSAGE_TOO_LARGE' }))
    expect(() => encodePacket([])).toThrow(TypeError)
    expect(() => encodePacket([one, nothing])).toThrow(TypeError)
  })
})

describe('checksum', () => {
  test('is accepted and not required', () => {
    expect(read(checked(one))).toEqual(taken(nack(1)))
    expect(read(one)).toEqual(taken(nack(1)))
  })

  test('drops the packet when it does not match', () => {
    const packet = checked(one)
    packet[packet.length - 1] = 77
    expect(read(packet)).toEqual(refused('badCrc'))
  })

  test('is unknown anywhere but in front: in a compound, in a compressed message, in itself', () => {
    expect(read(compound([one, checked(two)]))).toEqual({ messages: [nack(1)], dropped: ['unknownType'] })
    expect(read(compress(checked(one)))).toEqual(refused('unknownType'))
    expect(read(checked(checked(one)))).toEqual(refused('unknownType'))
  })
})

describe('nesting', () => {
  test('compounds and compressed messages may hold one another', () => {
    const inner = compound([one, two])
    expect(read(compound([inner, two]))).toEqual(taken(nack(1), nack(2), nack(2)))
    expect(read(compress(compress(one)))).toEqual(taken(nack(1)))
    expect(read(checked(compound([compress(inner), two])))).toEqual(taken(nack(1), nack(2), nack(2)))
  })

  test('ends at a depth', () => {
    let packet = one
    for (let i = 0; i < 8; i++) packet = compress(packet)
    expect(read(packet)).toEqual(taken(nack(1)))
    expect(read(compress(packet))).toEqual(refused('tooDeep'))
    expect(read(compound([compress(packet), two]))).toEqual({ messages: [nack(2)], dropped: ['tooDeep'] })
  })
})

describe('a broken compound', () => {
  test('is dropped whole when its lengths are cut off', () => {
    expect(read(Uint8Array.of(7))).toEqual(refused('truncated'))
    expect(read(Uint8Array.of(7, 2, 0, 9, 0))).toEqual(refused('truncated'))
  })

  test('gives the messages before the one that is cut off', () => {
    expect(read(compound([one, two, two]).slice(0, -one.length - 1))).toEqual({
      messages: [nack(1)],
      dropped: ['truncated'],
    })
  })

  test('gives the messages around one that is empty or unknown', () => {
    const packet = join([7, 4, 0, one.length, 0, 0, 0, 1, 0, two.length], one, [99], two)
    expect(read(packet)).toEqual({ messages: [nack(1), nack(2)], dropped: ['empty', 'unknownType'] })
  })
})

describe('label', () => {
  test('must be the own one', () => {
    const packet = encodePacket([one], { label: blue })
    expect(read(packet, { label: blue })).toEqual(taken(nack(1)))
    for (const label of ['blub', 'blu', 'bluer'])
      expect(read(packet, { label: encodeLabel(label) })).toEqual(refused('wrongLabel'))
    expect(read(packet)).toEqual(refused('wrongLabel'))
    expect(read(one, { label: blue })).toEqual(refused('wrongLabel'))
  })

  test('must be there as a whole, and not empty', () => {
    expect(read(Uint8Array.of(244), { label: blue })).toEqual(refused('badLabel'))
    expect(read(Uint8Array.of(244, 4, 98), { label: blue })).toEqual(refused('badLabel'))
    expect(read(join([244, 0], one))).toEqual(refused('badLabel'))
  })

  test('is taken for granted where the transport removes it, and authenticates what it came with', () => {
    const options = { label: blue, keys: new Keyring([key]) }
    const packet = encodePacket([one], options)
    const stripped = packet.subarray(2 + blue.length)
    expect(read(stripped, { ...options, skipInboundLabelCheck: true })).toEqual(taken(nack(1)))
    expect(read(packet, { ...options, skipInboundLabelCheck: true })).toEqual(refused('unexpectedLabel'))
    expect(read(stripped, { keys: options.keys })).toEqual(refused('noKeyFits'))
  })

  test('has at most 255 bytes', () => {
    expect(encodeLabel('x'.repeat(255))).toHaveLength(255)
    expect(() => encodeLabel('x'.repeat(256))).toThrow(expect.objectContaining({ code: 'BAD_LABEL' }))
  })
})

describe('encryption', () => {
  const mine = { keys: new Keyring([key, other]) }

  test('opens with any key of the ring', () => {
    for (const keys of [new Keyring([key]), new Keyring([other])])
      expect(read(encodePacket([one], { keys }), mine)).toEqual(taken(nack(1)))
  })

  test('names why a packet is refused: wrong key, plain, or neither', () => {
    const keys = new Keyring([new Uint8Array(24)])
    expect(read(encodePacket([one], { keys }), mine)).toEqual(refused('noKeyFits'))
    expect(read(one, mine)).toEqual(refused('plaintextRefused'))
    const ping = {
      type: 'ping',
      seqNo: 1,
      node: 'n2',
      sourceAddr: nothing,
      sourcePort: 0,
      sourceNode: '',
    } as const
    expect(read(encodePacket([encodeMessage(ping)]), mine)).toEqual(refused('plaintextRefused'))
    expect(read(Uint8Array.of(77, 1, 2), mine)).toEqual(refused('badEncryption'))
    expect(read(Uint8Array.of(1, 1, 2), mine)).toEqual(refused('badEncryption'))
  })

  test.each([
    ['nil', 0xc0],
    ['an empty map', 0x80],
    ['an empty list', 0x90],
  ])('that no key opens is not taken for a plain ping because its nonce begins like %s', (_, first) => {
    const nonce = () => new Uint8Array(12).fill(first, 0, 1)
    const keys = new Keyring([new Uint8Array(24)])
    expect(read(encodePacket([one], { keys, nonce }), mine)).toEqual(refused('noKeyFits'))
  })

  test('plain packets are taken as long as a cluster moves to encryption', () => {
    const moving = { ...mine, verifyIncoming: false, verifyOutgoing: false }
    expect(encodePacket([one], moving)).toEqual(one)
    expect(read(one, moving)).toEqual(taken(nack(1)))
    expect(read(encodePacket([one], mine), moving)).toEqual(taken(nack(1)))
  })

  test('adds what is budgeted for it at most', () => {
    for (const encryptionVersion of [0, 1] as const) {
      const added = Array.from({ length: 17 }, (_, length) => {
        const user = encodeMessage({ type: 'user', payload: new Uint8Array(length) })
        return encodePacket([user], { keys: mine.keys, encryptionVersion }).length - user.length
      })
      expect(Math.max(...added)).toBe(encryptionOverhead[encryptionVersion])
    }
  })

  test('holds against a member that seals nothing, or bad padding', () => {
    expect(read(seal(key, nothing, nothing), mine)).toEqual(refused('empty'))
    expect(read(seal(key, nothing, nothing, 0), mine)).toEqual(refused('empty'))
    for (const padding of [0, 17, 255]) {
      const sealed = seal(key, new Uint8Array(32).fill(padding), nothing, 1)
      // Sealed without padding, then called padded: its last byte says how much to cut off.
      sealed[0] = 0
      expect(read(sealed, mine)).toEqual(refused('badEncryption'))
    }
  })
})

describe('a hostile packet', () => {
  const user = (length: number) => encodeMessage({ type: 'user', payload: new Uint8Array(length) })

  test('does not expand beyond the limit, in one message or in many', () => {
    expect(read(compress(user(200_000))).messages).toHaveLength(1)
    const bomb = compress(user(5_000_000))
    expect(bomb.length).toBeLessThan(6000)
    expect(read(bomb)).toEqual(refused('tooLarge'))
    const many = read(compound(new Array<Uint8Array>(20).fill(compress(user(20_000)))))
    expect(many.messages).toHaveLength(13)
    expect(new Set(many.dropped)).toEqual(new Set(['tooLarge']))
  })

  test('gives no more messages than the limit', () => {
    const inner = compound(new Array<Uint8Array>(255).fill(one))
    const { messages, dropped } = read(compound(new Array<Uint8Array>(20).fill(inner)))
    expect(messages).toHaveLength(1024)
    expect(dropped).toContain('tooMany')
    expect(dropped.length).toBeLessThan(30)
  })

  test('of no bytes, an unknown compression or an empty content is dropped', () => {
    expect(read(nothing)).toEqual(refused('empty'))
    const packed = compress(one)
    const unknown = packed.slice()
    unknown[7] = 1
    expect(read(unknown)).toEqual(refused('badCompression'))
    expect(read(compress(nothing))).toEqual(refused('empty'))
    expect(read(packed.slice(0, -1))).toEqual(refused('truncated'))
  })
})

test('any bytes give messages or known reasons, whatever the node expects', () => {
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 120 }),
    fc
      .tuple(fc.constantFrom(7, 9, 12, 244, 0, 1), fc.uint8Array({ maxLength: 80 }))
      .map(([a, b]) => join([a], b)),
  )
  fc.assert(
    fc.property(noise, nodes, (bytes, options) => {
      for (const reason of read(bytes, options).dropped) expect(faults).toHaveProperty(reason)
    }),
    { numRuns: 500 },
  )
})

test('packets with a few bytes changed give messages or known reasons', () => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 })
  const messages = fc.array(arbitraryMessage, { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(messages, fc.boolean(), damage, (parts, compressing, changes) => {
      const packet = encodePacket(parts.map(encodeMessage), { compress: compressing })
      for (const [at, value] of changes) packet[at % packet.length] = value
      for (const reason of read(packet).dropped) expect(faults).toHaveProperty(reason)
    }),
    { numRuns: 500 },
  )
})
