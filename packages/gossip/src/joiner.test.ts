import { formatAddress } from '@carillon/core'
import { FakeClock, RecordingLogger, seededRandom, settle } from '@carillon/core/testing'
import { describe, expect, it } from 'vitest'
import { Joiner, type Resolve } from './joiner.ts'
import { profiles } from './profile.ts'
import { Swim } from './swim.ts'

const vsn = Uint8Array.of(1, 5, 2, 0, 0, 0)
const none = new Uint8Array()

/** A joiner of a node at 10.0.0.1 with these targets, and whom it met. */
function lab(
  targets: readonly string[],
  resolve: Resolve = async () => [],
  answers: boolean | 'later' = true,
) {
  const clock = new FakeClock()
  const met: string[] = []
  const waiting: (() => void)[] = []
  const finish = (): void => {
    for (const resolve of waiting.splice(0)) resolve()
  }
  const swim = new Swim({
    name: 'self',
    address: { addr: Uint8Array.of(10, 0, 0, 1), port: 7946 },
    meta: none,
    vsn,
    settings: profiles.lan,
    clock,
    random: seededRandom(1),
    outlet: {
      packet: () => {},
      room: () => 1400,
      streamPing: async () => false,
    },
    delegate: {},
    emit: () => {},
  })
  swim.start()
  const joiner = new Joiner({
    swim,
    targets,
    defaultPort: 7946,
    exchange: async ({ addr, port }) => {
      met.push(`${formatAddress(addr)} ${port}`)
      if (answers !== 'later') return answers
      await new Promise<void>(resolve => waiting.push(resolve))
      return true
    },
    log: new RecordingLogger(),
    resolve,
  })
  /** Whom it met within the next while. */
  const meets = async (ms: number): Promise<string[]> => {
    met.length = 0
    for (let left = ms; left > 0; left -= 500) {
      clock.advance(500)
      await settle()
    }
    return [...new Set(met)].sort()
  }
  const alive = (node: string, host: number, incarnation = 1): void =>
    swim.alive({
      type: 'alive',
      incarnation,
      node,
      addr: Uint8Array.of(10, 0, 0, host),
      port: 7946,
      meta: none,
      vsn,
    })
  return { clock, swim, joiner, met, meets, alive, finish }
}

describe('a target of the join list', () => {
  it.each([
    ['10.0.0.2', '10.0.0.2 7946'],
    ['10.0.0.2:7000', '10.0.0.2 7000'],
    ['fd00::2', 'fd00::2 7946'],
    ['[fd00::2]', 'fd00::2 7946'],
    ['[fd00::2]:7000', 'fd00::2 7000'],
    ['node-2/10.0.0.2:7000', '10.0.0.2 7000'],
    ['peers.example', '10.0.0.9 7946'],
    ['peers.example:7000', '10.0.0.9 7000'],
  ])('%s is %s', async (target, where) => {
    const { joiner, met } = lab([], async () => ['10.0.0.9'])
    expect(await joiner.join([target])).toBe(1)
    expect(met).toEqual([where])
  })

  it('that is a name stands for all its addresses', async () => {
    const { joiner, met } = lab([], async () => ['10.0.0.2', 'fd00::2'])
    expect(await joiner.join(['peers.example'])).toBe(2)
    expect(met).toEqual(['10.0.0.2 7946', 'fd00::2 7946'])
  })

  it('that is nobody, or does not answer, counts as none', async () => {
    const nobody = lab([], async () => {
      throw new Error('ENOTFOUND')
    })
    expect(await nobody.joiner.join(['nobody.example'])).toBe(0)
    expect(await lab([], undefined, false).joiner.join(['10.0.0.2'])).toBe(0)
  })
})

it('asks again and again, looks names up anew each time, and leaves alone those who are members', async () => {
  let known = ['10.0.0.2']
  const { joiner, meets, alive } = lab(['peers.example', '10.0.0.3'], async () => known)
  joiner.start()
  expect(await meets(20_000)).toEqual(['10.0.0.2 7946', '10.0.0.3 7946'])
  known = ['10.0.0.4']
  expect(await meets(20_000)).toEqual(['10.0.0.3 7946', '10.0.0.4 7946'])
  alive('three', 3)
  expect(await meets(20_000)).toEqual(['10.0.0.4 7946'])
  joiner.stop()
  expect(await meets(20_000)).toEqual([])
})

it('never asks itself', async () => {
  const { joiner, meets } = lab(['10.0.0.1', '10.0.0.1:7946'])
  joiner.start()
  expect(await meets(20_000)).toEqual([])
  joiner.stop()
})

it('looks for those who died until they are back or forgotten, but not for those who left', async () => {
  const { joiner, meets, alive, swim } = lab([])
  alive('dead', 2)
  alive('left', 3)
  swim.dead({ type: 'dead', incarnation: 1, node: 'dead', from: 'self' })
  swim.dead({ type: 'dead', incarnation: 1, node: 'left', from: 'left' })
  joiner.start()
  expect(await meets(20_000)).toEqual(['10.0.0.2 7946'])
  alive('dead', 2, 2)
  expect(await meets(20_000)).toEqual([])
  joiner.stop()
})

it('calls eight of a long list at once, in no order, and nobody who has become a member meanwhile', async () => {
  const hosts = Array.from({ length: 100 }, (_, i) => i + 2)
  const { joiner, met, alive, finish } = lab(
    hosts.map(host => `10.0.0.${host}`),
    undefined,
    'later',
  )
  joiner.start()
  await settle()
  expect(met).toHaveLength(8)
  expect(met).not.toEqual(met.toSorted())
  for (const host of hosts) if (host > 11) alive(`node-${host}`, host)
  for (let i = 0; i < 3; i++) {
    finish()
    await settle()
  }
  const first = met.slice(0, 8).map(where => Number(/\d+ /.exec(where)?.[0]))
  const expected = hosts.filter(host => host <= 11 || first.includes(host)).map(host => `10.0.0.${host} 7946`)
  expect(met.toSorted()).toEqual(expected.toSorted())
  joiner.stop()
})
