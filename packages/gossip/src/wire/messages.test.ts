import { Writer } from '@carillon/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { arbitraryMessage } from './arbitraries.test.ts'
import { decodeMessage, encodeMessage, type PacketMessage } from './messages.ts'

const ascii = (text: string): number[] => [...Buffer.from(text, 'latin1')]
/** Old raw, up to 31 bytes. */
const raw = (text: string): number[] => [0xa0 | text.length, ...ascii(text)]
const bin = (text: string): number[] => [0xc4, text.length, ...ascii(text)]
const str8 = (text: string): number[] => [0xd9, text.length, ...ascii(text)]
const read = (...bytes: readonly number[]) => decodeMessage(Uint8Array.from(bytes))

const ack = (seqNo: number, payload = ''): PacketMessage => ({
  type: 'ack',
  seqNo,
  payload: Uint8Array.from(ascii(payload)),
})
/** An ack whose SeqNo is these bytes. */
const ackWith = (...seqNo: readonly number[]) => read(2, 0x81, ...raw('SeqNo'), ...seqNo)

test('every message is read as it was written', () => {
  fc.assert(
    fc.property(arbitraryMessage, message => {
      expect(decodeMessage(encodeMessage(message))).toEqual(message)
    }),
  )
})

test('the documented ping has the documented bytes', () => {
  const ping = encodeMessage({
    type: 'ping',
    seqNo: 1,
    node: 'n2',
    sourceAddr: Uint8Array.of(10, 77, 0, 1),
    sourcePort: 7946,
    sourceNode: 'n1',
  })
  const hex =
    '0085a44e6f6465a26e32a55365714e6f01aa536f7572636541646472a40a4d0001aa536f757263654e6f6465a26e31aa536f75726365506f7274cd1f0a'
  expect(Buffer.from(ping).toString('hex')).toBe(hex)
})

test('what is empty is left out of a ping, and nil in an ack', () => {
  const nothing = { sourceAddr: new Uint8Array(0), sourcePort: 0, sourceNode: '' }
  const ping = encodeMessage({ type: 'ping', seqNo: 7, node: '', ...nothing })
  expect([...ping]).toEqual([0, 0x82, ...raw('Node'), 0xa0, ...raw('SeqNo'), 7])
  expect([...encodeMessage(ack(7))]).toEqual([2, 0x82, ...raw('Payload'), 0xc0, ...raw('SeqNo'), 7])
})

test.each([
  [31, [0xbf]],
  [32, [0xda, 0, 32]],
  [255, [0xda, 0, 255]],
  [65_535, [0xda, 0xff, 0xff]],
  [65_536, [0xdb, 0, 1, 0, 0]],
])('%i bytes have the header that msgpack knew before strings and bytes were two types', (length, header) => {
  const bytes = encodeMessage({ type: 'ack', seqNo: 0, payload: new Uint8Array(length) })
  expect([...bytes.subarray(10, 10 + header.length)]).toEqual(header)
})

describe('a peer may write more freely than we do', () => {
  test('fields in any order, unknown ones of any kind, some missing, something after the end', () => {
    const odd = [0x83, 1, 0xc0, 0xc3, 0xca, 1, 2, 3, 4, 0x92, 0xd6, 5, 1, 2, 3, 4, 0xc7, 1, 9, 9, 0]
    expect(read(2, 0x83, ...raw('SeqNo'), 9, ...raw('Odd'), ...odd, ...raw('Payload'), ...raw('x'))).toEqual(
      ack(9, 'x'),
    )
    expect(read(2, 0x81, ...raw('SeqNo'), 9, 1, 2, 3)).toEqual(ack(9))
    expect(read(2, 0x80)).toEqual(ack(0))
  })

  test('long map headers, arrays in the order of declaration, nil for anything', () => {
    expect(read(2, 0xde, 0, 1, ...raw('SeqNo'), 9)).toEqual(ack(9))
    expect(read(2, 0x92, 9, ...raw('x'))).toEqual(ack(9, 'x'))
    expect(read(2, 0x93, 9, ...raw('x'), 0x91, 1)).toEqual(ack(9, 'x'))
    expect(read(2, 0xdc, 0, 1, 9)).toEqual(ack(9))
    expect(read(2, 0x82, ...raw('SeqNo'), 0xc0, ...raw('Payload'), 0xc0)).toEqual(ack(0))
    expect(read(2, 0xc0)).toEqual(ack(0))
    expect(read(3, 0x93, 5, ...raw('n1'), ...raw('n2'))).toEqual({
      type: 'suspect',
      incarnation: 5,
      node: 'n1',
      from: 'n2',
    })
  })

  test('newer string and byte formats for names, strings and bytes, and bytes as an array of numbers', () => {
    expect(read(2, 0x82, ...bin('SeqNo'), 9, ...str8('Payload'), ...bin('x'))).toEqual(ack(9, 'x'))
    expect(read(3, 0x81, ...str8('Node'), ...bin('n1'))).toMatchObject({ node: 'n1' })
    expect(read(2, 0x81, ...raw('Payload'), 0x93, 0x68, 0xcc, 0x69, 0xd1, 0, 0x21)).toEqual(ack(0, 'hi!'))
  })

  test('a name in another case is unknown', () => {
    expect(read(2, 0x81, ...raw('seqno'), 9)).toEqual(ack(0))
  })

  test('integers of any width, signed or not', () => {
    for (const seqNo of [[9], [0xcc, 9], [0xcd, 0, 9], [0xce, 0, 0, 0, 9], [0xcf, 0, 0, 0, 0, 0, 0, 0, 9]])
      expect(ackWith(...seqNo)).toEqual(ack(9))
    for (const seqNo of [
      [0xd0, 9],
      [0xd1, 0, 9],
      [0xd2, 0, 0, 0, 9],
      [0xd3, 0, 0, 0, 0, 0, 0, 0, 9],
    ])
      expect(ackWith(...seqNo)).toEqual(ack(9))
    expect(ackWith(0xce, 0xff, 0xff, 0xff, 0xff)).toEqual(ack(0xffffffff))
  })
})

