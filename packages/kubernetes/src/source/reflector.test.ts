import { CarillonError, type TimerEvent } from '@carillon/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  initialReflector,
  Reflector,
  type ReflectorConfig,
  type ReflectorEvent,
  type ReflectorOutput,
  type ReflectorState,
} from './reflector.ts'

const config: ReflectorConfig = {
  whenMissing: 'wait',
  whenForbidden: 'wait',
  pageSize: 500,
  watchMs: 240_000,
  silenceMs: 150_000,
  backOffMs: 800,
  maxBackOffMs: 30_000,
  random: () => 0,
}

const error = (code: string, retryAfterMs?: number): CarillonError =>
  new CarillonError(code, code, retryAfterMs === undefined ? {} : { retryAfterMs })

/** A reflector on a table: events in, outputs and timers out. */
class Bench {
  state: ReflectorState = initialReflector
  readonly timers = new Map<string, number>()
  #now = 0
  readonly #reflector: Reflector

  constructor(overrides: Partial<ReflectorConfig> = {}) {
    this.#reflector = new Reflector({ ...config, ...overrides })
  }

  give(event: ReflectorEvent | TimerEvent, later = 0): readonly ReflectorOutput[] {
    this.#now += later
    const [next, ...effects] = this.#reflector.step(this.state, event, this.#now)
    this.state = next
    const outputs: ReflectorOutput[] = []
    for (const effect of effects) {
      if (effect.do === 'emit') outputs.push(effect.output)
      else if (effect.do === 'arm') this.timers.set(effect.timer, effect.ms)
      else this.timers.delete(effect.timer)
    }
    return outputs
  }

  /** Lets a timer run out. */
  expire(timer: string): readonly ReflectorOutput[] {
    const ms = this.timers.get(timer)
    if (ms === undefined) throw new Error(`${timer} is not armed`)
    this.timers.delete(timer)
    return this.give({ type: 'timer', timer }, ms)
  }

  /** Up to an open watch. */
  watching(resourceVersion = '10'): this {
    this.give({ type: 'start' })
    this.give({ type: 'page', resourceVersion })
    this.give({ type: 'opened' })
    return this
  }
}

