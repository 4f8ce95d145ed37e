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
import { BgpSpeaker } from '../speaker/bgp-speaker.ts'
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

  async router(name: string, address: string): Promise<BgpSpeaker> {
    const router = this.speaker(this.network.host(name, address))
    router.setPeers([
      { name: 'node-a', myAsn: 65002, peerAsn: 65001, peerAddress: '10.0.0.1', passive: true },
    ])
    await router.start()
    this.routers.push(router)
    return router
  }

  speaker(network: MemoryHost): BgpSpeaker {
    const { clock } = this
    return new BgpSpeaker({ clock, network, random: seededRandom(3), log: silentLogger, metrics: noMetrics })
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
