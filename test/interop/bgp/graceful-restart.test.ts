import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeLab } from '../../lab/support/needs.ts'
import type { OurSpeaker } from '../support/our-speaker.ts'
import { holds, learnt } from '../support/routers/learnt.ts'
import type { Router } from '../support/routers/router.ts'
import { RouterLab } from '../support/routers/router-lab.ts'
import { type RouterKind, routerPrograms } from '../support/routers/routers.ts'

const us = 65_010
const them = 65_020
/** Seconds for which routers keep the routes of a speaker that is away. GoBGP refuses connections for the first five of them. */
const RESTART_SECONDS = 5
const LONG_RESTART_SECONDS = 30
// ExaBGP keeps nothing for anybody.
const kinds: readonly RouterKind[] = ['frr', 'bird', 'gobgp']
const swift = kinds.filter(kind => kind !== 'gobgp')
/** Longer than a process takes to start, and much shorter than they wait. */
const AWAY_MS = 1000
const prefixes = ['192.0.2.1/32', '192.0.2.2/32', '2001:db8::1/128']
const rest = prefixes.slice(1)
const fresh = Object.fromEntries(prefixes.map(prefix => [prefix, { stale: false }]))

/** Notes again and again what routers hold, until it is told to stop; gives the least number of routes by router. */
function watch(
  routers: ReadonlyMap<string, Router>,
  neighbor: string,
): () => Promise<Record<string, number>> {
  let going = true
  const loop = async ([kind, router]: readonly [string, Router]): Promise<readonly [string, number]> => {
    let least = Number.POSITIVE_INFINITY
    while (going) {
      least = Math.min(least, (await learnt(router, neighbor)).size)
      await pause(10)
    }
    return [kind, least]
  }
  const loops = Promise.all([...routers].map(loop))
  return async () => {
    going = false
    return Object.fromEntries(await loops)
  }
}

describeLab('With graceful restart', routerPrograms, () => {
  let lab: RouterLab
  let we: OurSpeaker
  const routers = new Map<string, Router>()

  const start = async (routes: readonly string[]): Promise<void> => {
    we = await lab.speaker('we')
    await we.peers(
      ...kinds.map(kind => ({
        name: kind,
        myAsn: us,
        peerAsn: them,
        peerAddress: lab.address(kind),
        dualStackAddressFamily: true,
        connectTimeMs: 1000,
        gracefulRestart: true,
        restartTimeMs: (kind === 'gobgp' ? LONG_RESTART_SECONDS : RESTART_SECONDS) * 1000,
      })),
    )
    for (const kind of kinds) await we.routes(kind, ...routes.map(prefix => ({ prefix })))
  }
  const of = (some: readonly RouterKind[]): ReadonlyMap<string, Router> =>
    new Map([...routers].filter(([kind]) => some.some(one => one === kind)))
  const hold = (
    some: readonly RouterKind[],
    wanted: Readonly<Record<string, object>>,
    seconds = 10,
  ): Promise<unknown> =>
    Promise.all([...of(some).values()].map(router => holds(router, lab.address('we'), wanted, seconds)))
  const count = (some: readonly RouterKind[], number: number): Record<string, number> =>
    Object.fromEntries(some.map(kind => [kind, number]))

  beforeAll(async () => {
    lab = await RouterLab.build('graceful', ['we', ...kinds])
    await start(prefixes)
    for (const kind of kinds) {
      const neighbors = [
        {
          address: lab.address('we'),
          remoteAs: us,
          localAddress: lab.address(kind),
          families: ['ipv4', 'ipv6'] as const,
          gracefulRestart: 'helper' as const,
        },
      ]
      routers.set(kind, await lab.start(kind, kind, { as: them, routerId: lab.address(kind), neighbors }))
    }
    await hold(kinds, fresh, 15)
  })

  afterAll(() => lab[Symbol.asyncDispose]())

  it('is offered, and understood by routers', async () => {
    for (const [kind, router] of routers) {
      const [session] = await router.sessions()
      expect([kind, session?.capabilities]).toEqual([kind, expect.arrayContaining(['gracefulRestart'])])
    }
  })

  it('no route is missing from the kill of a speaker until it is back, and what it does not say again goes', async () => {
    const stop = watch(routers, lab.address('we'))
    await we.kill()
    await pause(AWAY_MS)
    await start(prefixes)
    await hold(kinds, fresh, 20)
    // GoBGP is ready for us later than it shows what it has kept.
    await we.established('gobgp', 20)
    await hold(kinds, fresh)
    expect(await stop()).toEqual(count(kinds, prefixes.length))

    await we.kill()
    await start(rest)
    await hold(swift, Object.fromEntries(rest.map(prefix => [prefix, { stale: false }])))
  })

  it('an orderly stop leaves the routes there, too', async () => {
    const stop = watch(of(swift), lab.address('we'))
    await we.stop()
    await pause(AWAY_MS)
    await start(rest)
    for (const kind of swift)
      await we.until(kind, 'is told all', ({ routes }) => routes.announced === rest.length)
    expect(await stop()).toEqual(count(swift, rest.length))
  })

  describe('a speaker that does not come back', () => {
    it('loses its routes when its time is over', async () => {
      const from = performance.now()
      await we.kill()
      await hold(swift, {}, RESTART_SECONDS + 4)
      expect(performance.now() - from).toBeGreaterThan((RESTART_SECONDS - 1) * 1000)
    })
  })
})
