import { performance } from 'node:perf_hooks'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { keepUrgent } from './urgency.ts'

/** Milliseconds that the thread has computed. */
let active: number
let asked: boolean[]

beforeEach(() => {
  active = 0
  asked = []
  vi.useFakeTimers({ toFake: ['setInterval'] })
  vi.spyOn(performance, 'eventLoopUtilization').mockImplementation((now, before) =>
    now && before
      ? { active: 0, idle: 0, utilization: (now.active - before.active) / 1000 }
      : { active, idle: 0, utilization: 0 },
  )
})

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** A second in which the thread computes for so many milliseconds. */
function second(computes: number): void {
  active += computes
  vi.advanceTimersByTime(1000)
}

const ask = (urgent: boolean): string => {
  asked.push(urgent)
  return 'realtime'
}

test('a thread that has little to do is urgent all the time', () => {
  expect(keepUrgent(ask)).toBe('realtime')
  for (let i = 0; i < 10; i++) second(400)
  expect(asked).toEqual([true])
})

test('a thread that computes for half of the time is urgent again once that is over', () => {
  keepUrgent(ask)
  second(600)
  expect(asked).toEqual([true, false])
  second(900)
  second(300)
  expect(asked).toEqual([true, false])
  second(200)
  expect(asked).toEqual([true, false, true])
})
