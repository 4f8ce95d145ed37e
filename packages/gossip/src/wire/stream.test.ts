import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Keyring } from '../keyring.ts'
import { arbitraryRequest } from './arbitraries.test.ts'
import { compress } from './compress.ts'
import { seal } from './encrypt.ts'
import { faults } from './fault.ts'
import { encodeLabel } from './label.ts'
import type { NodeEntry, PushPull, StreamMessage } from './messages.ts'
import type { WireOptions } from './options.ts'
import { encodeStream, type StreamLimits, StreamReader, streamLimits } from './stream.ts'

const nothing = new Uint8Array(0)
const blue = encodeLabel('blue')
const [key, other] = [new Uint8Array(16).fill(1), new Uint8Array(32).fill(2)]
const keys = new Keyring([key])

const join = (...pieces: readonly (Uint8Array | readonly number[])[]): Uint8Array =>
  Uint8Array.from(pieces.flatMap(piece => [...piece]))
const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const raw = (value: string): Uint8Array => join([0xa0 | value.length], text(value))
const accept = (bytes: Uint8Array, options?: WireOptions, limits?: StreamLimits) =>
  new StreamReader('acceptor', options, limits).push(bytes)
const answer = (bytes: Uint8Array, options?: WireOptions) => new StreamReader('dialer', options).push(bytes)

const node = (name: string): NodeEntry => ({
  name,
  addr: Uint8Array.of(10, 77, 0, 2),
  port: 7946,
  meta: nothing,
  incarnation: 3,
  state: 2,
  vsn: Uint8Array.of(1, 5, 2, 0, 0, 0),
})
const table = (count: number, userState: Uint8Array = nothing): PushPull => ({
  type: 'pushPull',
  join: true,
  nodes: Array.from({ length: count }, (_, i) => node(`n${i}`)),
  userState,
})
const ack: StreamMessage = { type: 'ack', seqNo: 5, payload: nothing }

const settings: fc.Arbitrary<WireOptions> = fc.record({
  compress: fc.boolean(),
  label: fc.constantFrom(nothing, blue),
  keys: fc.constantFrom(new Keyring(), keys, new Keyring([other, key])),
  encryptionVersion: fc.constantFrom(0, 1),
})

test('every request is read as it was made, in whatever pieces it comes, and at its last byte', () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 5 })
  const integers = fc.constantFrom('signed' as const, 'unsigned' as const)
  fc.assert(
    fc.property(arbitraryRequest, settings, integers, cuts, (message, options, form, sizes) => {
      const bytes = encodeStream('dialer', message, { ...options, integers: form })
      const reader = new StreamReader('acceptor', options)
      let at = 0
      for (let i = 0; at < bytes.length; i++) {
        const to = Math.min(bytes.length, at + (sizes[i % sizes.length] as number))
        const result = reader.push(bytes.subarray(at, to))
        expect(result).toEqual(to === bytes.length ? { message } : undefined)
        at = to
      }
    }),
  )
})

test('a table of 200 nodes is read byte by byte, with counts in either form', () => {
  const message = table(200, new Uint8Array(200).fill(7))
  for (const integers of ['signed', 'unsigned'] as const) {
    const bytes = encodeStream('dialer', message, { compress: false, integers })
    const reader = new StreamReader('acceptor')
    for (const byte of bytes.subarray(0, -1)) expect(reader.push(Uint8Array.of(byte))).toBeUndefined()
    expect(reader.push(bytes.subarray(-1))).toEqual({ message })
  }
})

test.each([
  [127, [0x7f], [0x7f]],
  [128, [0xd1, 0, 128], [0xcc, 128]],
  [300, [0xd1, 1, 44], [0xcd, 1, 44]],
  [32_767, [0xd1, 0x7f, 0xff], [0xcd, 0x7f, 0xff]],
  [32_768, [0xd2, 0, 0, 0x80, 0], [0xcd, 0x80, 0]],
  [70_000, [0xd2, 0, 1, 0x11, 0x70], [0xce, 0, 1, 0x11, 0x70]],
])(
  'a length of %i is written as the present memberlist does, or as the one before',
  (length, signed, unsigned) => {
    const message: StreamMessage = { type: 'user', payload: new Uint8Array(length) }
    for (const [integers, bytes] of [
      ['signed', signed],
      ['unsigned', unsigned],
    ] as const) {
      const written = encodeStream('dialer', message, { compress: false, integers })
      expect([...written.subarray(13, -length)]).toEqual(bytes)
      expect(accept(written)).toEqual({ message })
    }
  },
)

describe('the answer', () => {
  test('bears no label, yet is sealed with it', () => {
    const options = { label: blue, keys }
    const bytes = encodeStream('acceptor', ack, options)
    expect(bytes[0]).toBe(10)
    expect(answer(bytes, options)).toEqual({ message: ack })
    expect(answer(bytes, { keys })).toEqual({ dropped: 'noKeyFits' })
    expect(answer(encodeStream('dialer', ack, options), options)).toEqual({ dropped: 'plaintextRefused' })
  })

  test('may be an ack, a table or an error, and nothing else', () => {
    for (const message of [ack, table(2), { type: 'err', error: 'no' } as const])
      expect(answer(encodeStream('acceptor', message))).toEqual({ message })
    expect(answer(encodeStream('acceptor', { type: 'user', payload: nothing }))).toEqual({
      dropped: 'unknownType',
    })
  })
})

