import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeLab } from '../../lab/support/needs.ts'
import type { OurSpeaker } from '../support/our-speaker.ts'
import { holds } from '../support/routers/learnt.ts'
import type { Router } from '../support/routers/router.ts'
import { RouterLab } from '../support/routers/router-lab.ts'
import { routerKinds, routerPrograms } from '../support/routers/routers.ts'

const us = 65_010
const them = 65_020
const routes = { '192.0.2.1/32': {}, '2001:db8::1/128': {} }

describeLab('On port 179', routerPrograms, () => {
  let lab: RouterLab
  let we: OurSpeaker
  const routers = new Map<string, Router>()

  // With each router a session that it opens, and one that both open.
  beforeAll(async () => {
    lab = await RouterLab.build('listening', ['we', ...routerKinds])
    const both = await lab.alias('we', 101)
    we = await lab.speaker('we', { listen: 179 })
    const common = { myAsn: us, peerAsn: them, connectTimeMs: 1000, dualStackAddressFamily: true }
    await we.peers(
      ...routerKinds.flatMap(kind => [
        {
          ...common,
          name: `${kind} dials`,
          peerAddress: lab.address(kind),
          sourceAddress: lab.address('we'),
          passive: true,
        },
        { ...common, name: `${kind} and we`, peerAddress: lab.address(kind), sourceAddress: both.four },
      ]),
    )
    for (const kind of routerKinds) {
      const session = (address: string) => ({
        address,
        remoteAs: us,
        localAddress: lab.address(kind),
        families: ['ipv4', 'ipv6'] as const,
      })
      const neighbors = [session(lab.address('we')), session(both.four)]
      routers.set(kind, await lab.start(kind, kind, { as: them, routerId: lab.address(kind), neighbors }))
      for (const name of [`${kind} dials`, `${kind} and we`])
        await we.routes(name, ...Object.keys(routes).map(prefix => ({ prefix })))
    }
  })

  afterAll(() => lab[Symbol.asyncDispose]())

  describe.each(routerKinds)('%s', kind => {
    const router = (): Router => routers.get(kind) as Router

    it('is let in', async () => {
      await holds(router(), lab.address('we'), routes, 20)
      const { local } = await we.session(`${kind} dials`)
      expect(local?.port).toBe(179)
    })

    it('has one session with us, whoever connects first', async () => {
      await holds(router(), '10.80.0.101', routes, 20)
      const { since } = await we.session(`${kind} and we`)
      await pause(1500)
      const after = await we.session(`${kind} and we`)
      expect([after.state, after.since]).toEqual(['Established', since])
      const { stdout } = await lab.net.exec('we', 'ss', ['-Htn', 'state', 'established'])
      const other = lab.address(kind).replaceAll('.', '\\.')
      const between = stdout
        .split('\n')
        .filter(line => new RegExp(`10\\.80\\.0\\.101\\]?:.*${other}\\]?:`).test(line))
      expect(between).toHaveLength(1)
    })
  })

  it('strangers are turned away', async () => {
    await lab.net.host('stranger')
    await lab.net.join('switch', 'stranger', ['10.80.0.200/24'])
    const script = `
import socket
s = socket.create_connection(('${lab.address('we')}', 179), 5)
s.settimeout(5)
print(len(s.recv(100)))`
    const { stdout } = await lab.net.exec('stranger', 'python3', ['-c', script])
    expect(stdout.trim()).toBe('0')
    for (const { state } of await we.sessions()) expect(state).toBe('Established')
  })
})
