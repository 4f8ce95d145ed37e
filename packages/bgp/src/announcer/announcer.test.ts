import {
  type Advertisement,
  type AnnouncementStatus,
  type BfdProfile,
  type Config,
  noMetrics,
  type Peer,
  type PeerRoute,
  silentLogger,
} from '@carillon/core'
import {
  announcerContract,
  FakeClock,
  type MemoryHost,
  MemoryNetwork,
  RecordingMetrics,
  seededRandom,
} from '@carillon/core/testing'
import { describe, expect, it } from 'vitest'
import { Bfd } from '../bfd/index.ts'
import { BgpSpeaker } from '../speaker/bgp-speaker.ts'
import type { BgpPeer } from '../speaker/peer.ts'
import type { BgpAnnouncer } from './announcer.ts'
import { bgp } from './bgp.ts'
import type { BgpOptions } from './options.ts'

const route = (peer: string, change: Partial<PeerRoute> = {}): PeerRoute => ({
  peer,
  localPref: 0,
  communities: [],
  ...change,
})

const advertise = (address: string, ...peers: readonly PeerRoute[]): Advertisement => ({
  address,
  services: ['default/web'],
  options: { peers },
})

const peer = (name: string, peerAddress: string, change: Partial<Peer> = {}): Peer => ({
  name,
  myAsn: 65001,
  peerAsn: 65002,
  peerAddress,
  peerPort: 179,
  nodeSelectors: [],
  gracefulRestart: false,
  ebgpMultiHop: false,
  dualStackAddressFamily: false,
  passive: false,
  ...change,
})

const configure = (peers: readonly Peer[], bfdProfiles: readonly BfdProfile[] = []): Config => ({
  pools: [],
  peers,
  bfdProfiles: new Map(bfdProfiles.map(one => [one.name, one])),
})

/** A node and two routers, which take what they are told. */
class Lab {
  readonly clock = new FakeClock()
  readonly network = new MemoryNetwork({ clock: this.clock, random: seededRandom(1) })
  readonly metrics = new RecordingMetrics()
  readonly told: AnnouncementStatus[] = []
  readonly announcer: BgpAnnouncer
  readonly routers: BgpSpeaker[] = []
  readonly #hosts = new Map<string, MemoryHost>()

  constructor(options: BgpOptions = {}) {
    const host = this.network.host('node-a', '10.0.0.1', 'fd00::1')
    host.setLink({
      name: 'eth0',
      addresses: [
        { address: '10.0.0.1', prefixLength: 24, scope: 'global', usable: true },
        { address: 'fd00::1', prefixLength: 64, scope: 'global', usable: true },
      ],
    })
    const { clock, metrics } = this
    const context = {
      node: 'node-a',
      clock,
      network: host,
      log: silentLogger,
      metrics,
      random: seededRandom(2),
    }
    this.announcer = bgp(options)(context)
    this.announcer.events.on('announcement:changed', status => this.told.push(status))
  }

  async router(name: string, address: string, change: Partial<BgpPeer> = {}): Promise<BgpSpeaker> {
    const host = this.network.host(name, address)
    this.#hosts.set(name, host)
    const router = this.speaker(host)
    const node = { name: 'node-a', myAsn: 65002, peerAsn: 65001, peerAddress: '10.0.0.1', passive: true }
    router.setPeers([{ ...node, ...change }])
    await router.start()
    this.routers.push(router)
    return router
  }

  speaker(network: MemoryHost): BgpSpeaker {
    const { clock } = this
    return new BgpSpeaker({ clock, network, random: seededRandom(3), log: silentLogger, metrics: noMetrics })
  }

  host(name: string): MemoryHost {
    return this.#hosts.get(name) as MemoryHost
  }

  configure(...peers: readonly Peer[]): void {
    this.announcer.configure?.({ config: configure(peers), labels: {} })
  }

  /** How many prefixes each router has been announced. */
  received(): readonly number[] {
    return this.routers.map(router => router.sessions()[0]?.counters.prefixesReceived ?? 0)
  }

  settle(ms = 2000): Promise<void> {
    return this.clock.advanceAsync(ms)
  }

  status(): readonly string[] {
    return this.announcer
      .status()
      .map(one => [one.address, one.state, one.via.join('+'), one.error?.code ?? ''].join(' ').trim())
  }

