import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeLab } from '../../lab/support/needs.ts'
import { eventually } from '../../lab/support/speaker-lab.ts'
import type { OurSpeaker } from '../support/our-speaker.ts'
import type { Router } from '../support/routers/router.ts'
import { RouterLab } from '../support/routers/router-lab.ts'
import { routerPrograms } from '../support/routers/routers.ts'

const us = 65_010
const them = 65_020
const kinds = ['frr', 'bird'] as const
const nodes = ['node-a', 'node-b', 'node-c'] as const
const service = '192.0.2.1'
const service6 = '2001:db8::1'
const bfd = { transmitMs: 50, receiveMs: 50, multiplier: 3 }
/** Thrice 50 ms until BFD knows, and what the router and a busy machine need to change the kernel's table. */
const WITHIN_MS = 1000

interface RouteJson {
  readonly gateway?: string
  readonly nexthops?: readonly { readonly gateway: string }[]
}

describeLab('Three nodes and two routers', routerPrograms, () => {
  let lab: RouterLab
  const speakers = new Map<string, OurSpeaker>()
  const routers = new Map<string, Router>()

  /** Where a router's kernel sends what is for an address. */
  const nextHops = async (router: string, address = service): Promise<readonly string[]> => {
    const family = address.includes(':') ? ['-6'] : []
    const text = await lab.net.ipIn(router, '-j', ...family, 'route', 'show', address)
    const routes = JSON.parse(text.trim() || '[]') as readonly RouteJson[]
    return routes
      .flatMap(({ gateway, nexthops = [] }) => [
        ...(gateway === undefined ? [] : [gateway]),
        ...nexthops.map(hop => hop.gateway),
      ])
      .sort()
  }
  const leads = (router: string, to: readonly string[], address = service, seconds = 15) => {
    const wanted = to.map(node => lab.address(node, address.includes(':') ? 6 : 4)).sort()
    return eventually(
      `${router} sends ${address} to ${to.join(', ')}`,
      async () => JSON.stringify(await nextHops(router, address)) === JSON.stringify(wanted) || undefined,
      seconds,
    )
  }

  beforeAll(async () => {
    lab = await RouterLab.build('ecmp', [...kinds, ...nodes])
    for (const kind of kinds) {
      const neighbors = nodes.map(node => ({
        address: lab.address(node),
        localAddress: lab.address(kind),
        remoteAs: us,
        families: ['ipv4', 'ipv6'] as const,
        bfd,
      }))
      const config = { as: them, routerId: lab.address(kind), neighbors, install: true }
      routers.set(kind, await lab.start(kind, kind, config))
    }
    for (const node of nodes) {
      const we = await lab.speaker(node)
      speakers.set(node, we)
      await we.peers(
        ...kinds.map(kind => ({
          name: kind,
          myAsn: us,
          peerAsn: them,
          peerAddress: lab.address(kind),
          connectTimeMs: 1000,
          dualStackAddressFamily: true,
          bfd: {
            name: 'fast',
            receiveIntervalMs: bfd.receiveMs,
            transmitIntervalMs: bfd.transmitMs,
            detectMultiplier: bfd.multiplier,
            echoMode: false,
            echoIntervalMs: 50,
            passiveMode: false,
            minimumTtl: 254,
          },
        })),
      )
      for (const kind of kinds)
        await we.routes(kind, { prefix: `${service}/32` }, { prefix: `${service6}/128` })
    }
  })

  afterAll(() => lab[Symbol.asyncDispose]())

  it.each(kinds)('%s spreads traffic over every node, IPv4 and IPv6', async kind => {
    await leads(kind, nodes)
    await leads(kind, nodes, service6)
  })

  it('BFD is up between every node and every router, at the agreed pace', async () => {
    for (const [kind, router] of routers) {
      const up = await eventually(`${kind} has three BFD sessions up`, async () => {
        const all = await router.bfd()
        return all.length === nodes.length && all.every(({ state }) => state === 'up') ? all : undefined
      })
      for (const { transmitMs, detectMs } of up) expect([transmitMs, detectMs]).toEqual([50, 150])
    }
    for (const we of speakers.values())
      for (const kind of kinds) await we.until(kind, 'is watched', status => status.bfd?.state === 'up')
  })

  it('a node that is cut is no next hop any more within the time of BFD, and is one again when it is mended', async () => {
    await pause(500)
    const from = performance.now()
    await lab.cut('node-b')
    try {
      const others = nodes.filter(node => node !== 'node-b')
      await Promise.all(
        kinds.map(async kind => {
          await leads(kind, others, service, 5)
          expect(performance.now() - from).toBeLessThan(WITHIN_MS)
        }),
      )
      for (const kind of kinds) {
        expect((await speakers.get('node-b')?.lost(kind, from))?.code).toBe('BFD_DOWN')
        await leads(kind, others, service6)
      }
    } finally {
      await lab.mend('node-b')
    }
    for (const kind of kinds) await leads(kind, nodes, service, 20)
  })

  it('a node that is killed is no next hop any more at once', async () => {
    await speakers.get('node-c')?.kill()
    for (const kind of kinds) await leads(kind, ['node-a', 'node-b'], service, 2)
  })

  describe('a router that stands still', () => {
    it('is given up by the nodes within the time of BFD, and the other is not', async () => {
      const we = speakers.get('node-a') as OurSpeaker
      const before = await we.session('bird')
      const daemons = await lab.net.processes('frr')
      for (const pid of daemons) process.kill(pid, 'SIGSTOP')
      const from = performance.now()
      try {
        const { code, at } = await we.lost('frr', from, 3)
        expect(at - from).toBeLessThan(WITHIN_MS)
        expect(code).toBe('BFD_DOWN')
      } finally {
        for (const pid of daemons) process.kill(pid, 'SIGCONT')
      }
      await leads('frr', ['node-a', 'node-b'], service, 20)
      expect((await we.session('bird')).since).toBe(before.since)
    })
  })
})
