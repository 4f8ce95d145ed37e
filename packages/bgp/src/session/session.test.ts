import { FakeClock } from '@carillon/core/testing'
import { describe, expect, it } from 'vitest'
import type { BgpPeer } from '../speaker/peer.ts'
import type { Message, OpenMessage, RouteRefreshMessage } from '../wire/message.ts'
import type { BfdObserver, BfdState, BfdTarget } from './bfd-watch.ts'
import { peer, RouterEnd, routerOpen, SessionLab } from './scripted-router.test.ts'

const keepalive: Message = { type: 'keepalive' }
const refresh = (afi: number): RouteRefreshMessage => ({
  type: 'routeRefresh',
  afi,
  safi: 1,
  subtype: 'request',
})
const both: Partial<BgpPeer> = { dualStackAddressFamily: true }
const restartable: OpenMessage = {
  ...routerOpen,
  capabilities: [
    ...routerOpen.capabilities,
    {
      name: 'gracefulRestart',
      restarting: false,
      notification: false,
      restartTime: 120,
      families: [{ afi: 1, safi: 1, forwarding: true }],
    },
  ],
}

describe('a session', () => {
  it('is tried at once, and again ever more slowly, while nobody listens', async () => {
    const lab = new SessionLab()
    lab.network.host('router', '10.0.0.254')
    const tries: number[] = []
    lab.speaker.events.on('session:changed', ({ state }) => {
      if (state === 'Connect') tries.push(lab.clock.now())
    })
    await lab.start({})
    await lab.settle(60_000)
    expect(tries[0]).toBeLessThan(10)
    const waits = tries.slice(1).map((at, i) => at - (tries[i] as number))
    const longest = [250, 500, 1000, 2000, 4000, ...waits.slice(5).map(() => 5000)]
    expect(waits.length).toBeGreaterThan(10)
    for (const [i, wait] of waits.entries()) {
      expect(wait).toBeGreaterThanOrEqual(0.75 * (longest[i] as number))
      // And the moment that an attempt takes.
      expect(wait).toBeLessThan((longest[i] as number) + 10)
    }
    expect(lab.error()).toEqual([
      'PEER_UNREACHABLE',
      'cannot connect to 10.0.0.254:179: nobody listens there',
    ])
    expect(lab.speaker.session('tor')?.waiting).toMatch(
      /^connecting again in \d+ s, unless the peer does before$/,
    )
    const warned = lab.log.lines.filter(({ level, message }) => level === 'warn' && message.startsWith('BGP'))
    expect(warned.map(({ message }) => message)).toEqual(['BGP session not established'])
    await lab.close()
  })

  it('comes up as soon as the router does', async () => {
    const lab = new SessionLab()
    await lab.start({ connectTimeMs: 5000 })
    await lab.settle(20_000)
    expect(lab.error()).toEqual(['PEER_UNREACHABLE', 'the peer did not answer within 5 s'])
    // However often it was tried meanwhile.
    expect(lab.speaker.session('tor')?.downSince).toEqual(new FakeClock().date())
    await lab.friendly('10.0.0.254')
    await lab.settle(5000)
    expect(lab.state()).toBe('Established')
    expect(lab.speaker.session('tor')).not.toHaveProperty('downSince')
    await lab.close()
  })

  it('tells routes as they come and go, each once, and End-of-RIB after the first ones', async () => {
    const lab = new SessionLab()
    const ends = await lab.friendly('10.0.0.254')
    lab.speaker.setRoutes('tor', [{ prefix: '192.168.1.1/32' }, { prefix: '2001:db8:1::1/128' }])
    await lab.start(both)
    const [end] = ends as [RouterEnd]
    expect(end.heard()).toEqual([
      'open',
      'keepalive',
      '+192.168.1.1/32',
      'end-of-rib ipv4',
      '+20010db8000100000000000000000001/128',
      'end-of-rib ipv6',
    ])
    end.messages.length = 0
    lab.speaker.setRoutes('tor', [{ prefix: '192.168.1.2/32', communities: ['65000:1', 'large:1:2:3'] }])
    await lab.settle()
    lab.speaker.changeRoutes('tor', {
      announce: [{ prefix: '192.168.1.3/32' }],
      withdraw: ['192.168.1.2/32'],
    })
    await lab.settle()
    expect(end.heard()).toEqual([
      '-192.168.1.1/32',
      '-20010db8000100000000000000000001/128',
      '+192.168.1.2/32',
      '-192.168.1.2/32',
      '+192.168.1.3/32',
    ])
    expect(lab.speaker.session('tor')?.routes).toEqual({ desired: 1, announced: 1, pending: 0, failed: 0 })
    await lab.close()
  })

  it('says what a router needs: AS path, next hop, and LOCAL_PREF only within the AS', async () => {
    const lab = new SessionLab()
    const ends = await lab.friendly('10.0.0.254')
    const inside = await lab.friendly('10.0.0.253', { as: 65001, capabilities: [] })
    const routes = [
      { prefix: '192.168.1.1/32', localPref: 200, communities: ['65000:1'] },
      { prefix: '192.168.1.2/32' },
    ]
    for (const name of ['tor', 'ibgp']) lab.speaker.setRoutes(name, routes)
    await lab.start({}, { name: 'ibgp', peerAddress: '10.0.0.253', peerAsn: 65001 })
    const attributes = (end: RouterEnd | undefined): unknown =>
      end
        ?.updates()
        .slice(0, 2)
        .map(one => one.attributes)
    const common = { origin: 'igp', nextHop: Uint8Array.of(10, 0, 0, 1) }
    const asPath = [{ type: 'sequence', as: [65001] }]
    expect(attributes(ends[0])).toEqual([
      { ...common, asPath, communities: [65000 * 65536 + 1] },
      { ...common, asPath },
    ])
    expect(attributes(inside[0])).toEqual([
      { ...common, asPath: [], communities: [65000 * 65536 + 1], localPref: 200 },
      { ...common, asPath: [], localPref: 100 },
    ])
    await lab.close()
  })

  it('with localAsn shows that AS alone', async () => {
    const lab = new SessionLab()
    const ends = await lab.friendly('10.0.0.254')
    lab.speaker.setRoutes('tor', [{ prefix: '192.168.1.1/32' }])
    await lab.start({ localAsn: 4_200_000_000 })
    const [end] = ends as [RouterEnd]
    expect(end.open()).toMatchObject({ as: 23456 })
    expect(end.open()?.capabilities).toContainEqual({ name: 'fourOctetAs', as: 4_200_000_000 })
    expect(end.updates()[0]?.attributes.asPath).toEqual([{ type: 'sequence', as: [4_200_000_000] }])
    await lab.close()
  })

  for (const [dynamicAsn, as, state] of [
    ['external', 65002, 'Established'],
    ['external', 65001, 'Idle'],
    ['internal', 65001, 'Established'],
    ['internal', 65002, 'Idle'],
  ] as const)
    it(`with dynamicAsn ${dynamicAsn} and a peer in AS ${as} is ${state}`, async () => {
      const lab = new SessionLab()
      await lab.friendly('10.0.0.254', { as, capabilities: [{ name: 'fourOctetAs', as }] })
      const { peerAsn: _, ...dynamic } = peer({ dynamicAsn })
      lab.speaker.setPeers([dynamic])
      await lab.speaker.start()
      await lab.settle()
      expect(lab.state()).toBe(state)
      await lab.close()
    })

  it('sends a family again when it is asked to, between its marks', async () => {
    const lab = new SessionLab()
    const ends = await lab.friendly('10.0.0.254')
    lab.speaker.setRoutes('tor', [{ prefix: '192.168.1.1/32' }, { prefix: '2001:db8:1::1/128' }])
    await lab.start(both)
    const [end] = ends as [RouterEnd]
    end.messages.length = 0
    end.send(refresh(1), refresh(25))
    await lab.settle()
    expect(end.heard()).toEqual(['refresh begin', '+192.168.1.1/32', 'refresh end'])
    await lab.close()
  })

  it('ends when the hold time passes in silence, with its NOTIFICATION', async () => {
    const lab = new SessionLab()
    const ends = await lab.friendly('10.0.0.254')
    await lab.start({ holdTimeMs: 9000 })
    await lab.settle(8900)
    expect(lab.state()).toBe('Established')
    await lab.settle(100)
    expect(ends[0]?.heard().at(-1)).toBe('4/0')
    expect(ends[0]?.heard().filter(word => word === 'keepalive').length).toBeGreaterThanOrEqual(3)
    expect(lab.error()).toEqual([
      'HOLD_TIMER_EXPIRED',
      'nothing was heard of the peer for 9 s, the hold time',
    ])
    expect(lab.events).toEqual(['up tor', 'down tor HOLD_TIMER_EXPIRED'])
    await lab.close()
  })

  it('that the router shuts down is tried again, and says what its operator wrote', async () => {
    const lab = new SessionLab()
    const ends = await lab.friendly('10.0.0.254')
    await lab.start({})
    const text = new TextEncoder().encode('back at 5')
    ends[0]?.send({ type: 'notification', code: 6, subcode: 2, data: Uint8Array.of(text.length, ...text) })
    await lab.settle()
    expect(lab.error()).toEqual([
      'NOTIFICATION_RECEIVED',
      'the peer ended the session: Cease: Administrative Shutdown, "back at 5"',
    ])
    expect(ends[0]?.notifications()).toEqual([])
    await lab.settle(1000)
    expect([ends.length, lab.state()]).toEqual([2, 'Established'])
    expect(lab.error()[0]).toBe('NOTIFICATION_RECEIVED')
    await lab.close()
  })

  it('ends when the connection breaks', async () => {
    const lab = new SessionLab()
    const ends = await lab.friendly('10.0.0.254')
    await lab.start({})
    ends[0]?.stream.end()
    await lab.settle()
    expect(lab.error()).toEqual(['CONNECTION_LOST', 'the peer closed the connection without saying why'])
    await lab.close()
  })

  it('is up and down in the metrics, under the names of MetalLB', async () => {
    const lab = new SessionLab()
    const ends = await lab.friendly('10.0.0.254')
    const value = (name: string): number | undefined => lab.metrics.value(name, { peer: '10.0.0.254:179' })
    lab.speaker.setRoutes('tor', [{ prefix: '192.168.1.1/32' }])
    lab.speaker.setPeers([peer()])
    expect(value('metallb_bgp_session_up')).toBe(0)
    await lab.speaker.start()
    await lab.settle(1100)
    expect(value('metallb_bgp_session_up')).toBe(1)
    expect(value('metallb_bgp_announced_prefixes_total')).toBe(1)
    expect(value('metallb_bgp_pending_prefixes_total')).toBe(0)
    expect(value('metallb_bgp_updates_total')).toBe(2)
    expect(value('metallb_bgp_opens_sent')).toBe(1)
    expect(value('metallb_bgp_opens_received')).toBe(1)
    expect(value('metallb_bgp_total_sent')).toBe(4)
    ends[0]?.stream.destroy()
    await lab.settle(1100)
    expect(value('carillon_bgp_session_downs')).toBe(1)
    lab.speaker.setPeers([])
    await lab.settle(1100)
    expect(value('metallb_bgp_session_up')).toBeUndefined()
    await lab.close()
  })
})

