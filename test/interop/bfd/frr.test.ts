import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { RouterLab } from '../support/routers/router-lab.ts'
import { Bfdd } from './support/bfdd.ts'
import { describeBfd } from './support/needs.ts'
import { cutOff, now, OurBfd } from './support/our-bfd.ts'

// Slow enough for routers that share a busy machine with others.
const profile = { transmitIntervalMs: 200, receiveIntervalMs: 200 }

describeBfd('BFD with FRR', () => {
  let lab: RouterLab
  let frr: Bfdd
  let ours: OurBfd

  /** The block `bfd` of FRR, for both families. */
  const config = (host: string, more = ''): string => `
bfd
 profile p
  transmit-interval 200
  receive-interval 200
${more}
 exit
 peer ${lab.address(host)} interface eth0
  profile p
 exit
 peer ${lab.address(host, 6)} local-address ${lab.address('router', 6)} interface eth0
  profile p
 exit
 peer fe80::1 local-address fe80::2 interface eth0
  profile p
 exit
exit
`

  beforeAll(async () => {
    lab = await RouterLab.build('bfd-frr', ['ours', 'router'])
    for (const [host, address] of [
      ['ours', 'fe80::1/64'],
      ['router', 'fe80::2/64'],
    ] as const)
      await lab.net.ipIn(host, 'addr', 'add', address, 'dev', 'eth0', 'nodad')
    frr = await Bfdd.start(lab.net, 'router', join(lab.folder, 'frr'), config('ours'))
    ours = await OurBfd.start(lab.net, 'ours')
  })

  afterAll(async () => {
    await ours?.[Symbol.asyncDispose]()
    await frr?.[Symbol.asyncDispose]()
    await lab?.[Symbol.asyncDispose]()
  })

  const pairs = (): readonly [ours: string, theirs: string, peer: string][] => [
    ['four', lab.address('ours'), lab.address('router')],
    ['six', lab.address('ours', 6), lab.address('router', 6)],
    ['local', 'fe80::1', 'fe80::2%eth0'],
  ]

  test('comes up over IPv4, IPv6 and link-local addresses, with the intervals that both sides know', async () => {
    for (const [name, , peer] of pairs()) await ours.open({ peer, profile }, name)
    for (const [name, theirs] of pairs()) {
      const status = await ours.becomes(name, { state: 'up', detectionTimeMs: 600, transmitIntervalMs: 200 })
      expect(status.remote).toMatchObject({ state: 'up', transmitIntervalMs: 200, detectMultiplier: 3 })
      const seen = await frr.becomes(theirs, { status: 'up', 'remote-transmit-interval': 200 })
      expect(seen).toMatchObject({ 'remote-receive-interval': 200, 'remote-detect-multiplier': 3 })
    }
  })

  test('goes on with other intervals, which FRR takes over without going down', async () => {
    await ours.change('four', { transmitIntervalMs: 500, receiveIntervalMs: 300, detectMultiplier: 5 })
    await ours.becomes('four', { transmitIntervalMs: 500, detectionTimeMs: 900 })
    await frr.becomes(lab.address('ours'), {
      status: 'up',
      'remote-transmit-interval': 500,
      'remote-receive-interval': 300,
      'remote-detect-multiplier': 5,
    })
    expect(ours.told('four')).toEqual(['up'])
    expect((await frr.counters(lab.address('ours')))?.['session-down']).toBe(0)
  })

  test('takes over other intervals of FRR without going down', async () => {
    await ours.change('four', profile)
    await frr.configure('profile p', 'transmit-interval 400', 'receive-interval 300', 'detect-multiplier 4')
    await ours.becomes('four', { state: 'up', transmitIntervalMs: 300, detectionTimeMs: 1600 })
    await frr.configure('profile p', 'transmit-interval 200', 'receive-interval 200', 'detect-multiplier 3')
    await ours.becomes('four', { state: 'up', transmitIntervalMs: 200, detectionTimeMs: 600 })
    expect(ours.told('four')).toEqual(['up'])
  })

  test('goes down when the router is cut off, on both sides, and comes up again', async () => {
    const cut = await cutOff(lab, 'router')
    const downs = await Promise.all(pairs().map(([name]) => ours.next(name, cut)))
    expect(downs.map(({ cause }) => cause)).toEqual(['silence', 'silence', 'silence'])
    const took = downs.map(({ at }) => Math.round(at - cut))
    process.stdout.write(`    3 x 200 ms, router cut off: down after ${took.join(', ')} ms\n`)
    for (const [, theirs] of pairs()) await frr.becomes(theirs, { status: 'down' })
    await lab.mend('router')
    for (const [name, theirs] of pairs()) {
      await ours.becomes(name, { state: 'up', detectionTimeMs: 600 })
      await frr.becomes(theirs, { status: 'up' })
    }
  })

  test('hears at once that FRR was shut by its administrator', async () => {
    const then = now()
    await frr.configure(`peer ${lab.address('ours')} interface eth0`, 'shutdown')
    expect((await ours.next('four', then)).cause).toBe('peer-admin-down')
    await frr.configure(`peer ${lab.address('ours')} interface eth0`, 'no shutdown')
    await ours.becomes('four', { state: 'up' })
  })

  test('tells FRR that a session is closed', async () => {
    await ours.close('six')
    await frr.becomes(lab.address('ours', 6), {
      status: 'down',
      diagnostic: 'neighbor signaled session down',
      'remote-diagnostic': 'administratively down',
    })
  })

  test('comes up with a passive end on either side', async () => {
    await ours.close('four')
    await ours.open({ peer: lab.address('router'), profile: { ...profile, passiveMode: true } }, 'passive')
    await ours.becomes('passive', { state: 'up' })
    await ours.close('passive')
    await frr.configure('profile p', 'passive-mode')
    await ours.open({ peer: lab.address('router'), profile }, 'active')
    await ours.becomes('active', { state: 'up' })
    await frr.configure('profile p', 'no passive-mode')
  })

  test('comes up with an FRR that was killed and started anew', async () => {
    const then = now()
    await frr.kill()
    expect((await ours.next('active', then)).cause).toBe('silence')
    frr = await Bfdd.start(lab.net, 'router', join(lab.folder, 'frr'), config('ours'))
    await ours.becomes('active', { state: 'up', detectionTimeMs: 600 })
  })
})
