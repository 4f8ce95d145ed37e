import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { RouterLab } from '../support/routers/router-lab.ts'
import { BirdBfd } from './support/bird-bfd.ts'
import { describeBfd } from './support/needs.ts'
import { cutOff, OurBfd } from './support/our-bfd.ts'

// Slow enough for routers that share a busy machine with others.
const profile = { transmitIntervalMs: 200, receiveIntervalMs: 200 }

describeBfd('BFD with BIRD', () => {
  let lab: RouterLab
  let bird: BirdBfd
  let ours: OurBfd

  const lines = (intervals: string): readonly string[] => [
    `interface "eth0" { ${intervals} };`,
    `neighbor ${lab.address('ours')} dev "eth0";`,
    `neighbor ${lab.address('ours', 6)} dev "eth0";`,
  ]

  beforeAll(async () => {
    lab = await RouterLab.build('bfd-bird', ['ours', 'router'])
    bird = await BirdBfd.start(
      lab.net,
      'router',
      join(lab.folder, 'bird'),
      lines('interval 200 ms; multiplier 3;'),
    )
    ours = await OurBfd.start(lab.net, 'ours')
  })

  afterAll(async () => {
    await ours?.[Symbol.asyncDispose]()
    await bird?.[Symbol.asyncDispose]()
    await lab?.[Symbol.asyncDispose]()
  })

  test('comes up over IPv4 and IPv6, with the intervals that both sides know', async () => {
    await ours.open({ peer: lab.address('router'), profile }, 'four')
    await ours.open({ peer: lab.address('router', 6), profile }, 'six')
    for (const [name, family] of [
      ['four', 4],
      ['six', 6],
    ] as const) {
      const status = await ours.becomes(name, { state: 'up', detectionTimeMs: 600, transmitIntervalMs: 200 })
      expect(status.remote).toMatchObject({ state: 'up', detectMultiplier: 3, echoReceiveIntervalMs: 0 })
      await bird.becomes(lab.address('ours', family), { state: 'Up', transmitMs: 200, detectMs: 600 })
    }
  })

  test('goes on with other intervals on either side', async () => {
    await ours.change('four', { transmitIntervalMs: 500, receiveIntervalMs: 300, detectMultiplier: 5 })
    await bird.becomes(lab.address('ours'), { state: 'Up', transmitMs: 300, detectMs: 2500 })
    await bird.configure(lines('min rx interval 600 ms; min tx interval 400 ms; multiplier 2;'))
    await ours.becomes('four', { state: 'up', transmitIntervalMs: 600, detectionTimeMs: 800 })
    await bird.becomes(lab.address('ours'), { state: 'Up', transmitMs: 400, detectMs: 3000 })
    await bird.configure(lines('interval 200 ms; multiplier 3;'))
    await ours.change('four', profile)
    await ours.becomes('four', { state: 'up', transmitIntervalMs: 200, detectionTimeMs: 600 })
    expect(ours.told('four')).toEqual(['up'])
  })

  test('goes down when the router is cut off, and comes up again', async () => {
    const cut = await cutOff(lab, 'router')
    const downs = await Promise.all(['four', 'six'].map(name => ours.next(name, cut)))
    const took = downs.map(({ at }) => Math.round(at - cut))
    process.stdout.write(`    3 x 200 ms, router cut off: down after ${took.join(', ')} ms\n`)
    expect(downs.map(({ cause }) => cause)).toEqual(['silence', 'silence'])
    await lab.mend('router')
    await ours.becomes('four', { state: 'up' })
    await bird.becomes(lab.address('ours'), { state: 'Up' })
  })

  test('comes up when we are the passive end', async () => {
    await ours.close('four')
    await ours.open({ peer: lab.address('router'), profile: { ...profile, passiveMode: true } }, 'passive')
    await ours.becomes('passive', { state: 'up' })
  })

  test('lives on with a passive end of BIRD', async () => {
    await bird.configure([`interface "eth0" { interval 200 ms; passive; };`, ...lines('').slice(1)])
    await ours.close('passive')
    await ours.open({ peer: lab.address('router'), profile }, 'active')
    await ours.becomes('active', { state: 'up' })
  })
})
