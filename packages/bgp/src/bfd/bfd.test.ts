import { FakeClock, MemoryNetwork, seededRandom, settle } from '@carillon/core/testing'
import { expect, test } from 'vitest'
import { Bfd } from './bfd.ts'

test('two sessions with each other come up, and agree on the intervals', async () => {
  const clock = new FakeClock()
  const network = new MemoryNetwork({ clock, random: seededRandom(1) })
  const a = new Bfd({ network: network.host('a', '10.0.0.1'), clock, random: seededRandom(2) })
  const b = new Bfd({ network: network.host('b', '10.0.0.2'), clock, random: seededRandom(3) })
  const s = a.session({ peer: '10.0.0.2' })
  const t = b.session({ peer: '10.0.0.1' })
  await settle()
  await clock.advanceAsync(3000)
  for (const { state, transmitIntervalMs, detectionTimeMs } of [s.status(), t.status()])
    expect({ state, transmitIntervalMs, detectionTimeMs }).toEqual({
      state: 'up',
      transmitIntervalMs: 300,
      detectionTimeMs: 900,
    })
})
