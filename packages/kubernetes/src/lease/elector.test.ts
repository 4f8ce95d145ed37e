import { CarillonError, type TimerEvent } from '@carillon/core'
import { FakeClock, seededRandom } from '@carillon/core/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  Elector,
  type ElectorConfig,
  type ElectorEvent,
  type ElectorOutput,
  type ElectorState,
  initialElector,
  type LeaseRecord,
} from './elector.ts'

const config: ElectorConfig = {
  identity: 'a',
  leaseMs: 15_000,
  renewMs: 10_000,
  retryMs: 2000,
  random: () => 0,
}

const lease = (holder: string, resourceVersion: string, durationMs = 15_000): LeaseRecord => ({
  holder,
  transitions: 0,
  durationMs,
  resourceVersion,
})

const failure = new CarillonError('API_UNREACHABLE', 'away')

/** One elector on a table. */
class Bench {
  state: ElectorState = initialElector
  readonly timers = new Map<string, number>()
  now = 0
  readonly #elector: Elector

  constructor(overrides: Partial<ElectorConfig> = {}) {
    this.#elector = new Elector({ ...config, ...overrides })
  }

  give(event: ElectorEvent | TimerEvent, later = 0): readonly ElectorOutput[] {
    this.now += later
    const [next, ...effects] = this.#elector.step(this.state, event, this.now)
    this.state = next
    return effects.flatMap(effect => {
      if (effect.do === 'emit') return [effect.output]
      if (effect.do === 'arm') this.timers.set(effect.timer, effect.ms)
      else this.timers.delete(effect.timer)
      return []
    })
  }

  expire(timer: string): readonly ElectorOutput[] {
    const ms = this.timers.get(timer)
    if (ms === undefined) throw new Error(`${timer} is not armed`)
    this.timers.delete(timer)
    return this.give({ type: 'timer', timer }, ms)
  }

  leading(): this {
    this.give({ type: 'start' })
    this.give({ type: 'read', lease: undefined })
    this.give({ type: 'written', lease: lease('a', '1') })
    return this
  }
}

