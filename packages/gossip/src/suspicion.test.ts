import { FakeClock } from '@carillon/core/testing'
import { describe, expect, it } from 'vitest'
import { profiles } from './profile.ts'
import { Suspicion, suspicionMs, suspicionTimes } from './suspicion.ts'

const { lan, wan } = profiles

describe('how long a suspicion lasts', () => {
  it('lan, up to ten members: 24 s alone, 11.381 s with one confirmation, 4 s with two', () => {
    const times = suspicionTimes(10, lan)
    expect(times).toEqual({ wanted: 2, minMs: 4000, maxMs: 24_000 })
    expect([0, 1, 2].map(confirmations => suspicionMs(confirmations, times))).toEqual([24_000, 11_381, 4000])
  })

  it.each([
    [50, 6792, 19_325, 40_752],
    [100, 8000, 22_762, 48_000],
    [1000, 12_000, 34_144, 72_000],
  ])('lan, %i members: the logarithm stretches it', (n, minMs, once, maxMs) => {
    const times = suspicionTimes(n, lan)
    expect([0, 1, 2].map(confirmations => suspicionMs(confirmations, times))).toEqual([maxMs, once, minMs])
  })

  it('lasts the minimum from the start where too few others could confirm it', () => {
    expect(suspicionTimes(3, lan)).toMatchObject({ wanted: 0, minMs: 4000 })
    expect(suspicionMs(0, suspicionTimes(3, lan))).toBe(4000)
    expect(suspicionTimes(4, lan).wanted).toBe(2)
    expect(suspicionTimes(5, wan)).toMatchObject({ wanted: 0, minMs: 30_000 })
    expect(suspicionTimes(10, wan)).toEqual({ wanted: 4, minMs: 30_000, maxMs: 180_000 })
  })
})

describe('a suspicion', () => {
  const start = (n: number) => {
    const clock = new FakeClock()
    const ends: number[] = []
    const suspicion = new Suspicion(clock, suspicionTimes(n, lan), 'a', () => ends.push(clock.now()))
    return { clock, ends, suspicion }
  }

  it('that nobody confirms ends at the maximum', () => {
    const { clock, ends } = start(5)
    clock.advance(100_000)
    expect(ends).toEqual([24_000])
  })

  it('is shortened by each new accuser, but not by the first one again', () => {
    const { clock, ends, suspicion } = start(5)
    clock.advance(1000)
    expect(suspicion.confirm('a')).toBe(false)
    expect(suspicion.confirm('b')).toBe(true)
    expect(suspicion.confirm('b')).toBe(false)
    clock.advance(100_000)
    expect(ends).toEqual([11_381])
  })

  it('ends at once when it has lasted longer already than what is left to it', () => {
    const { clock, ends, suspicion } = start(5)
    clock.advance(9000)
    suspicion.confirm('b')
    suspicion.confirm('c')
    clock.advance(0)
    expect(ends).toEqual([9000])
  })

  it('takes no more confirmations than it wants, so that they are not passed on for ever', () => {
    const { suspicion } = start(5)
    expect(['b', 'c', 'd'].map(accuser => suspicion.confirm(accuser))).toEqual([true, true, false])
  })

  it('that is called off never ends', () => {
    const { clock, ends, suspicion } = start(3)
    suspicion.cancel()
    clock.advance(100_000)
    expect(ends).toEqual([])
  })
})
