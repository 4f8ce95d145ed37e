import { FakeClock, MemoryNetwork, seededRandom } from '@carillon/core/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { Engine } from './engine.ts'
import { bfdSettings, type SessionKey } from './options.ts'
import type { Report, Snapshot } from './report.ts'

let clock: FakeClock
let network: MemoryNetwork
let seed: number

const key = (peer: string): SessionKey => ({ peer, local: undefined, device: undefined, multihop: false })
const settings = bfdSettings({ transmitIntervalMs: 50, receiveIntervalMs: 50 })

/** An engine on a host, and what it reported. */
function engine(name: string, address: string): { readonly it: Engine; readonly reports: Report[] } {
  const reports: Report[] = []
  const it = new Engine({
    network: network.host(name, address),
    clock,
    random: seededRandom(++seed),
    report: report => reports.push(structuredClone(report)),
  })
  return { it, reports }
}

const last = (reports: readonly Report[]): Snapshot =>
  reports.findLast(report => 'snapshot' in report)?.snapshot as Snapshot

const changes = (reports: readonly Report[]): string[] =>
  reports.flatMap(report =>
    report.type === 'changed' ? [`${report.from} ${report.snapshot.association.state} ${report.cause}`] : [],
  )

beforeEach(() => {
  clock = new FakeClock()
  network = new MemoryNetwork({ clock, random: seededRandom(1) })
  seed = 1
})

describe('an engine that goes on where another one left off', () => {
  async function handOver(pauseMs: number) {
    const first = engine('a', '10.0.0.1')
    const peer = engine('b', '10.0.0.2')
    first.it.obey({ do: 'open', id: 1, key: key('10.0.0.2'), settings })
    peer.it.obey({ do: 'open', id: 1, key: key('10.0.0.1'), settings })
    await clock.advanceAsync(5000)
    peer.reports.length = 0
    const resume = last(first.reports)
    network.remove('a')
    await clock.advanceAsync(pauseMs)
    const second = engine('a', '10.0.0.1')
    second.it.obey({ do: 'open', id: 1, key: key('10.0.0.2'), settings, resume })
    await clock.advanceAsync(1000)
    return { peer, second, resume }
  }

  it('has the session up from the beginning, and the peer does not notice', async () => {
    const { peer, second, resume } = await handOver(100)
    expect([changes(peer.reports), changes(second.reports)]).toEqual([[], []])
    const { association, since } = last(second.reports)
    expect(since).toBe(resume.since)
    expect(last(second.reports).counters.controlIn).toBeGreaterThan(resume.counters.controlIn)
    expect(association).toMatchObject({ state: 'up', discriminator: resume.association.discriminator })
    expect(last(peer.reports).association.state).toBe('up')
  })

  it('finds out that the peer has given it up meanwhile', async () => {
    const { peer, second } = await handOver(500)
    expect(changes(peer.reports)[0]).toBe('up down silence')
    expect(changes(second.reports)[0]).toBe('up down silence')
    for (const { reports } of [peer, second]) expect(last(reports).association.state).toBe('up')
  })

  it('finds a peer that has gone meanwhile, within its detection time', async () => {
    const first = engine('a', '10.0.0.1')
    const peer = engine('b', '10.0.0.2')
    first.it.obey({ do: 'open', id: 1, key: key('10.0.0.2'), settings })
    peer.it.obey({ do: 'open', id: 1, key: key('10.0.0.1'), settings })
    await clock.advanceAsync(5000)
    const resume = last(first.reports)
    network.remove('a')
    network.remove('b')
    const second = engine('a', '10.0.0.1')
    second.it.obey({ do: 'open', id: 1, key: key('10.0.0.2'), settings, resume })
    await clock.advanceAsync(0)
    await clock.advanceAsync(149)
    expect(changes(second.reports)).toEqual([])
    await clock.advanceAsync(2)
    expect(changes(second.reports)).toEqual(['up down silence'])
  })
})

describe('an engine', () => {
  it('tells what passed at most once a second, and what changed at once', async () => {
    const a = engine('a', '10.0.0.1')
    const b = engine('b', '10.0.0.2')
    a.it.obey({ do: 'open', id: 1, key: key('10.0.0.2'), settings })
    b.it.obey({ do: 'open', id: 1, key: key('10.0.0.1'), settings })
    await clock.advanceAsync(5000)
    a.reports.length = 0
    await clock.advanceAsync(10_000)
    expect(a.reports.length).toBeGreaterThanOrEqual(9)
    expect(a.reports.length).toBeLessThanOrEqual(10)
  })

  it('ignores commands for sessions that it does not have', () => {
    const { it: one, reports } = engine('a', '10.0.0.1')
    one.obey({ do: 'close', id: 9 })
    one.obey({ do: 'change', id: 9, settings })
    expect(reports).toEqual([])
  })

  it('closes everything without a word when it is disposed of', async () => {
    const a = engine('a', '10.0.0.1')
    const b = engine('b', '10.0.0.2')
    a.it.obey({ do: 'open', id: 1, key: key('10.0.0.2'), settings })
    b.it.obey({ do: 'open', id: 1, key: key('10.0.0.1'), settings })
    await clock.advanceAsync(5000)
    await a.it[Symbol.asyncDispose]()
    await clock.advanceAsync(1000)
    expect(a.reports.at(-1)).toEqual({ type: 'closed', id: 1 })
    expect(changes(b.reports).at(-1)).toBe('up down silence')
  })
})
