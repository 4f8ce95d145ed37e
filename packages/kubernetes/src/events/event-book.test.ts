import { describe, expect, it } from 'vitest'
import { defaultEventBook, EventBook } from './event-book.ts'
import type { EventNote } from './note.ts'

const note = (message: string, over: Partial<EventNote> = {}): EventNote => ({
  about: { apiVersion: 'v1', kind: 'Service', namespace: 'default', name: 'web', uid: 'u' },
  type: 'Normal',
  reason: 'IPAllocated',
  message,
  ...over,
})

const other = (i: number): EventNote =>
  note('x', { about: { apiVersion: 'v1', kind: 'Service', namespace: 'default', name: `web-${i}` } })

const date = (ms: number): Date => new Date(Date.UTC(2026, 0, 1) + ms)

describe('an event book', () => {
  it('counts what is said again, until it has not been said for ten minutes', () => {
    const book = new EventBook()
    const first = book.take(note('x'), 0, date(0))
    expect(first).toMatchObject({ count: 1, first: date(0), last: date(0) })
    expect(book.take(note('x'), 600_000, date(600_000))).toMatchObject({
      id: first?.id,
      count: 2,
      first: date(0),
      last: date(600_000),
    })
    const later = book.take(note('x'), 1_200_001, date(1_200_001))
    expect(later).toMatchObject({ count: 1, first: date(1_200_001) })
    expect(later?.id).not.toBe(first?.id)
  })

  it('tells many messages of one kind as one', () => {
    const book = new EventBook()
    const told = Array.from({ length: 13 }, (_, i) => book.take(note(`port ${i}`), i, date(i)))
    expect(told.slice(0, 10).map(series => series?.note.message)).toEqual(
      Array.from({ length: 10 }, (_, i) => `port ${i}`),
    )
    expect(told[12]).toMatchObject({ count: 3, note: { message: '(combined from similar events)' } })
    // One that was told by itself is still counted by itself.
    expect(book.take(note('port 3'), 20, date(20))).toMatchObject({ count: 2, note: { message: 'port 3' } })
  })

  it('says no more than 25 times something of one object, and then once in five minutes', () => {
    const book = new EventBook()
    const said = (now: number): boolean => book.take(note('x'), now, date(now)) !== undefined
    expect(Array.from({ length: 30 }, () => said(0)).filter(Boolean)).toHaveLength(25)
    expect([said(299_999), said(300_000), said(300_001)]).toEqual([false, true, false])
    // What was held back is counted.
    expect(book.take(note('x'), 600_000, date(0))?.count).toBe(34)
  })

  it('says no more than 50 things at once in all, but never keeps silent on a warning for the sake of good news', () => {
    const book = new EventBook()
    const said = Array.from({ length: 10_000 }, (_, i) => book.take(other(i), 0, date(0)))
    expect(said.filter(Boolean)).toHaveLength(50)
    expect(book.take(note('full', { type: 'Warning' }), 0, date(0))).toMatchObject({ count: 1 })
    const later = Array.from({ length: 10 }, (_, i) => book.take(other(20_000 + i), 1000, date(1000)))
    expect(later.filter(Boolean)).toHaveLength(5)
  })

  it('remembers only so much', () => {
    const book = new EventBook({ ...defaultEventBook, capacity: 2, totalBurst: 100 })
    book.take(other(1), 0, date(0))
    book.take(other(2), 0, date(0))
    book.take(other(3), 0, date(0))
    expect(book.take(other(1), 1, date(1))?.count).toBe(1)
    expect(book.take(other(3), 1, date(1))?.count).toBe(2)
  })
})