describe('a reflector', () => {
  it('lists in pages, and watches from where the list was', () => {
    const bench = new Bench()
    expect(bench.give({ type: 'start' })).toEqual([{ do: 'list', limit: 500 }])
    expect(bench.give({ type: 'page', resourceVersion: '10', continue: 'x' })).toEqual([
      { do: 'list', limit: 500, continue: 'x' },
    ])
    expect(bench.state.synced).toBe(false)
    expect(bench.give({ type: 'page', resourceVersion: '10' })).toEqual([
      { do: 'commit' },
      { do: 'watch', resourceVersion: '10', timeoutSeconds: 240 },
    ])
    expect(bench.state.synced).toBe(true)
  })

  it('goes on from the last version that it heard of when the server ends the watch', () => {
    const bench = new Bench().watching()
    bench.give({ type: 'progress', resourceVersion: '17', bookmark: false }, 10)
    expect(bench.give({ type: 'ended' }, 240_000)).toEqual([
      { do: 'watch', resourceVersion: '17', timeoutSeconds: 240 },
    ])
    expect(bench.state.failing).toBeUndefined()
  })

  it('does not ask again at once where watches end before they have begun', () => {
    const bench = new Bench().watching()
    expect(bench.give({ type: 'ended' }, 5)).toEqual([])
    expect(bench.timers.get('retry')).toBe(400)
    expect(bench.expire('retry')).toEqual([{ do: 'watch', resourceVersion: '10', timeoutSeconds: 240 }])
  })

  it('makes a new list when its version is too old, and only then', () => {
    const bench = new Bench().watching()
    expect(bench.give({ type: 'failed', error: error('API_GONE') })).toEqual([{ do: 'list', limit: 500 }])
    bench.give({ type: 'page', resourceVersion: '90' })
    bench.give({ type: 'opened' })
    bench.give({ type: 'failed', error: error('API_UNREACHABLE') })
    expect(bench.expire('retry')).toEqual([{ do: 'watch', resourceVersion: '90', timeoutSeconds: 240 }])
  })

  it('asks for the list as a whole where its pages grow too old before the last', () => {
    const bench = new Bench()
    bench.give({ type: 'start' })
    for (const limit of [{ limit: 500 }, {}]) {
      bench.give({ type: 'page', resourceVersion: '10', continue: 'x' })
      expect(bench.give({ type: 'failed', error: error('API_GONE') })).toEqual([{ do: 'list', ...limit }])
    }
    // What goes on like that is a failure.
    expect(bench.give({ type: 'failed', error: error('API_GONE') })).toMatchObject([{ do: 'failing' }])
    expect(bench.expire('retry')).toEqual([{ do: 'list' }])
    expect(bench.give({ type: 'page', resourceVersion: '11' })).toMatchObject([
      { do: 'commit' },
      { do: 'recovered' },
      { do: 'watch' },
    ])
  })

  it('waits longer after each failure, up to half a minute, for a random part of it', () => {
    const pauses = (random: number): readonly (number | undefined)[] => {
      const bench = new Bench({ random: () => random }).watching()
      return Array.from({ length: 8 }, () => {
        bench.give({ type: 'failed', error: error('API_UNREACHABLE') })
        const pause = bench.timers.get('retry')
        bench.expire('retry')
        return pause
      })
    }
    expect(pauses(0)).toEqual([400, 800, 1600, 3200, 6400, 12_800, 15_000, 15_000])
    expect(pauses(0.5)).toEqual([600, 1200, 2400, 4800, 9600, 19_200, 22_500, 22_500])
  })

  it('stays away for as long as it is asked to', () => {
    const bench = new Bench().watching()
    bench.give({ type: 'failed', error: error('API_BUSY', 20_000) })
    expect(bench.timers.get('retry')).toBe(20_000)
  })

  it('tells since when it fails, and that it has recovered once a watch is open again', () => {
    const bench = new Bench().watching()
    bench.give({ type: 'failed', error: error('API_UNREACHABLE') })
    bench.expire('retry')
    bench.give({ type: 'failed', error: error('API_TIMEOUT') }, 30_000)
    expect(bench.state.failing).toMatchObject({ since: 0, attempts: 2, error: { code: 'API_TIMEOUT' } })
    bench.expire('retry')
    expect(bench.give({ type: 'opened' })).toEqual([{ do: 'recovered', afterMs: 31_200, attempts: 2 }])
    expect(bench.state.failing).toBeUndefined()
    bench.give({ type: 'failed', error: error('API_UNREACHABLE') })
    expect(bench.timers.get('retry')).toBe(400)
  })

  it('gives up a watch that fell silent although bookmarks came', () => {
    const bench = new Bench().watching()
    bench.give({ type: 'progress', resourceVersion: '11', bookmark: true }, 60_000)
    // 150 s after the start it is only 90 s since the bookmark.
    expect(bench.give({ type: 'timer', timer: 'silence' }, 90_000)).toEqual([])
    expect(bench.give({ type: 'timer', timer: 'silence' }, 60_000)).toEqual([
      { do: 'abandon' },
      { do: 'watch', resourceVersion: '11', timeoutSeconds: 240 },
    ])
  })

  it('gives up a watch that the server should have ended', () => {
    const bench = new Bench().watching()
    expect(bench.expire('silence')).toEqual([])
    expect(bench.timers.get('silence')).toBe(105_000)
    expect(bench.expire('silence')).toMatchObject([{ do: 'abandon' }, { do: 'watch' }])
  })

  it('takes a kind that is missing for one without objects only where that is harmless, and looks again', () => {
    const missing = error('API_NO_SUCH_RESOURCE')
    const waiting = new Bench()
    waiting.give({ type: 'start' })
    expect(waiting.give({ type: 'failed', error: missing })).toMatchObject([{ do: 'failing' }])
    expect(waiting.state.synced).toBe(false)
    const harmless = new Bench({ whenMissing: 'none' })
    harmless.give({ type: 'start' })
    expect(harmless.give({ type: 'failed', error: missing })).toMatchObject([
      { do: 'none' },
      { do: 'failing' },
    ])
    expect(harmless.state.synced).toBe(true)
    expect(harmless.timers.get('retry')).toBe(2500)
    expect(harmless.expire('retry')).toEqual([{ do: 'list', limit: 500 }])
    expect(harmless.give({ type: 'failed', error: missing })).toMatchObject([{ do: 'failing', attempts: 2 }])
  })

  it('never takes objects that it knew for gone because the kind is missing now', () => {
    const bench = new Bench({ whenMissing: 'none' }).watching()
    expect(bench.give({ type: 'failed', error: error('API_NO_SUCH_RESOURCE') })).toMatchObject([
      { do: 'failing' },
    ])
    // A watch of a kind that was made anew would tell of nothing.
    expect(bench.expire('retry')).toEqual([{ do: 'list', limit: 500 }])
  })

  it('makes a new list when asked to, whatever it is doing', () => {
    const watching = new Bench().watching()
    expect(watching.give({ type: 'refresh' })).toEqual([{ do: 'abandon' }, { do: 'list', limit: 500 }])
    const listing = new Bench()
    listing.give({ type: 'start' })
    expect(listing.give({ type: 'refresh' })).toEqual([])
    expect(listing.give({ type: 'page', resourceVersion: '5' })).toEqual([
      { do: 'commit' },
      { do: 'list', limit: 500 },
    ])
    const waiting = new Bench().watching()
    waiting.give({ type: 'failed', error: error('API_UNREACHABLE') })
    expect(waiting.give({ type: 'refresh' })).toEqual([])
    expect(waiting.expire('retry')).toEqual([{ do: 'list', limit: 500 }])
  })

  it('always has something under way or a timer that runs, and never two requests', () => {
    const events: fc.Arbitrary<ReflectorEvent> = fc.oneof(
      fc.constant<ReflectorEvent>({ type: 'refresh' }),
      fc.constant<ReflectorEvent>({ type: 'opened' }),
      fc.constant<ReflectorEvent>({ type: 'ended' }),
      fc.boolean().map(
        (more): ReflectorEvent => ({
          type: 'page',
          resourceVersion: '1',
          ...(more ? { continue: 'x' } : {}),
        }),
      ),
      fc.boolean().map((bookmark): ReflectorEvent => ({ type: 'progress', resourceVersion: '2', bookmark })),
      fc
        .constantFrom('API_GONE', 'API_UNREACHABLE', 'API_FORBIDDEN', 'API_NO_SUCH_RESOURCE', 'API_INVALID')
        .map((code): ReflectorEvent => ({ type: 'failed', error: error(code) })),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(events, fc.nat(400_000)), { maxLength: 60 }), steps => {
        const bench = new Bench({ random: () => 0.5 })
        let requests = 0
        const count = (outputs: readonly ReflectorOutput[]): void => {
          for (const output of outputs) {
            if (output.do === 'abandon') requests--
            if (output.do === 'list' || output.do === 'watch') requests++
          }
        }
        count(bench.give({ type: 'start' }))
        for (const [event, later] of steps) {
          const { phase } = bench.state
          // Only what can happen: a request answers only while it is under way.
          const fits =
            event.type === 'refresh' ||
            (event.type === 'page' && phase === 'listing') ||
            (event.type === 'opened' && phase === 'opening') ||
            ((event.type === 'progress' || event.type === 'ended') && phase === 'watching') ||
            (event.type === 'failed' && phase !== 'waiting')
          if (!fits) {
            const [timer] = bench.timers.keys()
            if (timer !== undefined) count(bench.expire(timer))
            continue
          }
          if (event.type === 'page' || event.type === 'ended' || event.type === 'failed') requests--
          count(bench.give(event, later))
          expect(requests).toBe(bench.state.phase === 'waiting' ? 0 : 1)
          expect(bench.timers.has('retry')).toBe(bench.state.phase === 'waiting')
          expect(bench.timers.has('silence')).toBe(bench.state.phase === 'watching')
        }
      }),
    )
  })

  it('lists again and again what it may not watch, failing all the while, until it may', () => {
    const bench = new Bench()
    bench.give({ type: 'start' })
    bench.give({ type: 'page', resourceVersion: '10' })
    const forbidden = error('API_FORBIDDEN')
    expect(bench.give({ type: 'failed', error: forbidden })).toEqual([
      { do: 'failing', error: forbidden, attempts: 1 },
    ])
    for (const attempts of [2, 3]) {
      expect(bench.timers.get('retry')).toBe(10_000)
      expect(bench.expire('retry')).toEqual([{ do: 'list', limit: 500 }])
      expect(bench.give({ type: 'page', resourceVersion: `${10 * attempts}` })).toEqual([
        { do: 'commit' },
        { do: 'watch', resourceVersion: `${10 * attempts}`, timeoutSeconds: 240 },
      ])
      expect(bench.give({ type: 'failed', error: forbidden })).toEqual([
        { do: 'failing', error: forbidden, attempts },
      ])
    }
    bench.expire('retry')
    bench.give({ type: 'page', resourceVersion: '40' })
    expect(bench.give({ type: 'opened' })).toEqual([{ do: 'recovered', afterMs: 30_000, attempts: 3 }])
    expect(bench.state.failing).toBeUndefined()
  })
})
