import { noMetrics } from '@carillon/core'
import { FakeClock, RecordingLogger, seededRandom, settle } from '@carillon/core/testing'
import { expect, it } from 'vitest'
import type { NodeAddress } from './node-address.ts'
import { profiles } from './profile.ts'
import { Swim } from './swim.ts'
import { TableExchange } from './table-exchange.ts'
import { Tally } from './tally.ts'

const vsn = Uint8Array.of(1, 5, 2, 0, 0, 0)
const none = new Uint8Array()
const settings = { ...profiles.lan, pushPullIntervalMs: 0 }

/** A member among others, which have numbers, and those with which it compares tables. */
function lab(others: number, seed = 1) {
  const clock = new FakeClock()
  const met: number[] = []
  const swim = new Swim({
    name: 'self',
    address: { addr: Uint8Array.of(10, 0, 0, 1), port: 7946 },
    meta: none,
    vsn,
    settings,
    clock,
    random: seededRandom(seed),
    outlet: { packet: () => {}, room: () => 1400, streamPing: async () => false },
    delegate: {},
    emit: () => {},
  })
  swim.start()
  const dialer = {
    exchange: async ({ addr }: NodeAddress) => {
      met.push((addr[2] ?? 0) * 256 + (addr[3] ?? 0))
      return swim.table(false)
    },
  }
  const tally = new Tally(noMetrics, new RecordingLogger(), clock)
  const exchange = new TableExchange({ swim, dialer, tally, clock, met: () => {} })
  swim.hook({
    accused: () => {},
    changed: () => {},
    refuted: () => {},
    returned: member => exchange.welcome(member),
  })
  const alive = (host: number, incarnation: number): void =>
    swim.alive({
      type: 'alive',
      incarnation,
      node: `node-${host}`,
      addr: Uint8Array.of(10, 1, host >> 8, host & 255),
      port: 7946,
      meta: none,
      vsn,
    })
  const dead = (host: number, incarnation: number, from = 'self'): void => {
    swim.dead({ type: 'dead', incarnation, node: `node-${host}`, from })
  }
  for (let host = 1; host <= others; host++) alive(host, 1)
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms)
    await settle()
  }
  return { met, alive, dead, pass }
}

it('One that was dead and is back is met, once, after a moment', async () => {
  const { met, alive, dead, pass } = lab(4)
  dead(2, 1)
  alive(2, 2)
  dead(2, 2)
  alive(2, 3)
  expect(met).toEqual([])
  await pass(2 * settings.gossipIntervalMs)
  expect(met).toEqual([2])
  await pass(60_000)
  expect(met).toEqual([2])
})

it('but not one that is dead again by then, one that left, or one that was never there', async () => {
  const { met, alive, dead, pass } = lab(4)
  dead(2, 1)
  alive(2, 2)
  dead(2, 2)
  dead(3, 1, 'node-3')
  alive(3, 2)
  alive(5, 1)
  await pass(60_000)
  expect(met).toEqual([])
})

it('Of many members a few meet it', async () => {
  let welcomed = 0
  for (let seed = 1; seed <= 400; seed++) {
    const { met, alive, dead, pass } = lab(399, seed)
    dead(2, 1)
    alive(2, 2)
    await pass(1000)
    welcomed += met.length
  }
  expect(welcomed).toBeGreaterThanOrEqual(1)
  expect(welcomed).toBeLessThanOrEqual(12)
})
