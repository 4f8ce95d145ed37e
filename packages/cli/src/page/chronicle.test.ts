import { MemorySource, noMetrics, Speaker, type SpeakerEvent } from '@carillon/core'
import { FakeClock, MemoryNetwork, RecordingLogger, seededRandom } from '@carillon/core/testing'
import { expect, it } from 'vitest'
import { Chronicle } from './chronicle.ts'
import type { Subscription } from './subscription.ts'

/** A speaker to which happens what the test says. */
class Stage {
  readonly clock = new FakeClock()
  readonly speaker = new Speaker({
    node: 'node-a',
    source: new MemorySource([]),
    announcers: [],
    clock: this.clock,
    network: new MemoryNetwork({ clock: this.clock, random: seededRandom(1) }).host('node-a', '10.0.0.1'),
    log: new RecordingLogger(),
    metrics: noMetrics,
    random: seededRandom(1),
    version: '0.0.0',
    standalone: true,
  })
  readonly chronicle = new Chronicle({
    speaker: this.speaker,
    clock: this.clock,
    epoch: 'x',
    capacity: 5,
    readers: 2,
  })
  #count = 0

  happen(times = 1): void {
    for (let i = 0; i < times; i++) {
      const event: SpeakerEvent = { at: 'then', type: 'announced', message: `${++this.#count}` }
      this.speaker.events.emit('speaker:event', event)
    }
  }
}

/** The ids of all that there is to take. */
function take(reader: Subscription | undefined): readonly string[] {
  const ids: string[] = []
  for (let text = reader?.take(); text !== undefined; text = reader?.take()) {
    const id = /^id: (\S+)$/m.exec(text)?.[1]
    if (id !== undefined) ids.push(id)
  }
  return ids
}

it('tells a reader whom it hears, then everything once, and wakes it once for many events', () => {
  const { chronicle, clock, happen } = bound(new Stage())
  happen(2)
  let woken = 0
  const reader = chronicle.subscribe(undefined, () => woken++)
  expect(reader?.take()).toMatch(/^event: speaker\ndata: \{"node":"node-a","startedAt":"2026-/)
  expect(take(reader)).toEqual(['x-1', 'x-2'])
  happen(3)
  clock.advance(50)
  expect(woken).toBe(1)
  expect(take(reader)).toEqual(['x-3', 'x-4', 'x-5'])
  expect(take(reader)).toEqual([])
})

it('goes on where a reader was that comes back, and begins anew for one that comes from another process', () => {
  const { chronicle, happen } = bound(new Stage())
  happen(4)
  expect(take(chronicle.subscribe('x-3', () => {}))).toEqual(['x-4'])
  const other = chronicle.subscribe('y-3', () => {})
  expect(take(other)).toEqual(['x-1', 'x-2', 'x-3', 'x-4'])
  expect(chronicle.subscribe('x-4', () => {})).toBeUndefined()
  if (other) chronicle.unsubscribe(other)
  expect(take(chronicle.subscribe('nonsense', () => {}))).toEqual(['x-1', 'x-2', 'x-3', 'x-4'])
})

it('keeps so many at least, lets a reader go that is further behind, and gives it what is left when it comes back', () => {
  const { chronicle, happen } = bound(new Stage())
  const reader = chronicle.subscribe(undefined, () => {})
  happen(4)
  expect(take(reader)).toEqual(['x-1', 'x-2', 'x-3', 'x-4'])
  happen(30)
  expect(reader?.lost).toBe(true)
  const kept = take(chronicle.subscribe('x-4', () => {}))
  expect(kept.length).toBeGreaterThanOrEqual(5)
  expect(kept.length).toBeLessThan(10)
  expect(kept.at(-1)).toBe('x-34')
})

/** A stage whose parts can be taken out of it. */
const bound = (stage: Stage): Pick<Stage, 'chronicle' | 'clock' | 'happen'> => ({
  chronicle: stage.chronicle,
  clock: stage.clock,
  happen: times => stage.happen(times),
})
