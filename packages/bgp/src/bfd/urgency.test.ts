import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { computedMs } from './computed.ts'
import { keepUrgent } from './urgency.ts'

/** Milliseconds that the thread has computed. */
let active: number
let asked: boolean[]

beforeEach(() => {
  active = 0
  asked = []
  vi.useFakeTimers({ toFake: ['setInterval', 'performance'] })
})

afterEach(() => {
  vi.useRealTimers()
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
  expect(keepUrgent(ask, () => active)).toBe('realtime')
  for (let i = 0; i < 10; i++) second(400)
  expect(asked).toEqual([true])
})

test('a thread that computes for half of the time is urgent again once that is over', () => {
  keepUrgent(ask, () => active)
  second(600)
  expect(asked).toEqual([true, false])
  second(900)
  second(300)
  expect(asked).toEqual([true, false])
  second(200)
  expect(asked).toEqual([true, false, true])
})

test('what counts is for how long a processor ran the thread', () => {
  const before = computedMs()
  expect(before).toBeGreaterThan(0)
  let sum = 0
  for (let i = 0; i < 2_000_000; i++) sum += Math.sqrt(i)
  expect(sum).toBeGreaterThan(0)
  expect(computedMs()).toBeGreaterThan(before)
})