describe('a stop', () => {
  it('withdraws everything first, then says Cease with a text, within a second', async () => {
    const lab = new SessionLab()
    const ends = await lab.friendly('10.0.0.254')
    lab.speaker.setRoutes('tor', [{ prefix: '192.168.1.1/32' }, { prefix: '2001:db8:1::1/128' }])
    await lab.start(both)
    const [end] = ends as [RouterEnd]
    end.messages.length = 0
    const before = lab.clock.now()
    let took = Number.NaN
    const closing = lab.speaker.close().then(() => {
      took = lab.clock.now() - before
    })
    await lab.settle(1000)
    await closing
    expect(took).toBeLessThan(1000)
    expect(end.heard()).toEqual(['-192.168.1.1/32', '-20010db8000100000000000000000001/128', '6/2'])
    const [cease] = end.notifications()
    expect(new TextDecoder().decode(cease?.data.subarray(1))).toBe('Carillon stops on this node')
    expect(end.ended).toBe(true)
  })

  it('waits for a peer that takes nothing no longer than a second', async () => {
    const lab = new SessionLab()
    const ends = await lab.router('10.0.0.254', { reads: false })
    await lab.start({})
    ends[0]?.send(routerOpen, keepalive)
    await lab.settle()
    lab.speaker.setRoutes(
      'tor',
      Array.from({ length: 50_000 }, (_, i) => ({ prefix: `10.1.${i >>> 8}.${i & 0xff}/32` })),
    )
    let closed = false
    const closing = lab.speaker.close().then(() => {
      closed = true
    })
    await lab.settle(1000)
    expect(closed).toBe(true)
    await closing
  })

  it('leaves the routes with a peer that is to keep them: no withdrawal, no NOTIFICATION', async () => {
    const lab = new SessionLab()
    const ends = await lab.friendly('10.0.0.254', restartable)
    lab.speaker.setRoutes('tor', [{ prefix: '192.168.1.1/32' }])
    await lab.start({ gracefulRestart: true })
    const [end] = ends as [RouterEnd]
    expect(end.open()?.capabilities).toContainEqual({
      name: 'gracefulRestart',
      restarting: true,
      notification: false,
      restartTime: 120,
      families: [{ afi: 1, safi: 1, forwarding: true }],
    })
    end.messages.length = 0
    await lab.close()
    expect([end.heard(), end.ended]).toEqual([[], true])
  })

  it('withdraws after all where the peer does not offer to keep the routes', async () => {
    const lab = new SessionLab()
    const ends = await lab.friendly('10.0.0.254')
    lab.speaker.setRoutes('tor', [{ prefix: '192.168.1.1/32' }])
    await lab.start({ gracefulRestart: true })
    await lab.close()
    expect(ends[0]?.heard().slice(-2)).toEqual(['-192.168.1.1/32', '6/2'])
  })

  it('of a peer that is no longer configured withdraws in any case', async () => {
    const lab = new SessionLab()
    const ends = await lab.friendly('10.0.0.254', restartable)
    lab.speaker.setRoutes('tor', [{ prefix: '192.168.1.1/32' }])
    await lab.start({ gracefulRestart: true })
    lab.speaker.setPeers([])
    await lab.settle(1000)
    expect(ends[0]?.heard().slice(-2)).toEqual(['-192.168.1.1/32', '6/3'])
    expect(lab.speaker.sessions()).toEqual([])
    await lab.close()
  })
})

