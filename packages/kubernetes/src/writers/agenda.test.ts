import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Agenda, type AgendaConfig } from './agenda.ts'

const config: AgendaConfig = {
  concurrency: 2,
  intervalMs: 0,
  backOffMs: 100,
  maxBackOffMs: 1000,
  random: () => 0,
}

const started = (agenda: Agenda<string>, now: number): readonly string[] => {
  const found: string[] = []
  for (let task = agenda.next(now); task; task = agenda.next(now)) found.push(`${task.key}=${task.desire}`)
  return found
}

describe('an agenda', () => {
  it('starts what is wanted in its order, a few at a time', () => {
    const agenda = new Agenda<string>(config)
    for (const key of ['a', 'b', 'c']) agenda.want(key, '1', 0)
    expect(started(agenda, 0)).toEqual(['a=1', 'b=1'])
    expect(agenda.wakeAt()).toBeUndefined()
    agenda.ended('a', '1', { type: 'done' }, 5)
    expect(started(agenda, 5)).toEqual(['c=1'])
  })

  it('forgets an older desire that was not begun, and comes back to one that was', () => {
    const agenda = new Agenda<string>(config)
    agenda.want('a', '1', 0)
    agenda.want('a', '2', 0)
    expect(started(agenda, 0)).toEqual(['a=2'])
    agenda.want('a', '3', 1)
    // One at a time for each key.
    expect(started(agenda, 1)).toEqual([])
    agenda.ended('a', '2', { type: 'done' }, 2)
    expect(started(agenda, 2)).toEqual(['a=3'])
    agenda.ended('a', '3', { type: 'done' }, 3)
    expect(agenda.size).toBe(0)
  })

  it('does nothing for what is wanted no longer', () => {
    const agenda = new Agenda<string>(config)
    agenda.want('a', '1', 0)
    agenda.drop('a')
    expect([agenda.size, started(agenda, 0)]).toEqual([0, []])
    agenda.want('a', '2', 0)
    started(agenda, 0)
    agenda.drop('a')
    expect([agenda.size, agenda.desired('a')]).toEqual([0, undefined])
    agenda.want('a', '3', 1)
    expect([agenda.desired('a'), started(agenda, 1)]).toEqual(['3', []])
    agenda.ended('a', '2', { type: 'again' }, 2)
    expect(started(agenda, 60)).toEqual(['a=3'])
  })

  it('tries again what failed, later each time, while the others go on', () => {
    const agenda = new Agenda<string>(config)
    agenda.want('a', '1', 0)
    const pauses: number[] = []
    let now = 0
    for (let i = 0; i < 6; i++) {
      expect(started(agenda, now)).toEqual(['a=1'])
      agenda.ended('a', '1', { type: 'again' }, now)
      const next = agenda.wakeAt() as number
      pauses.push(next - now)
      now = next
    }
    expect(pauses).toEqual([50, 100, 200, 400, 500, 500])
    agenda.want('b', '1', now - 1)
    expect(started(agenda, now - 1)).toEqual(['b=1'])
  })

  it('makes one attempt at a time while nothing works, and all of them once something does', () => {
    const agenda = new Agenda<string>({ ...config, concurrency: 10 })
    for (const key of ['a', 'b', 'c']) agenda.want(key, '1', 0)
    expect(started(agenda, 0)).toHaveLength(3)
    for (const key of ['a', 'b', 'c']) agenda.ended(key, '1', { type: 'away' }, 0)
    expect([agenda.away, started(agenda, 0)]).toEqual([true, []])
    const at = agenda.wakeAt() as number
    expect(started(agenda, at)).toEqual(['a=1'])
    agenda.ended('a', '1', { type: 'away', ms: 5000 }, at)
    expect(agenda.wakeAt()).toBe(at + 5000)
    expect(started(agenda, at + 5000)).toEqual(['b=1'])
    agenda.ended('b', '1', { type: 'done' }, at + 5000)
    expect(started(agenda, at + 5000)).toEqual(['c=1', 'a=1'])
  })

  it('leaves time between two writes for one key', () => {
    const agenda = new Agenda<string>({ ...config, intervalMs: 1000 })
    agenda.want('a', '1', 0)
    started(agenda, 0)
    agenda.want('a', '2', 10)
    agenda.ended('a', '1', { type: 'done' }, 20)
    expect(started(agenda, 999)).toEqual([])
    expect([agenda.wakeAt(), started(agenda, 1000)]).toEqual([1000, ['a=2']])
    agenda.ended('a', '2', { type: 'done' }, 1001)
    agenda.want('a', '3', 1500)
    expect(agenda.wakeAt()).toBe(2000)
    agenda.drop('a')
    agenda.want('a', '4', 5000)
    expect(started(agenda, 5000)).toEqual(['a=4'])
  })

  it('ends with the newest desire written for every key, whatever fails on the way', () => {
    const keys = fc.constantFrom('a', 'b', 'c')
    const deeds = fc.oneof(
      fc.record({ do: fc.constant('want' as const), key: keys }),
      fc.record({ do: fc.constant('drop' as const), key: keys }),
      fc.record({
        do: fc.constant('end' as const),
        outcome: fc.constantFrom('done' as const, 'again' as const, 'away' as const),
      }),
      fc.record({ do: fc.constant('wait' as const), ms: fc.nat(2000) }),
    )
    fc.assert(
      fc.property(fc.array(deeds), fc.constantFrom(0, 300), (steps, intervalMs) => {
        const agenda = new Agenda<number>({ ...config, intervalMs, random: () => 0.5 })
        const wanted = new Map<string, number>()
        const written = new Map<string, number>()
        const running: { readonly key: string; readonly desire: number }[] = []
        let now = 0
        let desire = 0
        const start = (): void => {
          for (let task = agenda.next(now); task; task = agenda.next(now)) running.push(task)
          expect(new Set(running.map(({ key }) => key)).size).toBe(running.length)
          expect(running.length).toBeLessThanOrEqual(config.concurrency)
        }
        const end = (type: 'done' | 'again' | 'away'): void => {
          const task = running.shift()
          if (!task) return
          if (type === 'done') written.set(task.key, task.desire)
          agenda.ended(task.key, task.desire, { type }, now)
        }
        for (const step of steps) {
          if (step.do === 'wait') now += step.ms
          else if (step.do === 'end') end(step.outcome)
          else if (step.do === 'want') {
            agenda.want(step.key, ++desire, now)
            wanted.set(step.key, desire)
          } else {
            agenda.drop(step.key)
            wanted.delete(step.key)
          }
          start()
        }
        for (let i = 0; i < 100 && (agenda.size > 0 || running.length > 0); i++) {
          end('done')
          now = Math.max(now, agenda.wakeAt() ?? now)
          start()
        }
        expect(agenda.size).toBe(0)
        for (const [key, newest] of wanted) expect(written.get(key)).toBe(newest)
      }),
    )
  })
})
