import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { PatientClock } from './patient-clock.ts'

let clock: PatientClock
let ran: number

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance'],
  })
  clock = new PatientClock()
  ran = 0
})

afterEach(() => {
  vi.useRealTimers()
})

/** Turns of the event loop that pass before the timer runs, with a packet in each of the first `packets`. */
function turns(packets: number): number {
  for (let turn = 1; turn < 100; turn++) {
    if (turn <= packets) clock.arrived()
    vi.advanceTimersToNextTimer()
    if (ran > 0) return turn
  }
  return Number.POSITIVE_INFINITY
}

test('a timer does not run before its time, nor before the sockets were read once', () => {
  clock.after(50, () => ran++)
  vi.advanceTimersByTime(49)
  expect(ran).toBe(0)
  vi.advanceTimersByTime(1)
  expect(turns(0)).toBe(1)
})

test('a timer waits for as long as packets are read, up to a limit', () => {
  clock.after(50, () => ran++)
  vi.advanceTimersToNextTimer()
  expect(turns(3)).toBe(4)
  ran = 0
  clock.after(50, () => ran++)
  vi.advanceTimersToNextTimer()
  expect(turns(1000)).toBe(16)
})

test('a timer that is cancelled by what is read does not run', () => {
  const cancel = clock.after(50, () => ran++)
  vi.advanceTimersToNextTimer()
  cancel()
  expect(turns(0)).toBe(Number.POSITIVE_INFINITY)
  const other = clock.after(50, () => ran++)
  other()
  vi.advanceTimersByTime(1000)
  expect(ran).toBe(0)
})