  async close(): Promise<void> {
    const closing = Promise.all([
      this.announcer[Symbol.asyncDispose](),
      ...this.routers.map(router => router.close()),
    ])
    await this.settle()
    await closing
  }
}

describe('the contract of announcers', () => {
  for (const check of announcerContract(async () => {
    const lab = new Lab()
    await lab.router('tor-1', '10.0.0.254')
    lab.announcer.configure?.({ config: configure([peer('tor-1', '10.0.0.254')]), labels: {} })
    return {
      announcer: {
        ...lab.announcer,
        name: lab.announcer.name,
        speakers: lab.announcer.speakers,
        families: lab.announcer.families,
        events: lab.announcer.events,
        start: () => lab.announcer.start(),
        announce: desired => lab.announcer.announce(desired),
        status: () => lab.announcer.status(),
        [Symbol.asyncDispose]: async () => {
          const closing = lab.announcer[Symbol.asyncDispose]()
          await lab.settle()
          await closing
        },
      },
      advertisement: n => advertise(`192.168.1.${n}/32`, route('tor-1')),
      settle: () => lab.settle(),
    }
  }))
    it(check.name, () => check.run())
})

/** A node with two routers that take what they are told; started, and told of its peers. */
async function lab(change: Partial<Peer> = {}): Promise<Lab> {
  const one = new Lab()
  await one.router('tor-1', '10.0.0.254')
  await one.router('tor-2', '10.0.0.253')
  one.configure(peer('tor-1', '10.0.0.254', change), peer('tor-2', '10.0.0.253'))
  await one.announcer.start()
  await one.settle()
  return one
}

const toBoth = (address: string): Advertisement => advertise(address, route('tor-1'), route('tor-2'))

