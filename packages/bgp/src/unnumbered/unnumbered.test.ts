import { noMetrics, silentLogger } from '@carillon/core'
import {
  FakeClock,
  type MemoryHost,
  MemoryNetwork,
  RecordingLogger,
  seededRandom,
} from '@carillon/core/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BgpSpeaker, type BgpSpeakerOptions } from '../speaker/bgp-speaker.ts'
import { Discovery } from './discovery.ts'
import { hear, silenceMs } from './neighbour.ts'
import { routerAdvertisement, routerMessage, routerSolicitation } from './router-advertisement.ts'

const mac = Uint8Array.of(2, 0, 0, 0, 0, 1)

describe('router advertisements', () => {
  it('make nobody take us for a default router', () => {
    expect([...routerAdvertisement(mac)]).toEqual([134, 0, ...new Array(14).fill(0), 1, 1, ...mac])
    expect([...routerAdvertisement(new Uint8Array(0))]).toEqual([134, 0, ...new Array(14).fill(0)])
    expect([...routerSolicitation(mac)]).toEqual([133, 0, ...new Array(6).fill(0), 1, 1, ...mac])
  })

  it('are told from other messages, and from what is cut off', () => {
    expect(routerMessage(routerAdvertisement(mac))).toBe('advertisement')
    expect(routerMessage(routerSolicitation(mac))).toBe('solicitation')
    for (let length = 0; length < 24; length++)
      expect(routerMessage(routerAdvertisement(mac).subarray(0, length))).toBe(
        length === 16 ? 'advertisement' : undefined,
      )
    expect(routerMessage(Uint8Array.of(135, ...new Array(23).fill(0)))).toBeUndefined()
    expect(routerMessage(Uint8Array.of(134, 1, ...new Array(14).fill(0)))).toBeUndefined()
    expect(routerMessage(Uint8Array.of(134, ...new Array(15).fill(0), 3, 0))).toBeUndefined()
  })

  it('of any kind are read or left alone', () => {
    const type = fc.constantFrom(133, 134, 135)
    fc.assert(
      fc.property(type, fc.uint8Array({ maxLength: 60 }), (first, rest) => {
        expect(['advertisement', 'solicitation', undefined]).toContain(
          routerMessage(Uint8Array.of(first, 0, ...rest)),
        )
      }),
    )
  })
})

describe('the neighbour', () => {
  it('stays while it speaks, whoever else does, and is replaced once it is silent', () => {
    const first = hear(undefined, 'fe80::a', 0)
    expect(first).toEqual({ address: 'fe80::a', heardAt: 0 })
    expect(hear(first, 'fe80::b', silenceMs - 1)).toBe(first)
    expect(hear(first, 'fe80::a', 9)).toEqual({ address: 'fe80::a', heardAt: 9 })
    expect(hear(first, 'fe80::b', silenceMs)).toEqual({ address: 'fe80::b', heardAt: silenceMs })
  })
})

class Lab {
  readonly clock = new FakeClock()
  readonly network = new MemoryNetwork({ clock: this.clock, random: seededRandom(1) })

  host(name: string, linkLocal: string, change: object = {}): MemoryHost {
    const host = this.network.host(name, linkLocal)
    host.setLink({
      name: 'eth1',
      addresses: [{ address: linkLocal, prefixLength: 64, scope: 'link', usable: true }],
      ...change,
    })
    return host
  }

  speaker(network: MemoryHost, options: Partial<BgpSpeakerOptions> = {}): BgpSpeaker {
    const { clock } = this
    const { name } = network
    return new BgpSpeaker({
      clock,
      network,
      random: seededRandom(2),
      log: silentLogger,
      metrics: noMetrics,
      node: name,
      ...options,
    })
  }
}

