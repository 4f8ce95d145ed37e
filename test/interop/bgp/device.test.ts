import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeLab } from '../../lab/support/needs.ts'
import type { OurSpeaker } from '../support/our-speaker.ts'
import { holds } from '../support/routers/learnt.ts'
import type { Router } from '../support/routers/router.ts'
import { RouterLab } from '../support/routers/router-lab.ts'
import { routerPrograms } from '../support/routers/routers.ts'

const us = 65_010
const them = 65_020
// The same addresses on both segments, which know nothing of each other; so it is with two VRFs, whose devices sockets are bound to.
const ours = '10.99.0.1'
const router = '10.99.0.2'
const keys = { eth0: 'of-the-left', eth1: 'of-the-right' } as const
type Device = keyof typeof keys
const devices: readonly Device[] = ['eth0', 'eth1']
const route: Readonly<Record<Device, string>> = { eth0: '192.0.2.1/32', eth1: '192.0.2.2/32' }

describeLab(
  'Two routers with one address, each behind a device of its own, and with a key of its own',
  routerPrograms,
  () => {
    let lab: RouterLab
    let we: OurSpeaker
    const routers = new Map<Device, Router>()

    const told = (device: Device, ...prefixes: readonly string[]) =>
      holds(routers.get(device) as Router, ours, Object.fromEntries(prefixes.map(prefix => [prefix, {}])), 20)

    /** `calls`: the router connects to us. */
    const peers = (calls: boolean, password: Readonly<Record<Device, string>> = keys) =>
      we.peers(
        ...devices.map(vrf => ({
          name: vrf,
          myAsn: us,
          peerAsn: them,
          peerAddress: router,
          vrf,
          password: password[vrf],
          passive: calls,
          connectTimeMs: 1000,
        })),
      )

    beforeAll(async () => {
      lab = await RouterLab.build('device', ['we', 'left'])
      const { net } = lab
      await net.bridge('other')
      await net.host('right')
      await net.join('other', 'right', [`${router}/24`])
      await net.join('other', 'we', [`${ours}/24`], 'eth1')
      await net.ipIn('we', 'addr', 'add', `${ours}/24`, 'dev', 'eth0')
      await net.ipIn('left', 'addr', 'add', `${router}/24`, 'dev', 'eth0')
      await net.sysctl('we', {
        'net.ipv4.conf.all.rp_filter': 0,
        'net.ipv4.conf.eth0.rp_filter': 0,
        'net.ipv4.conf.eth1.rp_filter': 0,
      })
      we = await lab.speaker('we')
      await peers(true)
      for (const device of devices) await we.routes(device, { prefix: route[device] })
      for (const [device, kind, host] of [
        ['eth0', 'frr', 'left'],
        ['eth1', 'bird', 'right'],
      ] as const) {
        const neighbors = [{ address: ours, remoteAs: us, localAddress: router, password: keys[device] }]
        routers.set(device, await lab.start(kind, host, { as: them, routerId: router, neighbors }))
      }
    })

    afterAll(() => lab[Symbol.asyncDispose]())

    it('are told apart, and each is let in with its own key', async () => {
      for (const device of devices) await told(device, route[device])
      for (const device of devices) expect((await we.session(device)).local?.port).toBe(179)
    })

    it('are found when we connect', async () => {
      await peers(false)
      for (const device of devices) {
        const { local } = await we.established(device, 20)
        expect(local?.port).not.toBe(179)
        await told(device, route[device])
      }
    })

    it('are not reached with the key of the other, and another key of one leaves the other alone', async () => {
      const { since } = await we.session('eth0')
      await peers(false, { ...keys, eth1: keys.eth0 })
      await told('eth1')
      const { lastError } = await we.until(
        'eth1',
        'cannot connect',
        one => one.lastError?.code === 'PEER_UNREACHABLE',
      )
      expect(lastError?.message).not.toContain(keys.eth0)
      await told('eth0', route.eth0)
      expect((await we.session('eth0')).since).toBe(since)
    })
  },
)
