import { afterAll, beforeAll, expect, test } from 'vitest'
import { RouterLab } from '../support/routers/router-lab.ts'
import { describeBfd } from './support/needs.ts'
import { now, OurBfd } from './support/our-bfd.ts'

const profile = { transmitIntervalMs: 200, receiveIntervalMs: 200 }

// Two segments that know nothing of each other, with the same addresses on both.
const us = '10.99.0.1'
const peer = '10.99.0.2'

describeBfd('BFD on two interfaces', () => {
  let lab: RouterLab
  let ours: OurBfd
  let left: OurBfd
  let right: OurBfd

  beforeAll(async () => {
    lab = await RouterLab.build('bfd-device', ['ours', 'left'])
    const { net } = lab
    await net.bridge('other')
    await net.host('right')
    await net.join('other', 'right', [`${peer}/24`])
    await net.join('other', 'ours', [`${us}/24`], 'eth1')
    await net.ipIn('ours', 'addr', 'add', `${us}/24`, 'dev', 'eth0')
    await net.ipIn('left', 'addr', 'add', `${peer}/24`, 'dev', 'eth0')
    await net.sysctl('ours', {
      'net.ipv4.conf.all.rp_filter': 0,
      'net.ipv4.conf.eth0.rp_filter': 0,
      'net.ipv4.conf.eth1.rp_filter': 0,
    })
    ours = await OurBfd.start(net, 'ours')
    left = await OurBfd.start(net, 'left')
    right = await OurBfd.start(net, 'right')
  })

  afterAll(async () => {
    for (const bfd of [ours, left, right]) await bfd?.[Symbol.asyncDispose]()
    await lab?.[Symbol.asyncDispose]()
  })

  test('has a session with the same address on each', async () => {
    await left.open({ peer: us, local: peer, profile }, 'ours')
    await right.open({ peer: us, local: peer, profile }, 'ours')
    await ours.open({ peer, device: 'eth0', profile }, 'left')
    await ours.open({ peer, device: 'eth1', profile }, 'right')
    const [one, other] = [
      await ours.becomes('left', { state: 'up' }),
      await ours.becomes('right', { state: 'up' }),
    ]
    expect(one.remote?.discriminator).toBe((await left.status('ours')).discriminator)
    expect(other.remote?.discriminator).toBe((await right.status('ours')).discriminator)
  })

  test('loses the one whose interface is cut, and not the other', async () => {
    const cut = now()
    await lab.cut('left')
    expect((await ours.next('left', cut)).cause).toBe('silence')
    expect(ours.told('right')).toEqual(['up'])
    await lab.mend('left')
    await ours.becomes('left', { state: 'up' })
  })

  test('follows an interface that is removed and made anew', async () => {
    const { net } = lab
    await net.ipIn('ours', 'link', 'del', 'eth1')
    await ours.becomes('right', { state: 'down' })
    await net.join('other', 'ours', [`${us}/24`], 'eth1')
    await net.sysctl('ours', { 'net.ipv4.conf.eth1.rp_filter': 0 })
    await ours.becomes('right', { state: 'up' })
  })
})