describe('graceful restart', () => {
  it('is not offered unless it is asked for', async () => {
    const lab = new SessionLab()
    const ends = await lab.friendly('10.0.0.254', restartable)
    await lab.start({})
    expect(ends[0]?.open()?.capabilities.map(one => one.name)).not.toContain('gracefulRestart')
    expect(lab.speaker.session('tor')?.negotiated?.gracefulRestart).toBeUndefined()
    await lab.close()
  })

  it('says that it is done only once it is known what there is to announce', async () => {
    const lab = new SessionLab()
    const ends = await lab.friendly('10.0.0.254', restartable)
    await lab.start({ gracefulRestart: true })
    const [end] = ends as [RouterEnd]
    await lab.settle(5000)
    expect(end.heard().filter(word => word !== 'keepalive')).toEqual(['open'])
    lab.speaker.setRoutes('tor', [{ prefix: '192.168.1.1/32' }])
    await lab.settle()
    expect(end.heard().slice(-2)).toEqual(['+192.168.1.1/32', 'end-of-rib ipv4'])
    await lab.close()
  })

  it('claims to restart in the first session only', async () => {
    const lab = new SessionLab()
    const ends = await lab.friendly('10.0.0.254', restartable)
    await lab.start({ gracefulRestart: true })
    ends[0]?.stream.end()
    await lab.settle(1500)
    const claims = ends.map(
      end => end.open()?.capabilities.find(one => one.name === 'gracefulRestart')?.restarting,
    )
    expect(claims).toEqual([true, false])
    await lab.close()
  })

  it('of the peer: one that is back before its end was seen takes over, without a NOTIFICATION on the old connection', async () => {
    const lab = new SessionLab({ listen: {} })
    const ends = await lab.friendly('10.0.0.254', restartable)
    lab.speaker.setRoutes('tor', [{ prefix: '192.168.1.1/32' }])
    await lab.start({ gracefulRestart: true })
    const connecting = lab.network.hostAt('10.0.0.254')?.connect({ address: '10.0.0.1', port: 179 })
    await lab.settle()
    const back = new RouterEnd((await connecting) as RouterEnd['stream'])
    back.send(restartable, keepalive)
    await lab.settle()
    expect(lab.state()).toBe('Established')
    expect(back.heard()).toEqual(['open', 'keepalive', '+192.168.1.1/32', 'end-of-rib ipv4'])
    expect([ends[0]?.ended, ends[0]?.notifications()]).toEqual([true, []])
    expect(lab.events).toEqual(['up tor', 'down tor PEER_RESTARTED', 'up tor'])
    await lab.close()
  })
})