describe('an elector', () => {
  it('takes a Lease that is not there, and renews it every two seconds', () => {
    const bench = new Bench()
    expect(bench.give({ type: 'start' })).toEqual([{ do: 'read' }])
    expect(bench.give({ type: 'read', lease: undefined })).toEqual([{ do: 'take', over: undefined }])
    expect(bench.give({ type: 'written', lease: lease('a', '1') })).toEqual([{ do: 'lead' }])
    expect(bench.timers.get('try')).toBe(2000)
    expect(bench.expire('try')).toEqual([{ do: 'renew', lease: lease('a', '1') }])
    expect(bench.give({ type: 'written', lease: lease('a', '2') })).toEqual([])
  })

  it('waits for a Lease that somebody renews, and takes one that nobody has renewed for its time', () => {
    const bench = new Bench()
    bench.give({ type: 'start' })
    expect(bench.give({ type: 'read', lease: lease('b', '1') })).toEqual([])
    bench.expire('try')
    expect(bench.give({ type: 'read', lease: lease('b', '2') }, 14_000)).toEqual([])
    bench.expire('try')
    expect(bench.give({ type: 'read', lease: lease('b', '2') }, 12_999)).toEqual([])
    bench.expire('try')
    expect(bench.give({ type: 'read', lease: lease('b', '2') })).toEqual([
      { do: 'take', over: lease('b', '2') },
    ])
  })

  it('takes a Lease at once that was given back', () => {
    const bench = new Bench()
    bench.give({ type: 'start' })
    expect(bench.give({ type: 'read', lease: lease('', '7', 1000) })).toMatchObject([{ do: 'take' }])
  })

  it('stands by when another was faster', () => {
    const bench = new Bench()
    bench.give({ type: 'start' })
    bench.give({ type: 'read', lease: undefined })
    expect(bench.give({ type: 'conflict' })).toEqual([])
    expect(bench.expire('try')).toEqual([{ do: 'read' }])
  })

  it('stands down ten seconds after it sent the last renewal that went well, however long the answer took', () => {
    const bench = new Bench().leading()
    bench.expire('try')
    bench.give({ type: 'written', lease: lease('a', '2') }, 3000)
    // Sent at 2 s, answered at 5 s.
    expect(bench.timers.get('expire')).toBe(7000)
    bench.expire('try')
    bench.give({ type: 'failed', error: failure })
    bench.expire('try')
    expect(bench.give({ type: 'timer', timer: 'expire' }, 3000)).toEqual([
      { do: 'stand-down' },
      { do: 'abandon' },
    ])
    expect(bench.state.role).toBe('standby')
    expect(bench.expire('try')).toEqual([{ do: 'read' }])
  })

  it('does not lead on an answer that took too long', () => {
    const bench = new Bench()
    bench.give({ type: 'start' })
    bench.give({ type: 'read', lease: undefined })
    expect(bench.give({ type: 'written', lease: lease('a', '1') }, 10_000)).toEqual([])
    expect(bench.state.role).toBe('standby')
  })

  it('stands down when somebody else has written the Lease, and looks', () => {
    const bench = new Bench().leading()
    bench.expire('try')
    expect(bench.give({ type: 'conflict' })).toEqual([{ do: 'stand-down' }, { do: 'read' }])
  })

  it('gives the Lease back when it leaves', () => {
    const bench = new Bench().leading()
    expect(bench.give({ type: 'leave' })).toEqual([
      { do: 'stand-down' },
      { do: 'release', lease: lease('a', '1') },
    ])
    expect(bench.give({ type: 'written', lease: lease('', '2') })).toEqual([{ do: 'left' }])
    expect([bench.state.role, bench.timers.size]).toEqual(['retired', 0])
    expect(bench.give({ type: 'start' })).toEqual([])
  })

  it('that leaves during a renewal waits for its answer, and gives back what that brought', () => {
    const bench = new Bench().leading()
    bench.expire('try')
    expect(bench.give({ type: 'leave' })).toEqual([{ do: 'stand-down' }])
    expect(bench.give({ type: 'written', lease: lease('a', '2') })).toEqual([
      { do: 'release', lease: lease('a', '2') },
    ])
    expect(bench.give({ type: 'failed', error: failure })).toEqual([{ do: 'left' }])
  })

  it('that stands by leaves without a word', () => {
    const idle = new Bench()
    expect(idle.give({ type: 'leave' })).toEqual([{ do: 'left' }])
    const looking = new Bench()
    looking.give({ type: 'start' })
    expect(looking.give({ type: 'leave' })).toEqual([])
    expect(looking.give({ type: 'read', lease: undefined })).toEqual([{ do: 'left' }])
  })
})

/** A Lease, and electors that reach it over a bad network. */
class Cluster {
  readonly clock = new FakeClock()
  /** Who leads, and how often two did at once. */
  readonly leaders = new Set<string>()
  overlaps = 0
  elections = 0
  faults = true
  /** Until when each of them cannot be reached. */
  readonly #cut = new Map<string, number>()
  #lease: LeaseRecord | undefined
  #version = 0
  readonly #random: () => number
  readonly #electors = new Map<
    string,
    { give: (event: ElectorEvent) => void; until: () => number; stop: () => void }
  >()

  constructor(names: readonly string[], seed: number) {
    this.#random = seededRandom(seed)
    for (const name of names) this.#add(name)
  }