describe('a request', () => {
  test('must bear the label, and may not be an answer', () => {
    const bytes = encodeStream('dialer', table(1), { label: blue })
    expect([...bytes.subarray(0, 2)]).toEqual([244, 4])
    expect(accept(bytes, { label: blue })).toEqual({ message: table(1) })
    expect(accept(bytes)).toEqual({ dropped: 'wrongLabel' })
    expect(accept(encodeStream('dialer', table(1)), { label: blue })).toEqual({ dropped: 'wrongLabel' })
    expect(accept(bytes, { label: blue, skipInboundLabelCheck: true })).toEqual({
      dropped: 'unexpectedLabel',
    })
    expect(accept(Uint8Array.of(244, 0))).toEqual({ dropped: 'badLabel' })
    expect(accept(encodeStream('dialer', ack))).toEqual({ dropped: 'unknownType' })
  })

  test('has neither checksum nor compound', () => {
    for (const type of [7, 12])
      expect(accept(Uint8Array.of(type, 1, 2, 3))).toEqual({ dropped: 'unknownType' })
  })

  test('is compressed even where that makes it longer, and only once', () => {
    const ping = {
      type: 'ping',
      seqNo: 1,
      node: 'n',
      sourceAddr: nothing,
      sourcePort: 0,
      sourceNode: '',
    } as const
    const plain = encodeStream('dialer', ping, { compress: false })
    const packed = encodeStream('dialer', ping)
    expect(packed.length).toBeGreaterThan(plain.length)
    expect(packed).toEqual(compress(plain))
    expect(accept(compress(packed))).toEqual({ dropped: 'unknownType' })
  })

  test('that its dialer closes halfway is truncated; that was never begun is empty', () => {
    const reader = new StreamReader('acceptor')
    reader.push(encodeStream('dialer', table(2), { compress: false }).subarray(0, 40))
    expect(reader.end()).toEqual({ dropped: 'truncated' })
    expect(new StreamReader('acceptor').end()).toEqual({ dropped: 'empty' })
  })

  test('that is complete stays so, whatever follows it', () => {
    const reader = new StreamReader('acceptor')
    const bytes = encodeStream('dialer', table(2), { compress: false })
    expect(reader.push(join(bytes, [1, 2, 3]))).toEqual({ message: table(2) })
    expect(reader.push(bytes)).toEqual({ message: table(2) })
    expect(reader.end()).toEqual({ message: table(2) })
  })

  test('keeps its bytes when the buffers that it came in are reused', () => {
    const message = table(1, Uint8Array.of(1, 2, 3))
    const bytes = Buffer.from(encodeStream('dialer', message, { compress: false }))
    const result = accept(bytes)
    bytes.fill(0)
    expect(result).toEqual({ message })
  })
})

describe('a request that cannot even begin to be read is answered with the reason', () => {
  const refusal = (dropped: string) => ({ dropped, answer: expect.any(String) })

  test('encrypted without keys, plain where keys are required, a wrong key', () => {
    expect(accept(encodeStream('dialer', table(1), { keys }))).toEqual(refusal('encryptedRefused'))
    expect(accept(encodeStream('dialer', table(1)), { keys })).toEqual(refusal('plaintextRefused'))
    const strange = encodeStream('dialer', table(1), { keys: new Keyring([other]) })
    expect(accept(strange, { keys })).toEqual(refusal('noKeyFits'))
  })

  test('an encrypted frame above 20 MiB, of an unknown version, or with nothing in it', () => {
    expect(accept(Uint8Array.of(10, 1, 64, 0, 1), { keys })).toEqual(refusal('tooLarge'))
    expect(accept(Uint8Array.of(10, 255, 255, 255, 255), { keys })).toEqual(refusal('tooLarge'))
    expect(accept(join([10, 0, 0, 0, 30], new Uint8Array(30).fill(2)), { keys })).toEqual(
      refusal('badEncryption'),
    )
    const header = Uint8Array.of(10, 0, 0, 0, 29)
    expect(accept(join(header, seal(key, nothing, header)), { keys })).toEqual(refusal('empty'))
  })

  test('an unknown or broken compression, an empty content, a content beyond the limit', () => {
    const broken = compress(text('hello'))
    broken[7] = 3
    expect(accept(broken)).toEqual(refusal('badCompression'))
    expect(accept(compress(nothing))).toEqual(refusal('empty'))
    expect(accept(Uint8Array.of(9, 1))).toEqual(refusal('malformed'))
    const small = { ...streamLimits, expandedBytes: 1000 }
    const bomb = encodeStream('dialer', { type: 'user', payload: new Uint8Array(1000) })
    expect(accept(bomb, {}, small)).toEqual(refusal('tooLarge'))
  })

  test('but not one that fails later, nor any answer', () => {
    const cut = compress(encodeStream('dialer', table(1), { compress: false }).slice(0, -1))
    expect(accept(cut)).toEqual({ dropped: 'truncated' })
    expect(answer(encodeStream('acceptor', ack), { keys })).toEqual({ dropped: 'plaintextRefused' })
  })
})

