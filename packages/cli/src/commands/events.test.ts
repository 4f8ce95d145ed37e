import { CarillonError, type SpeakerEvent } from '@carillon/core'
import { FakeClock, settle } from '@carillon/core/testing'
import { describe, expect, it } from 'vitest'
import type { Listen, Told } from '../listen.ts'
import { events } from './events.ts'

const speaker = (node: string): Told => ({ says: 'speaker', node })
const happened = (id: string): Told => ({
  says: 'happened',
  id,
  event: { at: '2026-01-01T00:00:00.000Z', type: 'peerDown', message: id },
})
const beat: Told = { says: 'beat' }

/** What a connection comes to: what is told, then its end, an error, or nothing more. */
type Connection = readonly (Told | 'end' | CarillonError)[]

/** A speaker in memory: each attempt to hear it is another of the given connections. */
class Stage {
  readonly clock = new FakeClock()
  readonly out: string[] = []
  readonly err: string[] = []
  /** When it was tried, and after which event. */
  readonly tries: (readonly [at: number, last: string | undefined])[] = []
  aborted = 0
  stop = (): void => {}
  readonly #connections: Connection[]

  constructor(...connections: Connection[]) {
    this.#connections = connections
  }

  readonly #listen: Listen = (last, signal) => {
    this.tries.push([this.clock.now(), last])
    const connection = this.#connections.shift() ?? []
    signal.addEventListener('abort', () => this.aborted++)
    return (async function* tell(): AsyncGenerator<Told> {
      for (const one of connection) {
        if (one === 'end') return
        if (one instanceof CarillonError) throw one
        yield one
      }
      await new Promise(resolve => signal.addEventListener('abort', resolve))
    })()
  }

  follow(): Promise<number> {
    const stopped = new Promise<void>(resolve => {
      this.stop = resolve
    })
    const terminal = {
      print: (text: string) => this.out.push((JSON.parse(text) as SpeakerEvent).message),
      warn: (text: string) => this.err.push(text),
      colour: false,
    }
    const ask = (): Promise<never> => Promise.reject(new Error('nobody is to ask'))
    const world = { clock: this.clock, stopped, listen: this.#listen }
    return events({ ask, json: true, follow: true }, terminal, world)
  }
}

const refused = new CarillonError('NO_SPEAKER', 'no speaker answers')

describe('following events', () => {
  it('tells each once through a restart of the speaker, says once that it is away, and ends with 0', async () => {
    const stage = new Stage(
      [speaker('node-a'), happened('x-1'), happened('x-2'), 'end'],
      [refused],
      [refused],
      [speaker('node-a'), happened('y-1')],
    )
    const followed = stage.follow()
    await stage.clock.advanceAsync(10_000)
    expect(stage.out).toEqual(['x-1', 'x-2', 'y-1'])
    expect(stage.err).toEqual([
      'carillon: node-a has ended the connection; trying again',
      'carillon: node-a answers again',
    ])
    // The speaker is told where it was left.
    expect(stage.tries.map(([, last]) => last)).toEqual([undefined, 'x-2', 'x-2', 'x-2'])
    stage.stop()
    expect(await followed).toBe(0)
    expect(stage.aborted).toBe(4)
    expect(stage.clock.pending).toBe(0)
  })

  it('tries again ever more slowly, up to five seconds, and soon again after it was heard', async () => {
    const away = Array.from({ length: 7 }, () => [refused])
    const stage = new Stage(
      [speaker('node-a'), 'end'],
      ...away,
      [speaker('node-a'), 'end'],
      [speaker('node-a')],
    )
    const followed = stage.follow()
    await stage.clock.advanceAsync(60_000)
    expect(stage.tries.map(([at]) => at).slice(0, 10)).toEqual([
      0, 250, 750, 1750, 3750, 7750, 12_750, 17_750, 22_750, 23_000,
    ])
    stage.stop()
    await followed
  })

  it('takes a speaker for gone that says nothing for fifteen seconds, and not one that has nothing to tell', async () => {
    const stage = new Stage([speaker('node-a'), beat], [speaker('node-a')])
    const followed = stage.follow()
    await stage.clock.advanceAsync(14_999)
    expect(stage.err).toEqual([])
    await stage.clock.advanceAsync(1)
    expect(stage.err).toEqual(['carillon: nothing was heard of node-a for 15 s; trying again'])
    await stage.clock.advanceAsync(250)
    expect(stage.err.at(-1)).toBe('carillon: node-a answers again')
    stage.stop()
    await followed
  })

  it('says how many are lost where they came faster than they were read', async () => {
    const stage = new Stage([speaker('node-a'), happened('x-1'), happened('x-8'), happened('x-9')])
    const followed = stage.follow()
    await settle()
    expect(stage.out).toEqual(['x-1', 'x-8', 'x-9'])
    expect(stage.err).toEqual(['carillon: 6 events came too fast, and are lost'])
    stage.stop()
    await followed
  })

  it('fails with what is in the way where nobody was ever heard', async () => {
    await expect(new Stage([refused]).follow()).rejects.toBe(refused)
  })

  it('can be ended while it waits for the next attempt', async () => {
    const stage = new Stage([speaker('node-a'), 'end'], [refused])
    const followed = stage.follow()
    await settle()
    stage.stop()
    expect(await followed).toBe(0)
    expect(stage.clock.pending).toBe(0)
  })
})