describe('two speakers on a cable without addresses', () => {
  it('find each other, and announce IPv4 and IPv6 with their link-local addresses as next hops', async () => {
    const lab = new Lab()
    const a = lab.speaker(lab.host('a', 'fe80::a'))
    const b = lab.speaker(lab.host('b', 'fe80::b'), { listen: {} })
    a.setPeers([{ name: 'cable', myAsn: 65001, dynamicAsn: 'external', interface: 'eth1' }])
    a.setRoutes('cable', [{ prefix: '192.168.1.1/32' }, { prefix: '2001:db8:1::1/128' }])
    await a.start()
    await lab.clock.advanceAsync(20_000)
    expect(a.session('cable')).toMatchObject({
      state: 'Idle',
      waiting: 'waiting for a router advertisement on eth1',
    })
    expect(a.session('cable')).not.toHaveProperty('address')
    b.setPeers([{ name: 'cable', myAsn: 65002, peerAsn: 65001, interface: 'eth1', passive: true }])
    await b.start()
    await lab.clock.advanceAsync(3000)
    expect(a.session('cable')).toMatchObject({
      state: 'Established',
      address: 'fe80::b',
      interface: 'eth1',
      negotiated: { families: ['ipv4', 'ipv6'], extendedNextHop: true },
      routes: { desired: 2, announced: 2, pending: 0, failed: 0 },
    })
    expect(b.session('cable')?.counters.prefixesReceived).toBe(2)
    const closing = Promise.all([a.close(), b.close()])
    await lab.clock.advanceAsync(1000)
    await closing
  })

  it('follow another router that takes the place of a silent one', async () => {
    const lab = new Lab()
    const a = lab.speaker(lab.host('a', 'fe80::a'))
    a.setPeers([{ name: 'cable', myAsn: 65001, dynamicAsn: 'external', interface: 'eth1' }])
    await a.start()
    const router = async (name: string, linkLocal: string): Promise<BgpSpeaker> => {
      const speaker = lab.speaker(lab.host(name, linkLocal), { listen: {}, routerId: '10.0.0.2' })
      speaker.setPeers([{ name: 'cable', myAsn: 65002, peerAsn: 65001, interface: 'eth1', passive: true }])
      await speaker.start()
      return speaker
    }
    const old = await router('old', 'fe80::b')
    await lab.clock.advanceAsync(10_000)
    expect(a.session('cable')).toMatchObject({ state: 'Established', address: 'fe80::b' })
    const replacement = await router('new', 'fe80::c')
    lab.network.partition(['old'])
    await lab.clock.advanceAsync(60_000)
    expect(a.session('cable')).toMatchObject({ state: 'Established', address: 'fe80::c' })
    const closing = Promise.all([a.close(), old.close(), replacement.close()])
    await lab.clock.advanceAsync(1000)
    await closing
  })

  it('say what is missing: the interface, its link-local address', async () => {
    const lab = new Lab()
    const host = lab.network.host('a', 'fe80::a')
    const a = lab.speaker(host)
    a.setPeers([{ name: 'cable', myAsn: 65001, dynamicAsn: 'external', interface: 'eth1' }])
    await a.start()
    const waiting = (): string | undefined => a.session('cable')?.waiting
    expect(waiting()).toBe('eth1 does not exist')
    host.setLink({ name: 'eth1', up: false })
    expect(waiting()).toBe('eth1 is down')
    host.setLink({ name: 'eth1', up: true })
    expect(waiting()).toBe('eth1 has no IPv6 link-local address')
    host.setLink({
      name: 'eth1',
      addresses: [{ address: 'fe80::a', prefixLength: 64, scope: 'link', usable: true }],
    })
    await lab.clock.advanceAsync(1)
    expect(waiting()).toBe('waiting for a router advertisement on eth1')
    await a.close()
  })
})

const indexOf = (host: MemoryHost): number => host.links_()[0]?.index ?? 0

