import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { RouterLab } from '../support/routers/router-lab.ts'
import { Bfdd } from './support/bfdd.ts'
import { BirdBfd } from './support/bird-bfd.ts'
import { describeBfd } from './support/needs.ts'
import { cutOff, OurBfd } from './support/our-bfd.ts'

// Slow enough for routers that share a busy machine with others.
const profile = { transmitIntervalMs: 200, receiveIntervalMs: 200 }

/** Behind a gateway: `10.90.0.2`, `fd90::2` and so on. */
const far = { frr: ['10.90.0.2', 'fd90::2'], bird: ['10.90.0.3', 'fd90::3'] } as const

describeBfd('BFD over a router', () => {
  let lab: RouterLab
  let frr: Bfdd
  let bird: BirdBfd
  let ours: OurBfd

  beforeAll(async () => {
    lab = await RouterLab.build('bfd-far', ['ours', 'gateway'])
    const { net } = lab
    await net.bridge('beyond')
    await net.join('beyond', 'gateway', ['10.90.0.1/24', 'fd90::1/64'], 'eth1')
    await net.sysctl('gateway', { 'net.ipv4.ip_forward': 1, 'net.ipv6.conf.all.forwarding': 1 })
    for (const [host, [four, six]] of Object.entries(far)) {
      await net.host(host)
      await net.join('beyond', host, [`${four}/24`, `${six}/64`])
      await net.ipIn(host, 'route', 'add', 'default', 'via', '10.90.0.1')
      await net.ipIn(host, '-6', 'route', 'add', 'default', 'via', 'fd90::1')
    }
    await net.ipIn('ours', 'route', 'add', '10.90.0.0/24', 'via', lab.address('gateway'))
    await net.ipIn('ours', '-6', 'route', 'add', 'fd90::/64', 'via', lab.address('gateway', 6))

    const [four, six] = [lab.address('ours'), lab.address('ours', 6)]
    const peer = (address: string, local: string): string => ` peer ${address} multihop local-address ${local}
  transmit-interval 200
  receive-interval 200
 exit
`
    const blocks = `${peer(four, far.frr[0])}${peer(six, far.frr[1])}`
    frr = await Bfdd.start(net, 'frr', join(lab.folder, 'frr'), `bfd\n${blocks}exit\n`)
    bird = await BirdBfd.start(net, 'bird', join(lab.folder, 'bird'), [
      'multihop { interval 200 ms; multiplier 3; };',
      `neighbor ${four} local ${far.bird[0]} multihop on;`,
      `neighbor ${six} local ${far.bird[1]} multihop on;`,
    ])
    ours = await OurBfd.start(net, 'ours')
  })

  afterAll(async () => {
    await ours?.[Symbol.asyncDispose]()
    await frr?.[Symbol.asyncDispose]()
    await bird?.[Symbol.asyncDispose]()
    await lab?.[Symbol.asyncDispose]()
  })

  test('comes up with FRR at one hop, by IPv4 and IPv6', async () => {
    for (const [i, peer] of far.frr.entries()) {
      await ours.open({ peer, multihop: true, local: lab.address('ours', i === 0 ? 4 : 6), profile })
      await ours.becomes(peer, { state: 'up', detectionTimeMs: 600 })
    }
    await frr.becomes(lab.address('ours'), { status: 'up' })
    await frr.becomes(lab.address('ours', 6), { status: 'up' })
  })

  test('goes down when the gateway loses us', async () => {
    const cut = await cutOff(lab, 'ours')
    const down = await ours.next(far.frr[0], cut)
    process.stdout.write(`    3 x 200 ms, multihop, cut off: down after ${Math.round(down.at - cut)} ms\n`)
    expect(down.cause).toBe('silence')
    await lab.mend('ours')
    await ours.becomes(far.frr[0], { state: 'up' })
  })

  test('says why it does not come up where the profile allows fewer hops than there are', async () => {
    const [peer] = far.frr
    await ours.close(peer)
    await ours.open({ peer, multihop: true, profile: { ...profile, minimumTtl: 255 } })
    const status = await ours.becomes(peer, { state: 'down' })
    expect(status.problem).toBeUndefined()
    const reason = async () => (await ours.status(peer)).problem?.message
    await expect
      .poll(reason, { timeout: 10_000 })
      .toBe(`packets of ${peer} arrive with TTL 254, and the minimumTtl of its BFD profile is 255`)
    await ours.change(peer, profile)
    await ours.becomes(peer, { state: 'up' })
  })

  test('comes up with BIRD, which sends with TTL 64, where the profile allows that', async () => {
    for (const peer of far.bird) {
      await ours.open({ peer, multihop: true, profile: { ...profile, minimumTtl: 60 } })
      await ours.becomes(peer, { state: 'up', detectionTimeMs: 600 })
    }
    await bird.becomes(lab.address('ours'), { state: 'Up', detectMs: 600 })
  })
})
