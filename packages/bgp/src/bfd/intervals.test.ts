import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { detectionTime, jittered, transmitInterval } from './intervals.ts'

const offer = (desiredMinTxMs: number, requiredMinRxMs: number) => ({ desiredMinTxMs, requiredMinRxMs })
const interval = fc.integer({ min: 10, max: 60_000 })
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

describe('intervals', () => {
  it('of sending are what we wish, or slower if the peer wants them so', () => {
    expect(transmitInterval(offer(50, 300), offer(1000, 20))).toBe(50)
    expect(transmitInterval(offer(50, 300), offer(10, 100))).toBe(100)
  })

  it('of sending to a peer not heard yet are what we wish', () => {
    expect(transmitInterval(offer(1000, 50), undefined)).toBe(1000)
  })

  it('do not exist for a peer that wants no packets', () => {
    expect(transmitInterval(offer(50, 50), offer(50, 0))).toBeUndefined()
  })

  it('of detection are the peer’s multiplier of what both can do', () => {
    expect(detectionTime(offer(10, 50), offer(20, 10), 3)).toBe(150)
    expect(detectionTime(offer(10, 20), offer(300, 10), 5)).toBe(1500)
  })

  it('are shortened by 0 to 25 %, with a millisecond to spare for a late timer', () => {
    fc.assert(
      fc.property(interval, fc.integer({ min: 2, max: 255 }), random, (ms, multiplier, drawn) => {
        const got = jittered(ms, multiplier, drawn)
        expect(got).toBeGreaterThanOrEqual(0.75 * ms)
        expect(got).toBeLessThanOrEqual(ms - 1)
      }),
    )
    expect(jittered(300, 3, 0)).toBe(225)
    expect(jittered(300, 3, 1)).toBe(299)
  })

  it('are shortened by 10 to 25 % where a single loss ends the session', () => {
    fc.assert(
      fc.property(interval, random, (ms, drawn) => {
        const got = jittered(ms, 1, drawn)
        expect(got).toBeGreaterThanOrEqual(0.75 * ms)
        expect(got).toBeLessThanOrEqual(0.9 * ms)
      }),
    )
    expect(jittered(300, 1, 1)).toBe(269)
  })
})