describe('discovery', () => {
  /** What a discovery on host a sends, as the other end of the cable hears it: time and type of each message. */
  async function listen(lab: Lab): Promise<(readonly [at: number, type: string])[]> {
    const other = lab.host('other', 'fe80::f')
    const heard: (readonly [number, string])[] = []
    const socket = await other.icmp6(indexOf(other), [133, 134])
    socket.receive((from, message) => heard.push([lab.clock.now(), `${routerMessage(message)} ${from}`]))
    return heard
  }

  const world = (lab: Lab, network: MemoryHost, log: RecordingLogger = new RecordingLogger()) => {
    const found: string[] = []
    const hindered: (string | undefined)[] = []
    const { clock } = lab
    const discovery = new Discovery(
      {
        network,
        clock,
        random: () => 1,
        log,
        found: address => found.push(address),
        hindered: why => hindered.push(why),
      },
      'eth1',
    )
    return { discovery, found, hindered, log }
  }

  it('asks and advertises at once, thrice more soon, then every ten seconds', async () => {
    const lab = new Lab()
    const heard = await listen(lab)
    const host = lab.host('a', 'fe80::a')
    const { discovery } = world(lab, host)
    discovery.follow(host.links_())
    await lab.clock.advanceAsync(30_000)
    expect(heard).toEqual([
      [0, 'solicitation fe80::a'],
      [0, 'advertisement fe80::a'],
      [1000, 'advertisement fe80::a'],
      [3000, 'advertisement fe80::a'],
      [7000, 'advertisement fe80::a'],
      [17_000, 'advertisement fe80::a'],
      [27_000, 'advertisement fe80::a'],
    ])
    discovery.close()
    await lab.clock.advanceAsync(30_000)
    expect(heard).toHaveLength(7)
    expect(host.groups('eth1')).toEqual([])
  })

  it('answers those who ask, no more than once in three seconds', async () => {
    const lab = new Lab()
    const heard = await listen(lab)
    const host = lab.host('a', 'fe80::a')
    const { discovery } = world(lab, host)
    discovery.follow(host.links_())
    await lab.clock.advanceAsync(12_000)
    heard.length = 0
    const asker = lab.host('asker', 'fe80::e')
    const socket = await asker.icmp6(indexOf(asker), [])
    for (let i = 0; i < 50; i++) {
      socket.send('ff02::2', routerSolicitation(mac))
      await lab.clock.advanceAsync(100)
    }
    const answers = heard.filter(([, what]) => what === 'advertisement fe80::a').map(([at]) => at)
    expect(answers).toEqual([12_000, 15_000])
    discovery.close()
  })

  it('looks at nothing that comes from another address than a link-local one', async () => {
    const lab = new Lab()
    const host = lab.host('a', 'fe80::a')
    const { discovery, found } = world(lab, host)
    discovery.follow(host.links_())
    await lab.clock.advanceAsync(1)
    const liar = lab.host('liar', '2001:db8::666')
    const socket = await liar.icmp6(indexOf(liar), [])
    socket.send('ff02::1', routerAdvertisement(mac))
    await lab.clock.advanceAsync(10)
    expect(found).toEqual([])
    discovery.close()
  })

  it('tries again where the socket cannot be opened, and says why', async () => {
    const lab = new Lab()
    const host = lab.host('a', 'fe80::a')
    let refused = 3
    const network = new Proxy(host, {
      get: (target, name) =>
        name === 'icmp6' && refused-- > 0
          ? () => Promise.reject(new Error('CAP_NET_RAW is missing'))
          : Reflect.get(target, name).bind(target),
    })
    const { discovery, hindered, log } = world(lab, network)
    discovery.follow(host.links_())
    await lab.clock.advanceAsync(10_000)
    expect(hindered).toEqual(['CAP_NET_RAW is missing', undefined])
    expect(log.lines.map(({ level, fields }) => [level, fields.retryMs])).toEqual([
      ['warn', 1000],
      ['debug', 2000],
      ['debug', 4000],
    ])
    discovery.close()
  })

  it('advertises at once when the cable is plugged in again', async () => {
    const lab = new Lab()
    const heard = await listen(lab)
    const host = lab.host('a', 'fe80::a')
    const { discovery } = world(lab, host)
    discovery.follow(host.links_())
    await lab.clock.advanceAsync(10_000)
    heard.length = 0
    for (const carrier of [false, true]) {
      host.setLink({ name: 'eth1', carrier })
      discovery.follow(host.links_())
    }
    await lab.clock.advanceAsync(0)
    expect(heard).toEqual([[10_000, 'advertisement fe80::a']])
    discovery.close()
  })
})
