import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../../lab/support/speaker-lab.ts'
import { RouterLab } from '../support/routers/router-lab.ts'
import { Bfdd } from './support/bfdd.ts'
import { describeBfd } from './support/needs.ts'
import { cutOff, OurBfd } from './support/our-bfd.ts'

// Control packets are slow, so that what happens quickly is due to echo packets.
const profile = {
  transmitIntervalMs: 1000,
  receiveIntervalMs: 1000,
  detectMultiplier: 5,
  echoMode: true,
  echoIntervalMs: 100,
}

describeBfd('BFD echo with FRR', () => {
  let lab: RouterLab
  let frr: Bfdd
  let ours: OurBfd

  const forward = (host: string, on: 0 | 1): Promise<void> =>
    lab.net.sysctl(host, { 'net.ipv4.ip_forward': on, 'net.ipv6.conf.all.forwarding': on })

  beforeAll(async () => {
    lab = await RouterLab.build('bfd-echo', ['ours', 'router'])
    // What returns FRR's echo packets is our thread alone.
    await forward('ours', 0)
    await forward('router', 1)
    const peers = [
      `peer ${lab.address('ours')} interface eth0`,
      `peer ${lab.address('ours', 6)} local-address ${lab.address('router', 6)} interface eth0`,
    ]
    frr = await Bfdd.start(
      lab.net,
      'router',
      join(lab.folder, 'frr'),
      `
bfd
 profile p
  transmit-interval 1000
  receive-interval 1000
  detect-multiplier 5
  echo-mode
  echo transmit-interval 100
  echo receive-interval 100
 exit
${peers.map(peer => ` ${peer}\n  profile p\n exit`).join('\n')}
exit
`,
    )
    ours = await OurBfd.start(lab.net, 'ours')
    await ours.open({ peer: lab.address('router'), profile }, 'four')
    await ours.open({ peer: lab.address('router', 6), profile }, 'six')
  })

  afterAll(async () => {
    await ours?.[Symbol.asyncDispose]()
    await frr?.[Symbol.asyncDispose]()
    await lab?.[Symbol.asyncDispose]()
  })

  for (const [name, family] of [
    ['four', 4],
    ['six', 6],
  ] as const)
    test(`works both ways by IPv${family}`, async () => {
      const status = await ours.becomes(name, { state: 'up', echo: 'answered' })
      expect(status.echoProblem).toBeUndefined()
      const peer = lab.address('ours', family)
      const before = await frr.counters(peer)
      const returned = await eventually('FRR has 20 echo packets more', async () => {
        const now = await frr.counters(peer)
        const more = (now?.['echo-packet-input'] ?? 0) - (before?.['echo-packet-input'] ?? 0)
        return more >= 20 ? now : undefined
      })
      expect(returned?.['session-down']).toBe(0)
      const { counters } = await eventually('15 of ours have come back', async () => {
        const now = await ours.status(name)
        return now.counters.echoIn >= 15 ? now : undefined
      })
      expect(counters.echoOut - counters.echoIn).toBeLessThan(5)
      expect(ours.told(name)).toEqual(['up'])
    })

  test('finds a router that is cut off long before control packets would', async () => {
    const cut = await cutOff(lab, 'router')
    const downs = await Promise.all(['four', 'six'].map(name => ours.next(name, cut)))
    const took = downs.map(({ at }) => Math.round(at - cut))
    process.stdout.write(
      `    echo 5 x 100 ms, control 5 x 1000 ms, cut off: down after ${took.join(', ')} ms\n`,
    )
    expect(downs.map(({ cause }) => cause)).toEqual(['echo', 'echo'])
    await lab.mend('router')
    for (const name of ['four', 'six']) await ours.becomes(name, { state: 'up', echo: 'answered' })
  })

  test('does not hold against a router that it never returned an echo packet', async () => {
    await forward('router', 0)
    await ours.close('four')
    await ours.open({ peer: lab.address('router'), profile }, 'mute')
    await ours.becomes('mute', { state: 'up', echo: 'unanswered' })
    await eventually('20 echo packets are out', async () => {
      const { counters } = await ours.status('mute')
      return counters.echoOut >= 20 || undefined
    })
    expect(ours.told('mute')).toEqual(['up'])
  })
})
