import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeLab } from '../../lab/support/needs.ts'
import type { OurSpeaker } from '../support/our-speaker.ts'
import { holds, learnt } from '../support/routers/learnt.ts'
import type { Router } from '../support/routers/router.ts'
import { RouterLab } from '../support/routers/router-lab.ts'
import { routerKinds, routerPrograms } from '../support/routers/routers.ts'

const them = 65_020

/** Who we are to a router, from an address of our own each. */
const sides = {
  internal: { number: 101, ours: { myAsn: them, peerAsn: them }, expected: them },
  fourOctets: { number: 102, ours: { myAsn: 4_200_000_001, peerAsn: them }, expected: 4_200_000_001 },
  anyExternal: { number: 103, ours: { myAsn: 65_013, dynamicAsn: 'external' }, expected: 65_013 },
  anyInternal: { number: 104, ours: { myAsn: them, dynamicAsn: 'internal' }, expected: them },
  local: { number: 105, ours: { myAsn: 65_015, localAsn: 65_115, peerAsn: them }, expected: 65_115 },
  localInternal: { number: 106, ours: { myAsn: 65_016, localAsn: them, peerAsn: them }, expected: them },
  wrongForUs: { number: 107, ours: { myAsn: 65_017, peerAsn: 65_021 }, expected: 65_017 },
  notInternal: { number: 108, ours: { myAsn: 65_018, dynamicAsn: 'internal' }, expected: 65_018 },
  wrongForThem: { number: 109, ours: { myAsn: 65_019, peerAsn: them }, expected: 65_111 },
} as const

type Side = keyof typeof sides
const names = Object.keys(sides) as readonly Side[]
const addressOf = (side: Side): string => `10.80.0.${sides[side].number}`

describeLab('AS numbers', routerPrograms, () => {
  let lab: RouterLab
  let we: OurSpeaker
  const routers = new Map<string, Router>()

  beforeAll(async () => {
    lab = await RouterLab.build('as', ['we', ...routerKinds])
    for (const side of names) await lab.alias('we', sides[side].number)
    for (const kind of routerKinds) {
      const neighbors = names.map(side => ({
        address: addressOf(side),
        remoteAs: sides[side].expected,
        localAddress: lab.address(kind),
      }))
      routers.set(kind, await lab.start(kind, kind, { as: them, routerId: lab.address(kind), neighbors }))
    }
    we = await lab.speaker('we')
    await we.peers(
      ...routerKinds.flatMap(kind =>
        names.map(side => ({
          ...sides[side].ours,
          name: `${kind} ${side}`,
          peerAddress: lab.address(kind),
          sourceAddress: addressOf(side),
          connectTimeMs: 1000,
        })),
      ),
    )
    for (const kind of routerKinds)
      for (const side of names)
        await we.routes(
          `${kind} ${side}`,
          { prefix: '192.0.2.1/32' },
          { prefix: '192.0.2.2/32', localPref: 250 },
        )
  })

  afterAll(() => lab[Symbol.asyncDispose]())

  describe.each(routerKinds)('beside %s', kind => {
    const router = (): Router => routers.get(kind) as Router

    it.each(['internal', 'anyInternal', 'localInternal'] as const)(
      'within one AS the path is empty and the local preference arrives: %s',
      async side => {
        await holds(router(), addressOf(side), {
          '192.0.2.1/32': { asPath: [], localPref: 100, nextHop: addressOf(side) },
          '192.0.2.2/32': { asPath: [], localPref: 250, nextHop: addressOf(side) },
        })
        const { negotiated, localAs } = await we.session(`${kind} ${side}`)
        expect({ ...negotiated, localAs }).toMatchObject({ internal: true, peerAs: them, localAs: them })
      },
    )

    it.each(['fourOctets', 'anyExternal', 'local'] as const)(
      'between two the path is our AS, and nothing is said of preference: %s',
      async side => {
        const asPath = [sides[side].expected]
        await holds(router(), addressOf(side), { '192.0.2.1/32': { asPath }, '192.0.2.2/32': { asPath } })
        const [path] = (await learnt(router(), addressOf(side))).values()
        // BIRD shows its own default for what it was not told.
        expect(path?.localPref ?? 100).toBe(100)
        expect((await we.session(`${kind} ${side}`)).negotiated).toMatchObject({
          internal: false,
          fourOctetAs: true,
        })
      },
    )

    it.each(['wrongForUs', 'notInternal'] as const)(
      'a router in another AS than the configured one gets no session: %s',
      async side => {
        const { state, lastError } = await we.until(
          `${kind} ${side}`,
          'refuses',
          ({ lastError }) => lastError?.code === 'WRONG_PEER_AS',
        )
        expect(state).not.toBe('Established')
        expect(lastError?.message).toContain(`AS ${them}`)
        await holds(router(), addressOf(side), {})
      },
    )

    it('a router that expects another AS of us refuses, and we say so', async () => {
      const { lastError } = await we.until(
        `${kind} wrongForThem`,
        'is refused',
        ({ lastError }) => lastError?.code === 'NOTIFICATION_RECEIVED',
      )
      expect(lastError?.message).toMatch(/peer AS/i)
    })
  })

  it('sessions that fail have not disturbed those that do not', async () => {
    for (const { peer, state, counters } of await we.sessions())
      if (!/wrong|not/.test(peer)) {
        expect([peer, state]).toEqual([peer, 'Established'])
        expect([peer, counters.notificationsSent]).toEqual([peer, 0])
      }
  })
})