describe('when both sides connect at once', () => {
  async function collide(
    lab: SessionLab,
    routerId: string,
  ): Promise<readonly [ours: RouterEnd, theirs: RouterEnd]> {
    const ends = await lab.router('10.0.0.254')
    await lab.start({})
    const [ours] = ends as [RouterEnd]
    const connecting = lab.network.hostAt('10.0.0.254')?.connect({ address: '10.0.0.1', port: 179 })
    await lab.settle()
    const theirs = new RouterEnd((await connecting) as RouterEnd['stream'])
    await lab.settle()
    const open = { ...routerOpen, routerId }
    ours.send(open)
    theirs.send(open)
    await lab.settle()
    for (const end of [ours, theirs]) end.send(keepalive)
    await lab.settle()
    return [ours, theirs]
  }

  for (const [routerId, stays] of [
    ['10.0.0.254', 'theirs'],
    ['9.0.0.1', 'ours'],
  ] as const)
    it(`the connection of the higher router ID stays: ${stays} against ${routerId}`, async () => {
      const lab = new SessionLab({ listen: {} })
      const [ours, theirs] = await collide(lab, routerId)
      const [kept, dropped] = stays === 'ours' ? [ours, theirs] : [theirs, ours]
      expect(lab.state()).toBe('Established')
      expect(dropped.heard().at(-1)).toBe('6/7')
      expect([dropped.ended, kept.ended]).toEqual([true, false])
      expect(kept.heard().at(-1)).toBe('end-of-rib ipv4')
      expect(lab.events).toEqual(['up tor'])
      expect(lab.error()).toEqual([undefined, undefined])
      await lab.close()
    })

  it('a connection of the peer counts while ours is still being made', async () => {
    const lab = new SessionLab({ listen: {} })
    const router = lab.network.host('router', '10.0.0.254')
    lab.network.path('node-a', 'router', { cut: true })
    await lab.start({})
    expect(lab.state()).toBe('Connect')
    const connecting = router.connect({ address: '10.0.0.1', port: 179 })
    lab.network.heal()
    await lab.settle()
    const theirs = new RouterEnd(await connecting)
    theirs.send(routerOpen, keepalive)
    await lab.settle()
    expect(lab.state()).toBe('Established')
    await lab.settle(20_000)
    expect(lab.events).toEqual(['up tor'])
    await lab.close()
  })

  it('one that never says OPEN does not hinder the other', async () => {
    const lab = new SessionLab({ listen: {} })
    const ends = await lab.router('10.0.0.254')
    await lab.start({})
    const connecting = lab.network.hostAt('10.0.0.254')?.connect({ address: '10.0.0.1', port: 179 })
    await lab.settle()
    const idle = new RouterEnd((await connecting) as RouterEnd['stream'])
    const [ours] = ends as [RouterEnd]
    ours.send({ ...routerOpen, routerId: '9.0.0.1' }, keepalive)
    await lab.settle()
    expect([lab.state(), idle.heard().at(-1)]).toEqual(['Established', '6/7'])
    await lab.close()
  })
})

