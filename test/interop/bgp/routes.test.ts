import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeLab } from '../../lab/support/needs.ts'
import { eventually } from '../../lab/support/speaker-lab.ts'
import type { OurSpeaker } from '../support/our-speaker.ts'
import { holds } from '../support/routers/learnt.ts'
import type { Router } from '../support/routers/router.ts'
import { RouterLab } from '../support/routers/router-lab.ts'
import { routerKinds, routerPrograms } from '../support/routers/routers.ts'

const us = 65_010
const them = 65_020
const both = ['ipv4', 'ipv6'] as const
const plain = { asPath: [us], communities: [], largeCommunities: [] }

describeLab('What we announce', routerPrograms, () => {
  let lab: RouterLab
  let we: OurSpeaker
  const routers = new Map<string, Router>()

  // Four sessions with each router: IPv4, IPv6, and both families over each of them.
  beforeAll(async () => {
    lab = await RouterLab.build('routes', ['we', ...routerKinds])
    await lab.alias('we', 101)
    for (const kind of routerKinds) {
      const session = (address: string, family: 4 | 6) => ({
        address,
        remoteAs: us,
        localAddress: lab.address(kind, family),
      })
      const neighbors = [
        session('10.80.0.101', 4),
        session('fd80::101', 6),
        { ...session(lab.address('we'), 4), families: both },
        { ...session(lab.address('we', 6), 6), families: both },
      ]
      routers.set(kind, await lab.start(kind, kind, { as: them, routerId: lab.address(kind), neighbors }))
    }
    we = await lab.speaker('we')
    const common = { myAsn: us, peerAsn: them, connectTimeMs: 1000 }
    await we.peers(
      ...routerKinds.flatMap(kind => {
        const four = { ...common, peerAddress: lab.address(kind) }
        const six = { ...common, peerAddress: lab.address(kind, 6) }
        return [
          { ...four, name: `${kind} 4`, sourceAddress: '10.80.0.101' },
          { ...six, name: `${kind} 6`, sourceAddress: 'fd80::101' },
          { ...four, name: `${kind} 4 both`, sourceAddress: lab.address('we'), dualStackAddressFamily: true },
          {
            ...six,
            name: `${kind} 6 both`,
            sourceAddress: lab.address('we', 6),
            dualStackAddressFamily: true,
          },
        ]
      }),
    )
  })

  afterAll(() => lab[Symbol.asyncDispose]())

  describe.each(routerKinds)('to %s', kind => {
    const router = (): Router => routers.get(kind) as Router

    it('arrives: IPv4 and IPv6 over IPv4 and IPv6', async () => {
      const routes = [{ prefix: '192.0.2.1/32' }, { prefix: '192.0.2.128/25' }, { prefix: '2001:db8::1/128' }]
      for (const session of ['4', '6', '4 both', '6 both']) await we.routes(`${kind} ${session}`, ...routes)
      await holds(router(), '10.80.0.101', {
        '192.0.2.1/32': { ...plain, nextHop: '10.80.0.101' },
        '192.0.2.128/25': { ...plain, nextHop: '10.80.0.101' },
      })
      await holds(router(), 'fd80::101', { '2001:db8::1/128': { ...plain, nextHop: 'fd80::101' } })
      await holds(router(), lab.address('we'), {
        '192.0.2.1/32': { ...plain, nextHop: lab.address('we') },
        '192.0.2.128/25': { ...plain, nextHop: lab.address('we') },
        '2001:db8::1/128': { ...plain, nextHop: lab.address('we', 6) },
      })
      await holds(router(), lab.address('we', 6), {
        '192.0.2.1/32': plain,
        '192.0.2.128/25': plain,
        '2001:db8::1/128': { ...plain, nextHop: lab.address('we', 6) },
      })
      // What a session does not carry is not counted as announced.
      expect((await we.session(`${kind} 4`)).routes).toMatchObject({ desired: 3, announced: 2, pending: 0 })
    })

    it('carries communities, large communities and prefixes of every length', async () => {
      const communities = [
        '65535:65281',
        '65010:1',
        '65010:20',
        'large:65010:1:2',
        'large:4200000000:0:4294967295',
      ]
      await we.routes(
        `${kind} 4`,
        { prefix: '192.0.2.1/32', communities },
        { prefix: '198.51.100.0/24', communities: ['65010:7'] },
        { prefix: '10.0.0.0/8', communities: ['large:65010:9:9'] },
      )
      await holds(router(), '10.80.0.101', {
        '192.0.2.1/32': {
          communities: ['65010:1', '65010:20', '65535:65281'],
          largeCommunities: ['65010:1:2', '4200000000:0:4294967295'],
        },
        '198.51.100.0/24': { communities: ['65010:7'], largeCommunities: [] },
        '10.0.0.0/8': { communities: [], largeCommunities: ['65010:9:9'] },
      })
    })

    it('follows what is declared: attributes change, a prefix goes, others stay', async () => {
      const name = `${kind} 4`
      await we.routes(
        name,
        { prefix: '192.0.2.1/32' },
        { prefix: '192.0.2.2/32' },
        { prefix: '192.0.2.3/32' },
      )
      await holds(router(), '10.80.0.101', {
        '192.0.2.1/32': plain,
        '192.0.2.2/32': plain,
        '192.0.2.3/32': plain,
      })
      const before = (await we.session(name)).counters.updatesSent
      await we.routes(name, { prefix: '192.0.2.1/32' }, { prefix: '192.0.2.2/32', communities: ['65010:5'] })
      await holds(router(), '10.80.0.101', {
        '192.0.2.1/32': plain,
        '192.0.2.2/32': { communities: ['65010:5'] },
      })
      // One change and one withdrawal; saying the same again says nothing.
      await we.routes(name, { prefix: '192.0.2.1/32' }, { prefix: '192.0.2.2/32', communities: ['65010:5'] })
      expect((await we.session(name)).counters.updatesSent).toBe(before + 2)
    })

    it('is preceded by an OPEN that says what we can do', async () => {
      const sessions = await router().sessions()
      const { capabilities, remoteAs, remoteRouterId } =
        sessions.find(({ neighbor }) => neighbor === lab.address('we')) ?? {}
      expect(remoteAs).toBe(us)
      expect(remoteRouterId).toMatch(/^10\.80\.0\.1(01)?$/)
      expect(capabilities).toEqual(
        expect.arrayContaining(['fourOctetAs', 'multiprotocol ipv4', 'multiprotocol ipv6', 'routeRefresh']),
      )
      // Not meant, so not offered: routers would keep the routes of a dead speaker.
      expect(capabilities).not.toContain('gracefulRestart')
    })

    // GoBGP keeps all that it was told, and never asks.
    if (kind === 'gobgp') return

    it('is sent again when the router asks for it', async () => {
      const name = `${kind} 4 both`
      const { counters } = await we.session(name)
      await router().refresh(lab.address('we'))
      // One request for each family, answered with two prefixes that fit one UPDATE, and with one.
      await we.until(
        name,
        'has been asked for its routes',
        ({ counters: now }) =>
          now.refreshesReceived === counters.refreshesReceived + 2 &&
          now.updatesSent >= counters.updatesSent + 2,
      )
      await holds(router(), lab.address('we'), {
        '192.0.2.1/32': plain,
        '192.0.2.128/25': plain,
        '2001:db8::1/128': plain,
      })
      expect((await we.session(name)).state).toBe('Established')
    })
  })

  it('is withdrawn from all of them when we stop, who are told why', async () => {
    const began = performance.now()
    await we.stop()
    expect(performance.now() - began).toBeLessThan(2000)
    for (const kind of routerKinds) {
      const router = routers.get(kind) as Router
      for (const neighbor of ['10.80.0.101', 'fd80::101', lab.address('we'), lab.address('we', 6)])
        await holds(router, neighbor, {}, 2)
      // ExaBGP stumbles over every NOTIFICATION, that is message type 3.
      const words = kind === 'exabgp' ? /message of type "3"/ : /Carillon stops on this node/
      let errors: readonly string[] = []
      const told = async (): Promise<true | undefined> => {
        errors = (await router.sessions()).map(({ lastError }) => lastError)
        return errors.every(error => words.test(error)) || undefined
      }
      await eventually(kind, told, 3).catch(() => expect(errors, kind).toEqual([words, words, words, words]))
    }
  })
})
