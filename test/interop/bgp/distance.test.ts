import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeLab } from '../../lab/support/needs.ts'
import type { OurSpeaker } from '../support/our-speaker.ts'
import { holds } from '../support/routers/learnt.ts'
import type { Router } from '../support/routers/router.ts'
import { RouterLab } from '../support/routers/router-lab.ts'
import { type RouterKind, routerKinds, routerPrograms } from '../support/routers/routers.ts'

const us = 65_010
const them = 65_020

/** What each side knows of the distance, two hops, from an address of our own each. */
const sides = {
  multihop: { number: 101, myAsn: us, ours: { ebgpMultiHop: true }, theirs: { multihop: 5 } },
  multihop6: { number: 102, myAsn: us, ours: { ebgpMultiHop: true }, theirs: { multihop: 5 } },
  internal: { number: 103, myAsn: them, ours: {}, theirs: { multihop: 5 } },
  untold: { number: 104, myAsn: us, ours: {}, theirs: { multihop: 5 } },
  secured: { number: 105, myAsn: us, ours: { ttlSecurity: 2 }, theirs: { ttlSecurity: 2 } },
  tooFar: { number: 106, myAsn: us, ours: { ttlSecurity: 1 }, theirs: { ttlSecurity: 2 } },
} as const

type Side = keyof typeof sides
const names = Object.keys(sides) as readonly Side[]
const family = (side: Side): 4 | 6 => (side === 'multihop6' ? 6 : 4)
const addressOf = (side: Side): string =>
  family(side) === 6 ? `fd80::${sides[side].number}` : `10.80.0.${sides[side].number}`

describeLab('A router that is two hops away', routerPrograms, () => {
  let lab: RouterLab
  let we: OurSpeaker
  const routers = new Map<string, Router>()
  const far = (kind: RouterKind, side?: Side): string => {
    const number = 11 + routerKinds.indexOf(kind)
    return side !== undefined && family(side) === 6 ? `fd81::${number}` : `10.81.0.${number}`
  }

  beforeAll(async () => {
    lab = await RouterLab.build('distance', ['we', 'gateway'])
    await lab.behind('gateway', routerKinds)
    for (const side of names) await lab.alias('we', sides[side].number)
    for (const kind of routerKinds) {
      const neighbors = names.map(side => ({
        address: addressOf(side),
        remoteAs: sides[side].myAsn,
        localAddress: far(kind, side),
        passive: true,
        ...sides[side].theirs,
      }))
      routers.set(kind, await lab.start(kind, kind, { as: them, routerId: far(kind), neighbors }))
    }
    we = await lab.speaker('we')
    await we.peers(
      ...routerKinds.flatMap(kind =>
        names.map(side => ({
          name: `${kind} ${side}`,
          myAsn: sides[side].myAsn,
          peerAsn: them,
          peerAddress: far(kind, side),
          sourceAddress: addressOf(side),
          connectTimeMs: 1000,
          ...sides[side].ours,
        })),
      ),
    )
    for (const kind of routerKinds)
      for (const side of names)
        await we.routes(`${kind} ${side}`, { prefix: '192.0.2.1/32' }, { prefix: '2001:db8::1/128' })
  })

  afterAll(() => lab[Symbol.asyncDispose]())

  describe.each(routerKinds)('%s', kind => {
    const router = (): Router => routers.get(kind) as Router
    const told = (side: Side, prefix: string) =>
      holds(router(), addressOf(side), { [prefix]: { nextHop: addressOf(side) } })

    it('has a session where ebgpMultiHop says so, or within one AS', async () => {
      await told('multihop', '192.0.2.1/32')
      await told('multihop6', '2001:db8::1/128')
      await told('internal', '192.0.2.1/32')
    })

    it('has none otherwise', async () => {
      const { state, lastError } = await we.until(
        `${kind} untold`,
        'cannot connect',
        status => status.lastError !== undefined,
      )
      expect(state).not.toBe('Established')
      expect(lastError?.code).toBe('PEER_UNREACHABLE')
    })

    // ExaBGP leaves the TTL of connections that it accepts as it is.
    if (kind === 'exabgp') return

    it('has one where ttlSecurity allows for two hops, and none where for one', async () => {
      await told('secured', '192.0.2.1/32')
      const { state, lastError } = await we.until(
        `${kind} tooFar`,
        'cannot connect',
        status => status.lastError !== undefined,
      )
      expect([state === 'Established', lastError?.code]).toEqual([false, 'PEER_UNREACHABLE'])
    })
  })
})