describe('what no field can hold is refused', () => {
  test('numbers too large or negative', () => {
    expect(ackWith(0xff)).toBe('overflow')
    expect(ackWith(0xd0, 0x80)).toBe('overflow')
    expect(ackWith(0xcf, 0, 0, 0, 1, 0, 0, 0, 0)).toBe('overflow')
    expect(ackWith(0xcf, 255, 255, 255, 255, 255, 255, 255, 255)).toBe('overflow')
    expect(read(0, 0x81, ...raw('SourcePort'), 0xce, 0, 1, 0, 0)).toBe('overflow')
    expect(read(2, 0x81, ...raw('Payload'), 0x91, 0xcd, 1, 0)).toBe('overflow')
  })

  test('values of another type', () => {
    expect(ackWith(0xca, 0, 0, 0, 0)).toBe('malformed')
    expect(ackWith(...raw('1'))).toBe('malformed')
    expect(read(2, 0x81, ...raw('Payload'), 1)).toBe('malformed')
    expect(read(1, 0x81, ...raw('Nack'), 1)).toBe('malformed')
    expect(read(2, 9)).toBe('malformed')
    expect(read(2, 0x81, 9, 9)).toBe('malformed')
  })

  test('types that no datagram carries, and nothing at all', () => {
    for (const type of [6, 10, 12, 13, 14, 200, 244]) expect(read(type, 0x80)).toBe('unknownType')
    expect(read()).toBe('empty')
    expect(read(2)).toBe('truncated')
  })
})

test('every message that is cut short is refused as truncated', () => {
  const cut = fc.tuple(
    arbitraryMessage.filter(({ type }) => type !== 'user'),
    fc.double({ min: 0, max: 1, noNaN: true }),
  )
  fc.assert(
    fc.property(cut, ([message, share]) => {
      const bytes = encodeMessage(message)
      const length = 1 + Math.floor(share * (bytes.length - 1))
      if (length < bytes.length) expect(decodeMessage(bytes.subarray(0, length))).toBe('truncated')
    }),
  )
})

test('lengths that are only claimed cost nothing', () => {
  const gigabytes = [0xff, 0xff, 0xff, 0xff]
  expect(read(2, 0xdf, ...gigabytes)).toBe('truncated')
  expect(read(2, 0xdd, ...gigabytes)).toBe('truncated')
  for (const head of [0xdb, 0xc6, 0xdd])
    expect(read(2, 0x81, ...raw('Payload'), head, ...gigabytes)).toBe('truncated')
  for (const head of [0xdb, 0xc6, 0xc9, 0xdd, 0xdf])
    expect(read(2, 0x81, ...raw('Odd'), head, ...gigabytes)).toBe('truncated')
})

test('an unknown field of any depth is passed over, one of thousands of values is refused', () => {
  const deep = new Array<number>(1000).fill(0x91)
  expect(read(2, 0x82, ...raw('Odd'), ...deep, 0xc0, ...raw('SeqNo'), 9)).toEqual(ack(9))
  expect(read(2, 0x81, ...raw('Odd'), 0xdc, 0x20, 0, ...new Array<number>(0x2000).fill(0))).toBe('tooLarge')
})

test('a message keeps its bytes when the packet that it came in is reused', () => {
  const packet = Buffer.from(encodeMessage({ type: 'user', payload: Uint8Array.of(1, 2, 3) }))
  const alive = Buffer.from(
    encodeMessage({
      type: 'alive',
      incarnation: 1,
      node: 'n1',
      addr: Uint8Array.of(10, 0, 0, 1),
      port: 1,
      meta: Uint8Array.of(5),
      vsn: Uint8Array.of(1, 5, 2, 0, 0, 0),
    }),
  )
  const messages = [decodeMessage(packet), decodeMessage(alive)]
  packet.fill(0)
  alive.fill(0)
  expect(messages).toMatchObject([
    { payload: Uint8Array.of(1, 2, 3) },
    { addr: Uint8Array.of(10, 0, 0, 1), meta: Uint8Array.of(5), vsn: Uint8Array.of(1, 5, 2, 0, 0, 0) },
  ])
})

test('an IPv4 address written in 16 bytes stays 16 bytes, byte for byte', () => {
  const addr = Uint8Array.from([...new Array<number>(10).fill(0), 255, 255, 10, 77, 0, 2])
  const fields = { incarnation: 1, node: 'n2', port: 7946, meta: new Uint8Array(0), vsn: new Uint8Array(6) }
  const bytes = encodeMessage({ type: 'alive', addr, ...fields })
  const alive = decodeMessage(bytes)
  expect(alive).toMatchObject({ addr })
  expect(encodeMessage(alive as PacketMessage)).toEqual(bytes)
})

test('a number that its field cannot hold is a mistake of ours', () => {
  for (const seqNo of [-1, 0.5, 2 ** 32, Number.NaN])
    expect(() => encodeMessage({ type: 'nack', seqNo })).toThrow(TypeError)
})

test('any bytes are a message or one reason why not', () => {
  const some = fc.tuple(fc.integer({ min: 0, max: 15 }), fc.uint8Array({ maxLength: 80 }))
  fc.assert(
    fc.property(some, ([type, rest]) => {
      const found = decodeMessage(new Writer().u8(type).bytes(rest).finish())
      expect(typeof found === 'string' || typeof found.type === 'string').toBe(true)
    }),
    { numRuns: 1000 },
  )
})