describe('a passive peer', () => {
  it('is never dialled, and told nothing before it has said OPEN', async () => {
    const lab = new SessionLab()
    const ends = await lab.router('10.0.0.254')
    await lab.start({ passive: true })
    await lab.settle(60_000)
    expect(ends).toEqual([])
    expect(lab.speaker.session('tor')).toMatchObject({
      state: 'Active',
      waiting: 'waiting for the peer to connect',
    })
    const connecting = lab.network.hostAt('10.0.0.254')?.connect({ address: '10.0.0.1', port: 179 })
    await lab.settle(1000)
    const end = new RouterEnd((await connecting) as RouterEnd['stream'])
    expect(end.heard()).toEqual([])
    end.send(routerOpen, keepalive)
    await lab.settle()
    expect(lab.state()).toBe('Established')
    await lab.close()
  })

  it('can be on this host, at a port of its own', async () => {
    const lab = new SessionLab()
    const listener = await lab.host.listen({ address: '10.0.0.1', port: 1790 })
    listener.accept(stream => new RouterEnd(stream).send({ ...routerOpen, routerId: '10.0.0.2' }, keepalive))
    await lab.start({ peerAddress: '10.0.0.1', peerPort: 1790 })
    expect(lab.state()).toBe('Established')
    await lab.close()
  })
})

