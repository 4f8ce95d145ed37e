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

describeLab('A router that goes away', routerPrograms, () => {
  let lab: RouterLab
  let we: OurSpeaker
  const routers = new Map<string, Router>()

  beforeAll(async () => {
    lab = await RouterLab.build('restart', ['we', ...routerKinds])
    for (const kind of routerKinds) {
      const neighbors = [
        {
          address: lab.address('we'),
          remoteAs: us,
          localAddress: lab.address(kind),
          families: ['ipv4', 'ipv6'] as const,
          passive: true,
        },
      ]
      routers.set(kind, await lab.start(kind, kind, { as: them, routerId: lab.address(kind), neighbors }))
    }
    we = await lab.speaker('we')
    await we.peers(
      ...routerKinds.map(kind => ({
        name: kind,
        myAsn: us,
        peerAsn: them,
        peerAddress: lab.address(kind),
        connectTimeMs: 1000,
        dualStackAddressFamily: true,
      })),
    )
    for (const kind of routerKinds) await we.routes(kind, ...Object.keys(routes).map(prefix => ({ prefix })))
  })

  afterAll(() => lab[Symbol.asyncDispose]())

  describe.each(routerKinds)('%s', kind => {
    const router = (): Router => routers.get(kind) as Router
    const told = (seconds?: number): Promise<void> => holds(router(), lab.address('we'), routes, seconds)

    it('has our routes again when it was stopped and started', async () => {
      await told()
      const from = performance.now()
      await router().stop()
      await we.lost(kind, from, 3)
      await router().start()
      await told()
    })

    it('has them again when it was killed and started', async () => {
      const from = performance.now()
      await router().kill()
      expect((await we.lost(kind, from, 3)).code).toMatch(/CONNECTION_LOST|PEER_UNREACHABLE/)
      await router().start()
      await told()
    })

    // GoBGP would let half a minute pass.
    if (kind === 'gobgp') return

    it('says why it ends a session, and has them again', async () => {
      const from = performance.now()
      await router().clear(lab.address('we'))
      const { code, message } = await we.lost(kind, from)
      expect(code).toBe('NOTIFICATION_RECEIVED')
      expect(message).toMatch(/administrative reset|administrative shutdown|peer de-configured/i)
      await told(15)
    })
  })

  describe.each(['frr', 'bird', 'gobgp'] as const)('%s', kind => {
    it('shuts us out with a text, which we show', async () => {
      const router = routers.get(kind) as Router
      await we.established(kind)
      const from = performance.now()
      await router.shut(lab.address('we'), 'moving to rack 7, back at noon')
      const { code, message } = await we.lost(kind, from)
      expect(code).toBe('NOTIFICATION_RECEIVED')
      expect(message).toMatch(/administrative shutdown/i)
      expect(message).toContain('moving to rack 7, back at noon')
    })
  })
})
