import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeLab } from '../../lab/support/needs.ts'
import type { OurSpeaker } from '../support/our-speaker.ts'
import { holds } from '../support/routers/learnt.ts'
import type { Router } from '../support/routers/router.ts'
import { RouterLab } from '../support/routers/router-lab.ts'
import { type RouterKind, routerKinds, routerPrograms } from '../support/routers/routers.ts'

const us = 65_010
const them = 65_020
const HOLD_SECONDS = 3
/** Hold time, and what routers and a busy machine add to it. */
const GONE_SECONDS = HOLD_SECONDS + 3
// GoBGP refuses connections for five seconds after a loss, and is not waited for.
const swift = routerKinds.filter(kind => kind !== 'gobgp')
const routes = { '192.0.2.1/32': {}, '192.0.2.2/32': {} }

describeLab('When one side is not heard any more', routerPrograms, () => {
  let lab: RouterLab
  let we: OurSpeaker
  const routers = new Map<string, Router>()

  const start = async (): Promise<void> => {
    we = await lab.speaker('we')
    await we.peers(
      ...routerKinds.map(kind => ({
        name: kind,
        myAsn: us,
        peerAsn: them,
        peerAddress: lab.address(kind),
        holdTimeMs: HOLD_SECONDS * 1000,
        connectTimeMs: 1000,
      })),
    )
    for (const kind of routerKinds) await we.routes(kind, ...Object.keys(routes).map(prefix => ({ prefix })))
  }

  const hold = async (
    kinds: readonly RouterKind[],
    wanted: Readonly<Record<string, object>>,
    seconds: number,
  ): Promise<void> => {
    const all = kinds.map(kind => routers.get(kind) as Router)
    await Promise.all(all.map(router => holds(router, lab.address('we'), wanted, seconds)))
  }

  beforeAll(async () => {
    lab = await RouterLab.build('silence', ['we', ...routerKinds])
    await start()
    for (const kind of routerKinds) {
      const neighbors = [
        {
          address: lab.address('we'),
          remoteAs: us,
          localAddress: lab.address(kind),
          holdTime: HOLD_SECONDS,
        },
      ]
      routers.set(kind, await lab.start(kind, kind, { as: them, routerId: lab.address(kind), neighbors }))
    }
    await hold(routerKinds, routes, 15)
  })

  afterAll(() => lab[Symbol.asyncDispose]())

  it('a hold time of three seconds is agreed on', async () => {
    for (const kind of routerKinds)
      expect((await we.session(kind)).negotiated).toMatchObject({ holdTimeMs: 3000, keepaliveTimeMs: 1000 })
  })

  it('a cut link ends the sessions of both sides within the hold time, and they come back when it is mended', async () => {
    const from = performance.now()
    await lab.cut('we')
    try {
      await hold(routerKinds, {}, GONE_SECONDS)
      for (const kind of routerKinds) {
        const { code, at } = await we.lost(kind, from, GONE_SECONDS)
        expect([kind, code]).toEqual([kind, 'HOLD_TIMER_EXPIRED'])
        expect(at - from).toBeGreaterThan(HOLD_SECONDS * 1000 - 1500)
      }
    } finally {
      await lab.mend('we')
    }
    await hold(swift, routes, 15)
  })

  it('a speaker that stands still loses its routes within the hold time, and is back when it goes on', async () => {
    we.signal('SIGSTOP')
    try {
      await hold(swift, {}, GONE_SECONDS)
    } finally {
      we.signal('SIGCONT')
    }
    await hold(swift, routes, 15)
  })

  describe.each(['frr', 'bird'] as const)('a %s that stands still', kind => {
    it('is given up within the hold time, and nobody else is', async () => {
      const others = swift.filter(other => other !== kind)
      const before = await Promise.all(others.map(other => we.session(other)))
      const router = routers.get(kind) as Router
      const from = performance.now()
      process.kill(router.pid ?? 0, 'SIGSTOP')
      try {
        expect((await we.lost(kind, from, GONE_SECONDS)).code).toBe('HOLD_TIMER_EXPIRED')
      } finally {
        process.kill(router.pid ?? 0, 'SIGCONT')
      }
      await we.established(kind, 20)
      await holds(router, lab.address('we'), routes)
      const after = await Promise.all(others.map(other => we.session(other)))
      expect(after.map(({ since }) => since)).toEqual(before.map(({ since }) => since))
    })
  })

  it('a speaker that is killed loses its routes at once, and has them again when it is started', async () => {
    await hold(routerKinds, routes, 40)
    await we.kill()
    await hold(routerKinds, {}, 1.5)
    await start()
    await hold(swift, routes, 15)
  })
})