describe('bgp', () => {
  it('announces to the peers that an advertisement names, and says to which', async () => {
    const one = await lab()
    one.announcer.announce([toBoth('192.168.1.1/32'), advertise('192.168.1.2/32', route('tor-2'))])
    await one.settle()
    expect(one.status()).toEqual(['192.168.1.1/32 announced tor-1+tor-2', '192.168.1.2/32 announced tor-2'])
    expect(one.received()).toEqual([1, 2])
    one.announcer.announce([advertise('192.168.1.1/32', route('tor-2'))])
    await one.settle()
    expect(one.status()).toEqual(['192.168.1.1/32 announced tor-2'])
    expect(one.announcer.sessions().map(({ routes }) => routes.announced)).toEqual([0, 1])
    await one.close()
  })

  it('says when a router goes and comes, for each address', async () => {
    const one = await lab()
    const peers: string[] = []
    one.announcer.events.on('peer:up', name => peers.push(`up ${name}`))
    one.announcer.events.on('peer:down', (name, { code }) => peers.push(`down ${name} ${code}`))
    one.announcer.announce([toBoth('192.168.1.1/32'), advertise('192.168.1.2/32', route('tor-1'))])
    await one.settle()
    one.told.length = 0
    const closing = one.routers[0]?.close()
    await one.settle(10)
    await closing
    expect(one.status()).toEqual(['192.168.1.1/32 announced tor-2', '192.168.1.2/32 pending'])
    expect(one.told.map(({ address, state }) => `${address} ${state}`)).toEqual([
      '192.168.1.1/32 announced',
      '192.168.1.2/32 pending',
    ])
    await one.router('tor-1 again', '10.0.0.252')
    one.configure(peer('tor-1', '10.0.0.252'), peer('tor-2', '10.0.0.253'))
    one.announcer.announce([toBoth('192.168.1.1/32'), advertise('192.168.1.2/32', route('tor-1'))])
    await one.settle()
    expect(one.status()).toEqual(['192.168.1.1/32 announced tor-1+tor-2', '192.168.1.2/32 announced tor-1'])
    expect(peers).toEqual(['down tor-1 NOTIFICATION_RECEIVED', 'up tor-1'])
    await one.close()
  })

  it('speaks with the peers whose nodeSelectors select this node, and with no others', async () => {
    const one = new Lab()
    await one.router('tor-1', '10.0.0.254')
    await one.router('tor-2', '10.0.0.253')
    const selector = { text: 'rack=b', matches: ({ rack }: Record<string, string>) => rack === 'b' }
    const peers = [peer('tor-1', '10.0.0.254'), peer('tor-2', '10.0.0.253', { nodeSelectors: [selector] })]
    one.announcer.configure?.({ config: configure(peers), labels: { rack: 'a' } })
    await one.announcer.start()
    const desired = [toBoth('192.168.1.1/32'), advertise('192.168.1.2/32', route('tor-2'))]
    one.announcer.announce(desired)
    await one.settle()
    expect(one.announcer.sessions().map(({ peer: name }) => name)).toEqual(['tor-1'])
    expect(one.status()).toEqual([
      '192.168.1.1/32 announced tor-1 UNKNOWN_PEER',
      '192.168.1.2/32 failed  UNKNOWN_PEER',
    ])
    // The same advertisements, and a peer more: it is told of them all.
    one.announcer.configure?.({ config: configure(peers), labels: { rack: 'b' } })
    one.announcer.announce(desired)
    await one.settle()
    expect(one.status()).toEqual(['192.168.1.1/32 announced tor-1+tor-2', '192.168.1.2/32 announced tor-2'])
    expect(one.received()).toEqual([1, 2])
    await one.close()
  })

  it('resets the session of a peer that is changed, and no session for anything else', async () => {
    const one = await lab()
    const desired = [toBoth('192.168.1.1/32')]
    one.announcer.announce(desired)
    await one.settle()
    const opens = (): readonly number[] =>
      one.routers.map(router => router.sessions()[0]?.counters.opensReceived ?? 0)
    expect(opens()).toEqual([1, 1])
    one.announcer.announce([
      advertise('192.168.1.1/32', route('tor-1', { localPref: 7, communities: ['65000:1'] })),
    ])
    one.configure(peer('tor-1', '10.0.0.254'), peer('tor-2', '10.0.0.253'))
    one.announcer.announce(desired)
    await one.settle()
    expect(opens()).toEqual([1, 1])
    one.configure(peer('tor-1', '10.0.0.254'), peer('tor-2', '10.0.0.253', { holdTimeMs: 30_000 }))
    one.announcer.announce(desired)
    await one.settle(10_000)
    expect(opens()).toEqual([1, 2])
    expect(one.status()).toEqual(['192.168.1.1/32 announced tor-1+tor-2'])
    await one.close()
  })

  it('tells a change among many to its peers and nothing else', async () => {
    const one = await lab()
    const desired = Array.from({ length: 5000 }, (_, i) => toBoth(`10.1.${i >>> 8}.${i & 0xff}/32`))
    one.announcer.announce(desired)
    await one.settle()
    expect(one.received()).toEqual([5000, 5000])
    expect(one.told).toHaveLength(5000)
    one.told.length = 0
    const next = desired.slice()
    next[2500] = advertise('10.1.9.196/32', route('tor-1', { communities: ['65000:7'] }), route('tor-2'))
    one.announcer.announce(next)
    await one.settle()
    expect(one.received()).toEqual([5001, 5000])
    expect(one.told).toEqual([])
    one.announcer.announce(next.slice(1))
    await one.settle()
    expect(one.announcer.status()).toHaveLength(4999)
    expect(one.announcer.sessions().map(({ routes }) => routes.announced)).toEqual([4999, 4999])
    await one.close()
  })

  it('takes what comes twice once, and keeps it until it comes no more', async () => {
    const one = await lab()
    const [a, b] = [toBoth('192.168.1.1/32'), toBoth('192.168.1.2/32')]
    one.announcer.announce([a, b, toBoth('192.168.1.1/32')])
    await one.settle()
    expect(one.status()).toEqual([
      '192.168.1.1/32 announced tor-1+tor-2',
      '192.168.1.2/32 announced tor-1+tor-2',
    ])
    one.announcer.announce([b, a])
    await one.settle()
    expect(one.status().map(line => line.slice(0, 14))).toEqual(['192.168.1.2/32', '192.168.1.1/32'])
    one.announcer.announce([b])
    await one.settle()
    expect(one.status()).toEqual(['192.168.1.2/32 announced tor-1+tor-2'])
    expect(one.announcer.sessions().map(({ routes }) => routes.announced)).toEqual([1, 1])
    await one.close()
  })

  it('says what cannot be announced, and why', async () => {
    const one = await lab()
    one.announcer.announce([
      advertise('192.168.1.1/24', route('tor-1')),
      advertise('192.168.1.2/32'),
      { address: '192.168.1.3/32', services: [], options: { peers: [{ peer: 'tor-1' }] } },
      advertise('192.168.1.4/32', route('tor-1', { communities: ['nonsense'] })),
      advertise('2001:db8::/64', route('tor-1')),
      advertise('192.168.1.5/32', route('tor-1')),
    ])
    await one.settle()
    expect(one.status()).toEqual([
      '192.168.1.1/24 failed  BAD_ROUTE',
      '192.168.1.2/32 failed  BAD_OPTIONS',
      '192.168.1.3/32 failed  BAD_OPTIONS',
      '192.168.1.4/32 failed  BAD_ROUTE',
      '2001:db8::/64 failed  FAMILY_NOT_CARRIED',
      '192.168.1.5/32 announced tor-1',
    ])
    expect(one.announcer.status()[4]?.error?.message).toBe(
      'BGPPeer "tor-1": the session does not carry IPv6 routes: activate that family on both sides (dualStackAddressFamily)',
    )
    await one.close()
  })

  it('lets a router keep the routes over a restart, and is not done before it knows them', async () => {
    const one = new Lab()
    const router = await one.router('tor-1', '10.0.0.254', { gracefulRestart: true })
    one.configure(peer('tor-1', '10.0.0.254', { gracefulRestart: true }))
    await one.announcer.start()
    await one.settle()
    const received = (): unknown => {
      const { updatesReceived, notificationsReceived } = router.sessions()[0]?.counters ?? {}
      return { updatesReceived, notificationsReceived }
    }
    expect(received()).toEqual({ updatesReceived: 0, notificationsReceived: 0 })
    one.announcer.announce([])
    await one.settle()
    expect(received()).toEqual({ updatesReceived: 1, notificationsReceived: 0 })
    one.announcer.announce([advertise('192.168.1.1/32', route('tor-1'))])
    await one.settle()
    const closing = one.announcer[Symbol.asyncDispose]()
    await one.settle()
    await closing
    expect(received()).toEqual({ updatesReceived: 2, notificationsReceived: 0 })
    await one.close()
  })

  it('watches a peer that has a BFD profile, and loses it in its time, long before the hold time', async () => {
    const profile: BfdProfile = {
      name: 'fast',
      receiveIntervalMs: 100,
      transmitIntervalMs: 100,
      detectMultiplier: 3,
      echoIntervalMs: 50,
      echoMode: false,
      passiveMode: false,
      minimumTtl: 254,
    }
    const one = new Lab()
    const router = await one.router('tor-1', '10.0.0.254', { bfd: profile })
    const bfd = new Bfd({ network: one.host('tor-1'), clock: one.clock, random: seededRandom(5) })
    bfd.session({ peer: '10.0.0.1', profile })
    one.announcer.configure?.({
      config: configure([peer('tor-1', '10.0.0.254', { bfdProfile: 'fast' })], [profile]),
      labels: {},
    })
    await one.announcer.start()
    one.announcer.announce([advertise('192.168.1.1/32', route('tor-1'))])
    await one.settle(5000)
    const session = (): string => {
      const [status] = one.announcer.sessions()
      return `${status?.state} ${status?.bfd?.state} ${status?.lastError?.code ?? ''}`.trim()
    }
    expect(session()).toBe('Established up')
    one.network.path('tor-1', 'node-a', { cut: true })
    await one.settle(250)
    expect(session()).toBe('Established up')
    await one.settle(100)
    expect(session()).toBe('Active down BFD_DOWN')
    expect(one.status()).toEqual(['192.168.1.1/32 pending'])
    expect(router.sessions()).toHaveLength(1)
    const closing = bfd[Symbol.asyncDispose]()
    await one.close()
    await closing
  })

  it('refuses options that cannot be', () => {
    for (const [options, words] of [
      [{ listen: { port: 0 } }, 'listen.port is 0: give a TCP port'],
      [{ listen: { address: 'here' } }, 'listen.address is "here": give an IP address'],
      [{ routerId: '::1' }, 'routerId is "::1": give an IPv4 address other than 0.0.0.0'],
    ] as const)
      expect(() => bgp(options)).toThrow(words)
  })
})
