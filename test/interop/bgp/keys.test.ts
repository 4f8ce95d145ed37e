import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeLab } from '../../lab/support/needs.ts'
import { eventually } from '../../lab/support/speaker-lab.ts'
import type { OurSpeaker } from '../support/our-speaker.ts'
import { holds } from '../support/routers/learnt.ts'
import type { Router } from '../support/routers/router.ts'
import { RouterLab } from '../support/routers/router-lab.ts'
import { type RouterKind, routerKinds, routerPrograms } from '../support/routers/routers.ts'

const us = 65_010
const them = 65_020
const key = 'ours-and-theirs'
const otherKey = 'somebody-elses'

/** Which key each side has, from an address of our own each. */
const sides = {
  same: { number: 101, ours: key, theirs: key },
  same6: { number: 102, ours: key, theirs: key },
  different: { number: 103, ours: otherKey, theirs: key },
  onlyOurs: { number: 104, ours: key, theirs: undefined },
  onlyTheirs: { number: 105, ours: undefined, theirs: key },
  dialled: { number: 106, ours: key, theirs: key },
} as const

type Side = keyof typeof sides
const names = Object.keys(sides) as readonly Side[]
const addressOf = (side: Side): string =>
  side === 'same6' ? `fd80::${sides[side].number}` : `10.80.0.${sides[side].number}`

describeLab('A TCP-MD5 key', routerPrograms, () => {
  let lab: RouterLab
  let we: OurSpeaker
  const routers = new Map<string, Router>()

  const peer = (kind: RouterKind, side: Side, password: string | undefined = sides[side].ours) => ({
    name: `${kind} ${side}`,
    myAsn: us,
    peerAsn: them,
    peerAddress: lab.address(kind, side === 'same6' ? 6 : 4),
    sourceAddress: addressOf(side),
    connectTimeMs: 1000,
    passive: side === 'dialled',
    ...(password !== undefined && { password }),
  })
  const peers = (correction?: { readonly kind: RouterKind }) =>
    routerKinds.flatMap(kind =>
      names.map(side =>
        kind === correction?.kind && side === 'different' ? peer(kind, side, key) : peer(kind, side),
      ),
    )

  beforeAll(async () => {
    lab = await RouterLab.build('keys', ['we', ...routerKinds])
    for (const side of names) await lab.alias('we', sides[side].number)
    // Who is to connect finds us: GoBGP takes half a minute to try again. ExaBGP is confused by connections while it starts.
    we = await lab.speaker('we')
    await we.peers(...routerKinds.map(kind => peer(kind, 'dialled')))
    for (const kind of routerKinds) {
      const neighbors = names.map(side => ({
        address: addressOf(side),
        remoteAs: us,
        localAddress: lab.address(kind, side === 'same6' ? 6 : 4),
        passive: side !== 'dialled',
        ...(sides[side].theirs !== undefined && { password: sides[side].theirs }),
      }))
      routers.set(kind, await lab.start(kind, kind, { as: them, routerId: lab.address(kind), neighbors }))
    }
    await we.peers(...peers())
    for (const kind of routerKinds)
      for (const side of names)
        await we.routes(`${kind} ${side}`, { prefix: '192.0.2.1/32' }, { prefix: '2001:db8::1/128' })
  })

  afterAll(() => lab[Symbol.asyncDispose]())

  describe.each(routerKinds)('shared with %s', kind => {
    const router = (): Router => routers.get(kind) as Router

    it('signs sessions over IPv4 and IPv6, also when the router connects', async () => {
      await holds(router(), addressOf('same'), { '192.0.2.1/32': {} })
      await holds(router(), addressOf('same6'), { '2001:db8::1/128': {} })
      await holds(router(), addressOf('dialled'), { '192.0.2.1/32': {} }, 40)
    })

    it('lets no session come about where it is another, or one side has none', async () => {
      for (const side of ['different', 'onlyOurs', 'onlyTheirs'] as const) {
        const { lastError } = await we.until(
          `${kind} ${side}`,
          'cannot connect',
          status => status.lastError !== undefined,
        )
        expect([side, lastError?.code]).toEqual([side, 'PEER_UNREACHABLE'])
        await holds(router(), addressOf(side), {})
      }
    })

    it('can be corrected, which touches no other session', async () => {
      const before = await we.session(`${kind} same`)
      await we.peers(...peers({ kind }))
      await we.established(`${kind} different`, 40)
      await holds(router(), addressOf('different'), { '192.0.2.1/32': {} })
      const after = await we.session(`${kind} same`)
      expect([after.since, after.counters.opensSent]).toEqual([before.since, before.counters.opensSent])
    })
  })

  it('stands in no log, no status and no process list', async () => {
    const { stdout } = await lab.net.exec('we', 'ps', ['-eo', 'args'])
    const told = [we.log, JSON.stringify(await we.sessions()), stdout].join('\n')
    for (const secret of [key, otherKey]) expect(told).not.toContain(secret)
    await eventually('it has logged something', () => we.log.includes('established') || undefined)
  })
})
