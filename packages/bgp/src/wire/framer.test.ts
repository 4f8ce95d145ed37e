import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Framer } from './framer.ts'
import { writeHeader } from './header.ts'

function message(length: number, fill = 0): Uint8Array {
  const bytes = new Uint8Array(length).fill(fill)
  writeHeader(bytes, length === 19 ? 'keepalive' : 'update')
  return bytes
}

function take(framer: Framer): Uint8Array[] {
  const messages: Uint8Array[] = []
  for (let one = framer.next(); one !== undefined; one = framer.next()) messages.push(one)
  return messages
}

/** Quicker to compare than arrays. */
const text = (messages: readonly Uint8Array[]): readonly string[] =>
  messages.map(one => Buffer.from(one).toString('latin1'))
const join = (parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts))

describe('a framer', () => {
  it('gives the same messages however the stream is cut', () => {
    const lengths = fc.array(fc.oneof(fc.constant(19), fc.integer({ min: 23, max: 60 }), fc.constant(4096)), {
      maxLength: 12,
    })
    fc.assert(
      fc.property(lengths, fc.array(fc.integer({ min: 0, max: 5000 }), { maxLength: 40 }), (sizes, cuts) => {
        const messages = sizes.map((size, i) => message(size, i))
        const stream = join(messages)
        const framer = new Framer()
        const seen: Uint8Array[] = []
        let at = 0
        for (const cut of [...cuts, stream.length]) {
          framer.push(stream.slice(at, at + cut))
          seen.push(...take(framer))
          at += cut
        }
        expect(text(seen)).toEqual(text(messages))
        expect(framer.pending).toBe(0)
      }),
    )
  })

  it('gives the same messages byte by byte, and holds no more than one of them', () => {
    const messages = [message(19), message(4096, 7), message(23)]
    const framer = new Framer()
    const seen: Uint8Array[] = []
    for (const byte of join(messages)) {
      framer.push(Uint8Array.of(byte))
      seen.push(...take(framer))
      expect(framer.pending).toBeLessThan(4096)
    }
    expect(text(seen)).toEqual(text(messages))
  })

  it('gives messages that stay as they are while others come', () => {
    const framer = new Framer()
    const stream = join([message(40, 1), message(40, 2), message(40, 3)])
    framer.push(stream.slice(0, 30))
    const seen = take(framer)
    framer.push(stream.slice(30, 70))
    seen.push(...take(framer))
    framer.push(stream.slice(70))
    seen.push(...take(framer))
    expect(seen).toEqual([message(40, 1), message(40, 2), message(40, 3)])
  })

  it('joins pieces that come before it was asked', () => {
    const framer = new Framer()
    const stream = join([message(50, 1), message(60, 2)])
    for (let at = 0; at < stream.length; at += 7) framer.push(stream.slice(at, at + 7))
    expect(framer.pending).toBe(110)
    expect(take(framer)).toEqual([message(50, 1), message(60, 2)])
  })

  it('refuses a header that cannot be one before the rest has come, again and again', () => {
    const framer = new Framer()
    const bytes = message(19)
    bytes.set([0x10, 0x01, 2], 16)
    framer.push(join([message(19), bytes]))
    expect(framer.next()).toEqual(message(19))
    for (let i = 0; i < 2; i++)
      expect(() => framer.next()).toThrow(expect.objectContaining({ code: 'BAD_HEADER' }))
    framer.push(message(19))
    expect(() => framer.next()).toThrow(expect.objectContaining({ code: 'BAD_HEADER' }))
  })

  it('refuses it also where it came in pieces', () => {
    const framer = new Framer()
    const bytes = message(19)
    bytes[3] = 0
    framer.push(bytes.slice(0, 18))
    expect(framer.next()).toBeUndefined()
    framer.push(bytes.slice(18))
    for (let i = 0; i < 2; i++)
      expect(() => framer.next()).toThrow(expect.objectContaining({ code: 'BAD_HEADER' }))
  })

  it('takes long messages once the session has extended ones', () => {
    const framer = new Framer()
    const long = message(65535, 3)
    framer.push(join([message(19), long, long.slice(0, 1000)]))
    expect(framer.next()).toEqual(message(19))
    framer.extendedMessage = true
    expect(text(take(framer))).toEqual(text([long]))
    framer.push(long.slice(1000))
    expect(text(take(framer))).toEqual(text([long]))
  })
})
