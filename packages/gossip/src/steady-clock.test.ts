import { FakeClock } from '@carillon/core/testing'
import { expect, it } from 'vitest'
import { SteadyClock } from './steady-clock.ts'

it('runs timers as the clock does while the process runs', () => {
  const clock = new FakeClock()
  const steady = new SteadyClock(clock, 50, 30)
  const ran: number[] = []
  steady.after(100, () => ran.push(steady.now()))
  const cancel = steady.after(150, () => ran.push(steady.now()))
  clock.advance(120)
  cancel()
  clock.advance(120)
  expect(ran).toEqual([100])
  expect(steady.now()).toBe(240)
})

it('stands still while the process does, and gives it a moment to read what has arrived', () => {
  const clock = new FakeClock()
  const stalls: number[] = []
  const steady = new SteadyClock(clock, 50, 30, ms => stalls.push(ms))
  const ran: string[] = []
  steady.after(100, () => ran.push('first'))
  steady.after(400, () => ran.push('second'))
  clock.freeze(1100)
  expect(stalls).toEqual([1000])
  expect(ran).toEqual([])
  clock.advance(30)
  expect(ran).toEqual(['first'])
  clock.advance(299)
  expect(ran).toEqual(['first'])
  clock.advance(1)
  expect(ran).toEqual(['first', 'second'])
})

it('runs a timer that by rounding is due a moment later, and does not wait for that moment, which may never come', () => {
  let now = 0
  let armed = 0
  let due = (): void => {}
  const coarse = {
    now: () => now,
    date: () => new Date(0),
    after: (_: number, run: () => void) => {
      armed++
      due = run
      return () => {}
    },
  }
  let ran = false
  new SteadyClock(coarse, 50, 30).after(0.3, () => {
    ran = true
  })
  now = 0.3 - 2 ** -52
  due()
  expect([ran, armed]).toEqual([true, 1])
})
