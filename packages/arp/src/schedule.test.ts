import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Schedule } from './schedule.ts'

const usual = { rounds: 5, intervalMs: 1100, refreshMs: 0 }

/** Times at which one item is announced, woken exactly when it asks to be. */
const timesOf = (schedule: Schedule<string>, until: number): number[] => {
  const times: number[] = []
  for (let at = schedule.next(); at !== undefined && at <= until; at = schedule.next()) {
    for (const _ of schedule.take(at, 10)) times.push(at)
  }
  return times
}

describe('the schedule', () => {
  it('announces five times in 4.4 seconds, then is silent', () => {
    const schedule = new Schedule<string>(usual)
    schedule.trigger('a', 100)
    expect(timesOf(schedule, 60_000)).toEqual([100, 1200, 2300, 3400, 4500])
    expect(schedule.next()).toBeUndefined()
  })

  it('goes on slowly where a refresh is asked for', () => {
    const schedule = new Schedule<string>({ rounds: 2, intervalMs: 1000, refreshMs: 30_000 })
    schedule.trigger('a', 0)
    expect(timesOf(schedule, 70_000)).toEqual([0, 1000, 31_000, 61_000])
  })

  it('starts over when triggered again', () => {
    const schedule = new Schedule<string>(usual)
    schedule.trigger('a', 0)
    schedule.take(0, 10)
    schedule.trigger('a', 500)
    expect(timesOf(schedule, 60_000)).toEqual([500, 1600, 2700, 3800, 4900])
  })

  it('says nothing more for what was cancelled', () => {
    const schedule = new Schedule<string>(usual)
    schedule.trigger('a', 0)
    schedule.cancel('a')
    expect(schedule.next()).toBeUndefined()
  })

  it('gives every item its turn before any a second one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 10 }), (count, limit) => {
        const schedule = new Schedule<number>(usual)
        for (let i = 0; i < count; i++) schedule.trigger(i, 0)
        const first: number[] = []
        while (first.length < count) first.push(...schedule.take(0, limit))
        expect(first).toEqual(Array.from({ length: count }, (_, i) => i))
        expect(schedule.take(0, limit)).toEqual([])
      }),
    )
  })

  it('does not make up for rounds that the process slept through', () => {
    const schedule = new Schedule<string>(usual)
    schedule.trigger('a', 0)
    schedule.take(0, 10)
    expect(schedule.take(60_000, 10)).toEqual(['a'])
    expect(schedule.next()).toBe(60_000)
    schedule.take(60_000, 10)
    expect(schedule.next()).toBe(61_100)
  })
})