test('plain requests are taken as long as a cluster moves to encryption', () => {
  const moving = { keys, verifyIncoming: false, verifyOutgoing: false }
  const plain = encodeStream('dialer', table(1), moving)
  expect(plain).toEqual(encodeStream('dialer', table(1)))
  expect(accept(plain, moving)).toEqual({ message: table(1) })
  expect(accept(encodeStream('dialer', table(1), { keys }), moving)).toEqual({ message: table(1) })
})

describe('what is only claimed', () => {
  const header = (nodes: readonly number[], userState: readonly number[]): Uint8Array =>
    join([6, 0x82], raw('Nodes'), nodes, raw('UserStateLen'), userState)

  test('is refused beyond the limits', () => {
    expect(accept(header([0xce, 0, 16, 0, 1], [0]))).toEqual({ dropped: 'tooLarge' })
    expect(accept(header([0xff], [0]))).toEqual({ dropped: 'malformed' })
    expect(accept(header([0], [0xce, 1, 64, 0, 1]))).toEqual({ dropped: 'tooLarge' })
    expect(accept(header([0], [0xff]))).toEqual({ dropped: 'malformed' })
    const user = (length: readonly number[]) => join([8, 0x81], raw('UserMsgLen'), length)
    expect(accept(user([0xd3, 0, 0, 1, 0, 0, 0, 0, 0]))).toEqual({ dropped: 'tooLarge' })
    expect(accept(join([0, 0x81], raw('Node'), [0xdb, 255, 255, 255, 255]))).toEqual({ dropped: 'tooLarge' })
    expect(accept(join([9, 0x81], raw('Buf'), [0xdb, 255, 255, 255, 255]))).toMatchObject({
      dropped: 'tooLarge',
    })
    expect(accept(join([0, 0xdf, 255, 255, 255, 255], new Uint8Array(9000)))).toEqual({ dropped: 'tooLarge' })
  })

  test('takes no memory before it comes', () => {
    const claims = [
      header([0xce, 0, 16, 0, 0], [0xce, 1, 64, 0, 0]),
      header([0], [0xce, 1, 64, 0, 0]),
      join([8, 0x81], raw('UserMsgLen'), [0xce, 1, 64, 0, 0]),
      join([9, 0x81], raw('Buf'), [0xdb, 1, 63, 0, 0]),
    ]
    const before = process.memoryUsage().arrayBuffers
    const readers = Array.from({ length: 100 }, () => new StreamReader('acceptor'))
    for (const [i, reader] of readers.entries())
      expect(reader.push(claims[i % claims.length] as Uint8Array)).toBeUndefined()
    const frame = new StreamReader('acceptor', { keys })
    expect(frame.push(Uint8Array.of(10, 1, 64, 0, 0, 1))).toBeUndefined()
    // Together they claim two gigabytes.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024)
  })
})

test('a node table that asks for the state of others and says nothing is a valid one', () => {
  const message: PushPull = { type: 'pushPull', join: false, nodes: [], userState: nothing }
  expect(accept(encodeStream('dialer', message, { compress: false }))).toEqual({ message })
})

test('what peers would not read is not sent', () => {
  const payload = new Uint8Array(streamLimits.userBytes + 1)
  const tooLarge = expect.objectContaining({ code: 'MESSAGE_TOO_LARGE' })
  expect(() => encodeStream('dialer', { type: 'user', payload })).toThrow(tooLarge)
})

test('any bytes, in any pieces, give a message, a wait or a known reason', () => {
  const begin = fc.constantFrom([], [0], [6], [8], [9], [10, 0, 0, 0], [244], [13], [6, 0x83, 0xa4])
  const pieces = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 4 })
  fc.assert(
    fc.property(
      begin,
      pieces,
      settings,
      fc.constantFrom('dialer', 'acceptor'),
      (first, rest, options, side) => {
        const reader = new StreamReader(side, options)
        for (const piece of [Uint8Array.from(first), ...rest]) reader.push(piece)
        const result = reader.end()
        if ('dropped' in result) expect(faults).toHaveProperty(result.dropped)
      },
    ),
    { numRuns: 500 },
  )
})

test('streams with a few bytes changed give a message or a known reason', () => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(arbitraryRequest, fc.boolean(), damage, (message, compressing, changes) => {
      const bytes = encodeStream('dialer', message, { compress: compressing })
      for (const [at, value] of changes) bytes[at % bytes.length] = value
      const reader = new StreamReader('acceptor')
      reader.push(bytes)
      const result = reader.end()
      if ('dropped' in result) expect(faults).toHaveProperty(result.dropped)
    }),
    { numRuns: 300 },
  )
})