describe('a change of the configuration', () => {
  it('resets the peer that it is about, and no other', async () => {
    const lab = new SessionLab()
    const ends = await lab.friendly('10.0.0.254')
    const others = await lab.friendly('10.0.0.253')
    const other: BgpPeer = peer({ name: 'other', peerAddress: '10.0.0.253' })
    for (const name of ['tor', 'other']) lab.speaker.setRoutes(name, [{ prefix: '192.168.1.1/32' }])
    await lab.start({}, other)
    lab.speaker.setPeers([{ ...other }, peer()])
    await lab.settle()
    expect([ends.length, others.length]).toEqual([1, 1])
    lab.speaker.setPeers([other, peer({ holdTimeMs: 30_000 })])
    await lab.settle()
    expect([ends.length, others.length]).toEqual([2, 1])
    expect(ends[0]?.heard().at(-1)).toBe('6/6')
    expect(ends[1]?.heard()).toEqual(['open', 'keepalive', '+192.168.1.1/32', 'end-of-rib ipv4'])
    expect([lab.state(), lab.state('other')]).toEqual(['Established', 'Established'])
    await lab.close()
  })

  it('of a peer that keeps our routes lets it keep them', async () => {
    const lab = new SessionLab()
    const ends = await lab.friendly('10.0.0.254', restartable)
    lab.speaker.setRoutes('tor', [{ prefix: '192.168.1.1/32' }])
    await lab.start({ gracefulRestart: true })
    lab.speaker.setPeers([peer({ gracefulRestart: true, holdTimeMs: 30_000 })])
    await lab.settle()
    expect(ends[0]?.notifications()).toEqual([])
    expect(ends[1]?.heard().slice(-2)).toEqual(['+192.168.1.1/32', 'end-of-rib ipv4'])
    await lab.close()
  })

  it('of routes resets nobody', async () => {
    const lab = new SessionLab()
    const ends = await lab.friendly('10.0.0.254')
    await lab.start({})
    for (let i = 0; i < 5; i++) {
      lab.speaker.setRoutes('tor', [{ prefix: `192.168.1.${i}/32` }])
      await lab.settle()
    }
    expect([ends.length, lab.events]).toEqual([1, ['up tor']])
    await lab.close()
  })

  it('that is wrong changes nothing, and says what is', async () => {
    const lab = new SessionLab()
    await lab.friendly('10.0.0.254')
    await lab.start({})
    expect(() => lab.speaker.setPeers([peer({ holdTimeMs: 1000 })])).toThrow(
      'BGP peer "tor": holdTimeMs is 1000: give whole seconds: 0, or 3 to 65535',
    )
    expect(() => lab.speaker.setPeers([peer(), peer()])).toThrow('there are two BGP peers named "tor"')
    expect(() => lab.speaker.setRoutes('tor', [{ prefix: '192.168.1.1/24' }])).toThrow('192.168.1.0/24')
    expect([lab.state(), lab.speaker.session('tor')?.routes.desired]).toEqual(['Established', 0])
    await lab.close()
  })
})

