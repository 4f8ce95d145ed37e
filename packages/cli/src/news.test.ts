import type { SpeakerEvent } from '@carillon/core'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { News } from './news.ts'

const event = (message: string): SpeakerEvent => ({
  at: '2026-01-01T00:00:00.000Z',
  type: 'announced',
  message,
})

it('tells every event once, also when older ones have been forgotten, and several are the same', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.constantFrom('a', 'b'), { maxLength: 4 }), { minLength: 1 }),
      fc.integer({ min: 9, max: 12 }),
      (batches, capacity) => {
        const news = new News()
        const all: SpeakerEvent[] = []
        const heard = batches.flatMap((batch, at) => {
          // What tells events apart is their time: here only some of them differ.
          all.push(...batch.map(text => ({ ...event(text), address: `${at}` })))
          return news.of({ startedAt: 'then', events: all.slice(-capacity) })
        })
        expect(heard).toEqual(all)
      },
    ),
  )
})

it('tells everything of a speaker that was started anew', () => {
  const news = new News()
  expect(news.of({ startedAt: '1', events: [event('a')] })).toHaveLength(1)
  expect(news.of({ startedAt: '2', events: [event('a')] })).toHaveLength(1)
  expect(news.of({ startedAt: '2', events: [event('a')] })).toEqual([])
})
