import { seededRandom } from '@carillon/core/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Broadcasts, mostTaken, transmitLimit } from './broadcasts.ts'

const text = (length: number, letter: string): Uint8Array => new TextEncoder().encode(letter.repeat(length))
const shown = (taken: readonly Uint8Array[]): string[] => taken.map(bytes => new TextDecoder().decode(bytes))

it('passes on four times the digits of the cluster in the lan profile', () => {
  expect([1, 9, 10, 99, 100, 999, 1000].map(n => transmitLimit(4, n))).toEqual([4, 4, 8, 8, 12, 12, 16])
})

describe('what waits to be passed on', () => {
  it('goes least sent first, then longest, then newest', () => {
    const broadcasts = new Broadcasts()
    broadcasts.queue('old', text(3, 'a'))
    expect(shown(broadcasts.take(100, 2, 9))).toEqual(['aaa'])
    broadcasts.queue('short', text(1, 'b'))
    broadcasts.queue('long', text(4, 'c'))
    broadcasts.queue('longer and newer', text(4, 'd'))
    expect(shown(broadcasts.take(100, 2, 9))).toEqual(['dddd', 'cccc', 'b', 'aaa'])
  })

  it('fills a packet with what still fits, and leaves the rest for the next', () => {
    const broadcasts = new Broadcasts()
    broadcasts.queue('ten', text(10, 'a'))
    broadcasts.queue('six', text(6, 'b'))
    broadcasts.queue('two', text(2, 'c'))
    expect(shown(broadcasts.take(16, 2, 9))).toEqual(['a'.repeat(10), 'cc'])
    expect(shown(broadcasts.take(16, 2, 9))).toEqual(['bbbbbb', 'cc'])
  })

  it('is forgotten once it has been sent often enough, and whoever queued it is told', () => {
    const broadcasts = new Broadcasts()
    let done = 0
    broadcasts.queue('x', text(1, 'a'), () => done++)
    broadcasts.take(100, 2, 3)
    broadcasts.take(100, 2, 3)
    expect([broadcasts.size, done]).toEqual([1, 0])
    broadcasts.take(100, 2, 3)
    expect([broadcasts.size, done]).toEqual([0, 1])
    expect(broadcasts.take(100, 2, 3)).toEqual([])
  })

  it('goes to nobody more often than that is its share', () => {
    const broadcasts = new Broadcasts()
    broadcasts.queue('x', text(1, 'x'))
    const takes = (to: string): string[] => shown(broadcasts.take(100, 2, 4, to, 2))
    expect([takes('a'), takes('a'), takes('a')]).toEqual([['x'], ['x'], []])
    broadcasts.queue('y', text(1, 'y'))
    expect([takes('a'), takes('b'), takes('b')]).toEqual([['y'], ['y', 'x'], ['y', 'x']])
    expect(broadcasts.size).toBe(1)
  })

  it('gives way to newer news about the same member, which starts anew', () => {
    const broadcasts = new Broadcasts()
    const told: string[] = []
    broadcasts.queue('x', text(1, 'a'), () => told.push('a'))
    broadcasts.queue('y', text(1, 'y'))
    broadcasts.take(100, 2, 9)
    broadcasts.queue('x', text(1, 'b'))
    expect(told).toEqual(['a'])
    expect(shown(broadcasts.take(100, 2, 9))).toEqual(['b', 'y'])
  })

  it('makes room, when there is too much, by dropping what was sent most often', () => {
    const broadcasts = new Broadcasts(2)
    broadcasts.queue('new', text(1, 'a'))
    broadcasts.queue('sent', text(5, 'b'))
    broadcasts.take(7, 2, 9)
    broadcasts.queue('newest', text(1, 'c'))
    expect(shown(broadcasts.take(100, 2, 9))).toEqual(['c', 'a'])
  })

  it('can be forgotten by kind', () => {
    const broadcasts = new Broadcasts()
    broadcasts.queue('x', text(2, 'x'))
    broadcasts.queue('y', text(1, 'y'))
    broadcasts.forget((key, bytes) => key === 'x' && bytes.length === 2)
    expect(shown(broadcasts.take(100, 2, 9))).toEqual(['y'])
  })

  it('never is more than fits into one compound beside its carrier', () => {
    const broadcasts = new Broadcasts()
    for (let i = 0; i < 1000; i++) broadcasts.queue(String(i), text(1, 'a'))
    expect(broadcasts.take(65_000, 2, 9)).toHaveLength(mostTaken)
    expect(mostTaken + 1).toBeLessThanOrEqual(255)
  })

  it('survives that whoever is told that an item is done queues the next', () => {
    const broadcasts = new Broadcasts()
    broadcasts.queue('x', text(2, 'x'), () => broadcasts.queue('y', text(1, 'z')))
    broadcasts.queue('y', text(1, 'y'))
    expect(shown(broadcasts.take(100, 2, 1))).toEqual(['xx', 'y'])
    expect(shown(broadcasts.take(100, 2, 1))).toEqual(['z'])
    expect(broadcasts.size).toBe(0)
  })
})

/** The rule as it is told: everything in order, and of that what fits. */
class Plainly {
  items: { key: string; bytes: Uint8Array; order: number; transmits: number }[] = []
  #order = 0

  queue(key: string, bytes: Uint8Array): void {
    this.items = this.items.filter(item => item.key !== key)
    this.items.push({ key, bytes, order: this.#order++, transmits: 0 })
  }

  take(room: number, overhead: number, limit: number): Uint8Array[] {
    this.items.sort(
      (a, b) => a.transmits - b.transmits || b.bytes.length - a.bytes.length || b.order - a.order,
    )
    const taken: Uint8Array[] = []
    let left = room
    for (const item of this.items) {
      if (item.bytes.length + overhead > left || taken.length === mostTaken) continue
      left -= item.bytes.length + overhead
      taken.push(item.bytes)
      item.transmits++
    }
    this.items = this.items.filter(item => item.transmits < limit)
    return taken
  }
}

it('gives what plain sorting would give, whatever is queued and taken in between', () => {
  const act = fc.oneof(
    fc.record({ key: fc.integer({ min: 0, max: 12 }).map(String), length: fc.integer({ min: 1, max: 9 }) }),
    fc.record({ room: fc.integer({ min: 0, max: 60 }) }),
  )
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), acts => {
      const broadcasts = new Broadcasts()
      const plainly = new Plainly()
      const random = seededRandom(1)
      for (const one of acts) {
        if ('key' in one) {
          const bytes = Uint8Array.from({ length: one.length }, () => Math.floor(random() * 256))
          broadcasts.queue(one.key, bytes)
          plainly.queue(one.key, bytes)
        } else expect(broadcasts.take(one.room, 2, 4)).toEqual(plainly.take(one.room, 2, 4))
        expect(broadcasts.size).toBe(plainly.items.length)
      }
    }),
  )
})