describe('next hops', () => {
  it('of the other family are those of the same interface, as soon as it has one', async () => {
    const lab = new SessionLab()
    const ends = await lab.friendly('10.0.0.254')
    const ipv4 = { address: '10.0.0.1', prefixLength: 24, scope: 'global', usable: true } as const
    lab.host.setLink({ name: 'eth0', addresses: [ipv4] })
    lab.speaker.setRoutes('tor', [{ prefix: '192.168.1.1/32' }, { prefix: '2001:db8:1::1/128' }])
    await lab.start(both)
    const [end] = ends as [RouterEnd]
    expect(lab.speaker.route('tor', '2001:db8:1::1/128')).toMatchObject({
      state: 'failed',
      error: {
        code: 'NO_NEXT_HOP',
        message: 'eth0 has no IPv6 address, which would be the next hop: give it one',
      },
    })
    expect(end.heard()).not.toContain('+20010db8000100000000000000000001/128')
    end.messages.length = 0
    const ipv6 = { address: '2001:db8::7', prefixLength: 64, scope: 'global', usable: true } as const
    lab.host.setLink({ name: 'eth0', addresses: [ipv4, ipv6] })
    await lab.settle()
    expect(end.heard()).toEqual(['+20010db8000100000000000000000001/128'])
    expect(end.updates()[0]?.attributes.mpReach?.nextHops).toEqual([
      Uint8Array.of(0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7),
    ])
    expect(lab.events).toEqual(['up tor'])
    lab.host.setLink({ name: 'eth0', addresses: [ipv4] })
    await lab.settle()
    expect(end.heard().at(-1)).toBe('-20010db8000100000000000000000001/128')
    await lab.close()
  })

  it('are not there for a family that the session does not carry', async () => {
    const lab = new SessionLab()
    await lab.friendly('10.0.0.254')
    lab.speaker.setRoutes('tor', [{ prefix: '2001:db8:1::1/128' }])
    await lab.start({})
    expect(lab.speaker.route('tor', '2001:db8:1::1/128')).toMatchObject({
      error: { code: 'FAMILY_NOT_CARRIED' },
    })
    expect(lab.speaker.route('tor', '192.168.1.1/32')).toBeUndefined()
    await lab.close()
  })
})

