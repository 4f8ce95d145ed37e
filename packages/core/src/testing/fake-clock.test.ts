import { expect, it } from 'vitest'
import { FakeClock } from './fake-clock.ts'

it('runs timers in order of time, then of arming, and stands at their time meanwhile', () => {
  const clock = new FakeClock()
  const seen: string[] = []
  clock.after(20, () => seen.push(`late ${clock.now()}`))
  clock.after(10, () => seen.push(`first ${clock.now()}`))
  clock.after(10, () => seen.push(`second ${clock.now()}`))
  clock.advance(15)
  expect(seen).toEqual(['first 10', 'second 10'])
  expect(clock.now()).toBe(15)
  clock.advance(5)
  expect(seen).toEqual(['first 10', 'second 10', 'late 20'])
})

it('runs a timer that a timer armed, when it falls due within the same advance', () => {
  const clock = new FakeClock()
  let ticks = 0
  const tick = (): void => {
    ticks++
    clock.after(10, tick)
  }
  clock.after(10, tick)
  clock.advance(100)
  expect(ticks).toBe(10)
})

it('forgets a cancelled timer', () => {
  const clock = new FakeClock()
  let ran = false
  const cancel = clock.after(10, () => {
    ran = true
  })
  cancel()
  clock.advance(100)
  expect(ran).toBe(false)
  expect(clock.pending).toBe(0)
})

it('wakes late after a freeze: every timer that fell due runs at once, at the new time', () => {
  const clock = new FakeClock()
  const seen: number[] = []
  clock.after(10, () => seen.push(clock.now()))
  clock.after(5000, () => seen.push(clock.now()))
  clock.freeze(1000)
  expect(seen).toEqual([1000])
  expect(clock.date().toISOString()).toBe('2026-01-01T00:00:01.000Z')
})
