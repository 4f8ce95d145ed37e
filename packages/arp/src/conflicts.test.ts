import type { AddressConflict } from '@carillon/core'
import { FakeClock } from '@carillon/core/testing'
import { describe, expect, it } from 'vitest'
import { CONFLICT_OVER_MS, ConflictWatch, DEFEND_INTERVAL_MS } from './conflicts.ts'
import { OwnedAddress } from './owned.ts'

const world = (graceMs = 1000) => {
  const clock = new FakeClock()
  const reported: [at: number, mac: string][] = []
  const over: number[] = []
  const watch = new ConflictWatch(clock, graceMs, {
    reported: (_, { mac }: AddressConflict) => reported.push([clock.now(), mac]),
    over: () => over.push(clock.now()),
  })
  const owned = new OwnedAddress('10.0.0.1', 'all')
  const claim = (mac = 'm1'): void => watch.claim(owned, 'eth0', () => mac)
  return { clock, watch, owned, claim, reported, over }
}

describe('the conflict watch', () => {
  it('reports a claim that outlives the grace', () => {
    const { clock, claim, reported, watch, owned } = world()
    claim()
    clock.advance(999)
    expect(reported).toEqual([])
    expect(watch.of(owned)).toBeUndefined()
    clock.advance(1)
    expect(reported).toEqual([[1000, 'm1']])
    expect(watch.of(owned)).toEqual({ address: '10.0.0.1', interface: 'eth0', mac: 'm1' })
  })

  it('takes a claim for a handover when we give the address up within the grace', () => {
    const { clock, claim, reported, watch, owned } = world()
    claim()
    clock.advance(300)
    watch.release(owned)
    clock.advance(120_000)
    expect(reported).toEqual([])
    expect(clock.pending).toBe(0)
  })

  it('speaks of a storm of claims once in ten seconds, each time of the latest station', () => {
    const { clock, claim, reported } = world()
    for (let ms = 0; ms <= 25_000; ms += 10) {
      claim(ms < 5000 ? 'm1' : 'm2')
      clock.advance(10)
    }
    expect(reported).toEqual([
      [1000, 'm1'],
      [1000 + DEFEND_INTERVAL_MS, 'm2'],
      [1000 + 2 * DEFEND_INTERVAL_MS, 'm2'],
    ])
    expect(clock.pending).toBe(1)
  })

  it('ends a conflict a minute after the last claim, and reports a new one afresh', () => {
    const { clock, claim, reported, over, watch, owned } = world()
    claim()
    clock.advance(1000)
    clock.advance(5000)
    claim()
    clock.advance(CONFLICT_OVER_MS)
    expect(over).toEqual([6000 + CONFLICT_OVER_MS])
    expect(watch.of(owned)).toBeUndefined()
    claim('m3')
    clock.advance(1000)
    expect(reported.at(-1)).toEqual([67_000, 'm3'])
  })
})