describe('BFD', () => {
  const profile = {
    name: 'fast',
    receiveIntervalMs: 50,
    transmitIntervalMs: 50,
    detectMultiplier: 3,
    echoIntervalMs: 50,
    echoMode: false,
    passiveMode: false,
    minimumTtl: 254,
  }

  class Watch {
    state: BfdState = 'down'
    closed = false
    readonly target: BfdTarget
    readonly observer: BfdObserver

    constructor(target: BfdTarget, observer: BfdObserver) {
      this.target = target
      this.observer = observer
    }

    status(): { readonly state: BfdState; readonly since: string } {
      return { state: this.state, since: '2026-01-01T00:00:00.000Z' }
    }

    ending = (): void => {}

    close(): void {
      this.closed = true
      this.ending()
    }
  }

  it('takes a peer in our AS for a neighbour where it is on a subnet of ours', async () => {
    const targets: BfdTarget[] = []
    const lab = new SessionLab({
      bfd: (target, observer) => {
        targets.push(target)
        return new Watch(target, observer)
      },
    })
    for (const address of ['10.0.0.254', '10.0.1.254'])
      await lab.friendly(address, { as: 65001, capabilities: [] })
    const internal = { bfd: profile, peerAsn: 65001 }
    await lab.start(internal, { ...internal, name: 'far', peerAddress: '10.0.1.254' })
    expect(targets.map(({ peer, multihop }) => [peer, multihop])).toEqual([
      ['10.0.0.254', false],
      ['10.0.1.254', true],
    ])
    await lab.close()
  })

  it('ends a session at once, and watches on while it is tried again', async () => {
    const watches: Watch[] = []
    const lab = new SessionLab({
      bfd: (target, observer) => {
        const watch = new Watch(target, observer)
        watches.push(watch)
        return watch
      },
    })
    const ends = await lab.friendly('10.0.0.254')
    await lab.friendly('10.0.0.253')
    await lab.start({ bfd: profile, sourceAddress: '10.0.0.1' }, { name: 'other', peerAddress: '10.0.0.253' })
    const [watch] = watches as [Watch]
    expect(watches).toHaveLength(1)
    expect(watch.target).toEqual({ peer: '10.0.0.254', local: '10.0.0.1', multihop: false, profile })
    // A session need not wait for BFD.
    expect([lab.state(), lab.speaker.session('tor')?.bfd?.state]).toEqual(['Established', 'down'])
    watch.state = 'up'
    watch.observer.changed()
    watch.state = 'down'
    watch.observer.down('nothing was heard of 10.0.0.254 for 150 ms')
    expect(lab.error()).toEqual(['BFD_DOWN', 'BFD lost the peer: nothing was heard of 10.0.0.254 for 150 ms'])
    expect([lab.state(), lab.state('other')]).toEqual(['Active', 'Established'])
    await lab.settle(1500)
    expect(ends[0]?.heard().at(-1)).toBe('6/10')
    expect([lab.state(), watch.closed]).toEqual(['Established', false])
    await lab.close()
    expect(watch.closed).toBe(true)
  })

  it('is ended after the session, so that the router hears the true reason', async () => {
    let heard: string | undefined
    let ends: readonly RouterEnd[] = []
    const lab = new SessionLab({
      bfd: (target, observer) => {
        const watch = new Watch(target, observer)
        watch.ending = () => {
          heard = ends[0]?.heard().at(-1)
        }
        return watch
      },
    })
    ends = await lab.friendly('10.0.0.254')
    await lab.start({ bfd: profile })
    await lab.close()
    expect(heard).toBe('6/2')
  })
})

describe('secrets', () => {
  it('are in no log, no status and no error', async () => {
    const key = 'correct horse battery staple'
    const lab = new SessionLab({ listen: {} })
    await lab.router('10.0.0.254')
    const told: unknown[] = []
    lab.speaker.events.on('session:changed', status => told.push(status))
    await lab.start(
      { password: key },
      { name: 'gone', peerAddress: '10.0.0.9', password: key, connectTimeMs: 1000 },
    )
    await lab.settle(5000)
    const gone = lab.error('gone')
    let thrown: unknown
    try {
      lab.speaker.setPeers([peer({ password: key.repeat(9) })])
    } catch (error) {
      thrown = error
    }
    lab.network.host('refuser', '10.0.0.8')
    lab.speaker.setPeers([peer({ name: 'refused', peerAddress: '10.0.0.8', password: key })])
    await lab.settle(100)
    expect(lab.error('refused')[1]).toBe('cannot connect to 10.0.0.8:179: nobody listens there')
    expect(gone).toEqual([
      'PEER_UNREACHABLE',
      'the peer did not answer within 1 s; with another password there it does not either',
    ])
    const seen = JSON.stringify([told, lab.speaker.sessions(), lab.log.lines, String(thrown), thrown])
    expect(seen).toContain('password')
    expect(seen).not.toContain('correct horse')
    await lab.close()
  })
})
