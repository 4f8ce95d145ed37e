import {
  type Advertisement,
  type AnnouncementStatus,
  type Announcer,
  type AnnouncerEvents,
  type AnnouncerSettings,
  CarillonError,
  canonicalAddress,
} from '@carillon/core'
import {
  announcerContract,
  FakeClock,
  MemoryNetwork,
  RecordingLogger,
  RecordingMetrics,
  seededRandom,
  settle,
} from '@carillon/core/testing'
import { EventEmitter } from 'eventemitter3'
import { describe, expect, it } from 'vitest'
import { late } from './late-announcer.ts'

/** Announces everything at once, and writes down what happens to it. */
class Diary implements Announcer {
  readonly name = 'diary'
  readonly speakers = 'each'
  readonly families = [4, 6] as const
  readonly events: EventEmitter<AnnouncerEvents> = new EventEmitter()
  readonly entries: string[]
  #desired: readonly Advertisement[] = []

  constructor(entries: string[] = []) {
    this.entries = entries
  }

  async start(): Promise<void> {
    this.entries.push('start')
  }

  configure({ config }: AnnouncerSettings): void {
    this.entries.push(`configure ${config.peers.length}`)
  }

  announce(desired: readonly Advertisement[]): void {
    this.entries.push(`announce ${desired.length}`)
    const known = new Set(this.#desired.map(({ address }) => address))
    this.#desired = [...desired]
    for (const one of this.status())
      if (!known.has(one.address)) this.events.emit('announcement:changed', one)
  }

  status(): readonly AnnouncementStatus[] {
    return this.#desired.map(({ address }) =>
      canonicalAddress(address) === undefined
        ? { address, state: 'failed', via: [], error: new CarillonError('BAD_ADDRESS', 'it is none') }
        : { address, state: 'announced', via: ['tor'] },
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.entries.push('close')
  }
}

const settings = (peers: number): AnnouncerSettings => ({
  config: { pools: [], peers: new Array(peers).fill(undefined), bfdProfiles: new Map() },
  labels: {},
})

const advertisement = (n: number): Advertisement => ({
  address: `10.0.0.${n}`,
  services: ['default/web'],
  options: {},
})

/** @param failures how often it cannot be loaded */
function world(failures = 0) {
  const entries: string[] = []
  const clock = new FakeClock()
  let broken = failures
  const context = {
    node: 'node-a',
    clock,
    network: new MemoryNetwork({ clock, random: seededRandom(1) }).host('node-a', '10.0.0.1'),
    log: new RecordingLogger(),
    metrics: new RecordingMetrics(),
    random: seededRandom(1),
  }
  const announcer = late({
    name: 'diary',
    speakers: 'each',
    families: [4, 6],
    needed: ({ config }) => config.peers.length > 0,
    load: async () => {
      entries.push('load')
      if (broken-- > 0) throw new Error('not now')
      return () => new Diary(entries)
    },
  })(context)
  return { announcer, clock, entries, log: context.log }
}

describe('an announcer that is loaded late', () => {
  for (const check of announcerContract(() => {
    const { announcer } = world()
    announcer.configure?.(settings(1))
    return { announcer, advertisement, settle }
  }))
    it(check.name, () => check.run())

  it('is not loaded while there is nothing for it to do', async () => {
    const { announcer, entries } = world()
    await announcer.start()
    announcer.configure?.(settings(0))
    announcer.announce([])
    await settle()
    await announcer[Symbol.asyncDispose]()
    expect(entries).toEqual([])
  })

  it('is told everything once it is there, and stays when there is nothing to do any more', async () => {
    const { announcer, entries } = world()
    await announcer.start()
    announcer.configure?.(settings(1))
    announcer.announce([advertisement(1), advertisement(2)])
    expect(announcer.status().map(({ state }) => state)).toEqual(['pending', 'pending'])
    await settle()
    announcer.configure?.(settings(0))
    announcer.announce([])
    await announcer[Symbol.asyncDispose]()
    expect(entries).toEqual([
      'load',
      'start',
      'configure 1',
      'announce 2',
      'configure 0',
      'announce 0',
      'close',
    ])
  })

  it('is tried again when it cannot be loaded, and says so', async () => {
    const { announcer, entries, clock, log } = world(2)
    announcer.configure?.(settings(1))
    await settle()
    await clock.advanceAsync(1000)
    await clock.advanceAsync(2000)
    await settle()
    expect(entries).toEqual(['load', 'load', 'load', 'start', 'configure 1', 'announce 0'])
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(2)
  })

  it('is closed also when it comes too late', async () => {
    const { announcer, entries } = world()
    announcer.configure?.(settings(1))
    await announcer[Symbol.asyncDispose]()
    expect(entries).toEqual(['load', 'start', 'close'])
  })
})