  /** Whether somebody leads by its own account at this moment. */
  check(): void {
    const leading = [...this.#electors.values()].filter(({ until }) => this.clock.now() < until())
    if (leading.length > 1) this.overlaps++
  }

  /** Cuts one of them off, for up to a minute. */
  cut(): void {
    const names = [...this.#electors.keys()]
    const name = names[Math.floor(this.#random() * names.length)] as string
    this.#cut.set(name, this.clock.now() + this.#random() * 60_000)
  }

  leave(name: string): void {
    this.#electors.get(name)?.give({ type: 'leave' })
  }

  /** It goes without a word, as a killed process does. */
  kill(name: string): void {
    this.#electors.get(name)?.stop()
    this.#electors.delete(name)
    this.leaders.delete(name)
  }

  #add(name: string): void {
    const elector = new Elector({ ...config, identity: name, random: this.#random })
    let state = initialElector
    let request = 0
    let stopped = false
    const timers = new Map<string, () => void>()
    const give = (event: ElectorEvent | TimerEvent): void => {
      if (stopped) return
      const [next, ...effects] = elector.step(state, event, this.clock.now())
      state = next
      for (const effect of effects) {
        if (effect.do !== 'emit') {
          timers.get(effect.timer)?.()
          timers.delete(effect.timer)
        }
        if (effect.do === 'arm')
          timers.set(
            effect.timer,
            this.clock.after(effect.ms, () => give({ type: 'timer', timer: effect.timer })),
          )
        if (effect.do === 'emit') perform(effect.output)
      }
    }
    const perform = (output: ElectorOutput): void => {
      if (output.do === 'lead') {
        this.leaders.add(name)
        this.elections++
        this.check()
      } else if (output.do === 'stand-down') this.leaders.delete(name)
      else if (output.do === 'abandon') request++
      else if (output.do !== 'left') {
        const mine = ++request
        this.#call(name, output, event => {
          if (mine === request) give(event)
        })
      }
    }
    this.#electors.set(name, {
      give,
      until: () => (state.role === 'leader' ? state.leadsUntil : 0),
      stop: () => {
        stopped = true
      },
    })
    give({ type: 'start' })
  }

  /** There and back, each taking its time; either may be lost. */
  #call(name: string, output: ElectorOutput, answer: (event: ElectorEvent) => void): void {
    const lost = this.faults ? this.#random() : 1
    const delay = (): number => (this.faults ? this.#random() * 4000 : 5)
    const back = (event: ElectorEvent): void => {
      this.clock.after(delay(), () => answer(lost < 0.1 ? { type: 'failed', error: failure } : event))
    }
    this.clock.after(delay(), () => {
      if (this.clock.now() < (this.#cut.get(name) ?? 0)) return back({ type: 'failed', error: failure })
      if (lost > 0.1 && lost < 0.2) return back({ type: 'failed', error: failure })
      if (output.do === 'read') return back({ type: 'read', lease: this.#lease })
      const over = output.do === 'take' ? output.over : 'lease' in output ? output.lease : undefined
      if (over?.resourceVersion !== this.#lease?.resourceVersion) return back({ type: 'conflict' })
      const released = output.do === 'release'
      this.#lease = lease(released ? '' : name, String(++this.#version), released ? 1000 : config.leaseMs)
      back({ type: 'written', lease: this.#lease })
    })
  }
}

describe('several electors', () => {
  it('never lead at the same time, whatever gets lost or late', () => {
    fc.assert(
      fc.property(fc.integer(), seed => {
        const cluster = new Cluster(['a', 'b', 'c'], seed)
        for (let i = 0; i < 3000; i++) {
          cluster.clock.advance(100)
          if (i % 200 === 199) cluster.cut()
          cluster.check()
        }
        expect(cluster.overlaps).toBe(0)
        expect(cluster.elections).toBeGreaterThan(0)
      }),
      { numRuns: 40 },
    )
  })

  it('have one leader as long as nothing fails, and another within 18 seconds of its sudden death', () => {
    const cluster = new Cluster(['a', 'b', 'c'], 1)
    cluster.faults = false
    cluster.clock.advance(5000)
    const [first] = cluster.leaders as Set<string>
    expect(first).toBeDefined()
    cluster.clock.advance(600_000)
    expect([...cluster.leaders]).toEqual([first])
    cluster.kill(first as string)
    cluster.clock.advance(18_000)
    expect(cluster.leaders.size).toBe(1)
    expect(cluster.leaders.has(first as string)).toBe(false)
  })

  it('have another leader within three seconds of one that leaves', () => {
    const cluster = new Cluster(['a', 'b'], 1)
    cluster.faults = false
    cluster.clock.advance(5000)
    const [first] = cluster.leaders as Set<string>
    cluster.leave(first as string)
    cluster.clock.advance(3000)
    expect(cluster.leaders.size).toBe(1)
    expect(cluster.leaders.has(first as string)).toBe(false)
  })
})
