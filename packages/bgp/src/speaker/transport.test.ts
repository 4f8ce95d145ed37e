import type { Endpoint, Md5Key, Network, SocketOptions, Stream, Streams } from '@carillon/core'
import {
  FakeClock,
  MemoryNetwork,
  RecordingLogger,
  RecordingMetrics,
  seededRandom,
} from '@carillon/core/testing'
import { describe, expect, it } from 'vitest'
import { BgpSpeaker, type BgpSpeakerOptions } from './bgp-speaker.ts'
import { type BgpPeer, settlePeer } from './peer.ts'

type Dialled = Parameters<Network['connect']>

/** A speaker on a host that writes down which sockets were asked for. */
async function lab(peers: readonly BgpPeer[], options: Partial<BgpSpeakerOptions> = {}) {
  const clock = new FakeClock()
  const memory = new MemoryNetwork({ clock, random: seededRandom(1) })
  const host = memory.host('node-a', '10.0.0.1', '2001:db8::1')
  host.setLink({
    name: 'eth0',
    addresses: [{ address: '10.0.0.1', prefixLength: 24, scope: 'global', usable: true }],
  })
  const dialled: Dialled[] = []
  const listened: { at: Endpoint; options: SocketOptions; keys: readonly Md5Key[]; closed: boolean }[] = []
  const limits: unknown[] = []
  let refuse: Error | undefined
  const network: Network = {
    ...bound(host),
    connect(to, how) {
      dialled.push([to, how])
      return host.connect(to, how)
    },
    async listen(
      at: Endpoint,
      how: SocketOptions & { readonly md5?: readonly Md5Key[] } = {},
    ): Promise<Streams> {
      if (refuse) throw refuse
      const { md5 = [], ...rest } = how
      const record = { at, options: rest, keys: md5, closed: false }
      listened.push(record)
      // The network in memory has no devices: a port is free but once.
      const streams = await host.listen(how.device === undefined ? at : { ...at, port: 0 })
      return {
        local: streams.local,
        accept: handle =>
          streams.accept((stream: Stream) =>
            handle(Object.assign(stream, { limitTtl: (limit: object) => limits.push(limit) })),
          ),
        setMd5Keys: keys => {
          record.keys = keys
        },
        [Symbol.asyncDispose]: () => {
          record.closed = true
          return streams[Symbol.asyncDispose]()
        },
      }
    },
  }
  const log = new RecordingLogger()
  const speaker = new BgpSpeaker({
    clock,
    network,
    random: seededRandom(2),
    log,
    metrics: new RecordingMetrics(),
    ...options,
  })
  speaker.setPeers(peers)
  return {
    clock,
    memory,
    speaker,
    dialled,
    listened,
    limits,
    log,
    refuse: (error: Error | undefined) => {
      refuse = error
    },
    start: async () => {
      await speaker.start()
      await clock.advanceAsync(10)
    },
  }
}

function bound(host: Network): Network {
  return {
    datagrams: (...args) => host.datagrams(...args),
    listen: (...args) => host.listen(...args),
    connect: (...args) => host.connect(...args),
    frames: (...args) => host.frames(...args),
    icmp6: (...args) => host.icmp6(...args),
    links: () => host.links(),
  }
}

const peer = (change: Partial<BgpPeer> = {}): BgpPeer => ({
  name: 'tor',
  myAsn: 65001,
  peerAsn: 65002,
  peerAddress: '10.0.0.254',
  ...change,
})

describe('a connection to a peer', () => {
  const cases: readonly (readonly [what: string, change: Partial<BgpPeer>, options: object])[] = [
    ['in another AS goes one hop', {}, { ttl: 1 }],
    ['in another AS goes further where that is allowed', { ebgpMultiHop: true }, { ttl: 255 }],
    ['in our AS goes any way', { peerAsn: 65001 }, { ttl: 255 }],
    ['that sees another AS of ours, its own, goes any way', { localAsn: 65002 }, { ttl: 255 }],
    ['comes from no further than its hops', { ttlSecurity: 1 }, { ttl: 255, minimumTtl: 255 }],
    ['comes from no further than its three hops', { ttlSecurity: 3 }, { ttl: 255, minimumTtl: 253 }],
    ['is signed', { password: 'secret' }, { ttl: 1, md5: { address: '10.0.0.254', key: 'secret' } }],
    ['has our source address', { sourceAddress: '10.0.0.1' }, { ttl: 1, from: { address: '10.0.0.1' } }],
    ['stays in its VRF', { vrf: 'red' }, { ttl: 1, device: 'red' }],
    ['has a port of its own', { peerPort: 1790 }, { ttl: 1 }],
  ]
  for (const [what, change, options] of cases)
    it(what, async () => {
      const { speaker, dialled, start } = await lab([peer(change)])
      await start()
      const { peerPort = 179 } = change
      expect(dialled).toEqual([
        [
          { address: '10.0.0.254', port: peerPort },
          { ...options, timeoutMs: 6000 },
        ],
      ])
      await speaker.close()
    })
})

describe('a listener', () => {
  it('is there only when it is asked for, or a peer is passive', async () => {
    const { speaker, listened, clock, start } = await lab([peer()])
    await start()
    expect(listened).toEqual([])
    speaker.setPeers([peer({ passive: true })])
    await clock.advanceAsync(1)
    expect(listened).toMatchObject([
      { at: { address: '::', port: 179 }, options: { ttl: 255 }, closed: false },
    ])
    speaker.setPeers([peer()])
    await clock.advanceAsync(1)
    expect(listened.map(one => one.closed)).toEqual([true])
    await speaker.close()
  })

  it('has the keys of the peers, and one for each VRF', async () => {
    const { speaker, listened, clock, start } = await lab(
      [
        peer({ password: 'one' }),
        peer({ name: 'plain', peerAddress: '10.0.0.253' }),
        peer({ name: 'red', vrf: 'red', password: 'two' }),
      ],
      { listen: { address: '0.0.0.0', port: 1179 } },
    )
    await start()
    const at = { address: '0.0.0.0', port: 1179 }
    expect(listened).toEqual([
      { at, options: { ttl: 255 }, keys: [{ address: '10.0.0.254', key: 'one' }], closed: false },
      {
        at,
        options: { ttl: 255, device: 'red' },
        keys: [{ address: '10.0.0.254', key: 'two' }],
        closed: false,
      },
    ])
    speaker.setPeers([peer({ password: 'three' })])
    await clock.advanceAsync(1)
    expect(listened.map(({ keys, closed }) => [keys[0]?.key, closed])).toEqual([
      ['three', false],
      ['two', true],
    ])
    await speaker.close()
    expect(listened.every(({ closed }) => closed)).toBe(true)
  })

  it('has the key of one of two peers at one address, and both are named', async () => {
    const { speaker, listened, log, start } = await lab([
      peer({ name: 'a', passive: true, password: 'one' }),
      peer({ name: 'b', passive: true, password: 'two', peerPort: 1179 }),
    ])
    await start()
    expect(listened[0]?.keys).toEqual([{ address: '10.0.0.254', key: 'one' }])
    const why = 'connections from 10.0.0.254 have to have the password of peer "a", which is another one'
    expect(speaker.session('b')?.waiting).toBe(`waiting for the peer to connect; ${why}`)
    expect(speaker.session('a')?.waiting).toBe('waiting for the peer to connect')
    expect(log.lines.filter(({ level }) => level === 'warn')).toMatchObject([
      { message: `the peer cannot connect to us: ${why}`, fields: { peer: 'b', rival: 'a' } },
    ])
    await speaker.close()
  })

  it('holds each accepted connection to what its peer is held to', async () => {
    const { speaker, memory, clock, limits, start } = await lab(
      [
        peer({ passive: true }),
        peer({ name: 'safe', peerAddress: '10.0.0.253', ttlSecurity: 2, passive: true }),
      ],
      { listen: {} },
    )
    await start()
    for (const address of ['10.0.0.254', '10.0.0.253'])
      void memory.host(address, address).connect({ address: '10.0.0.1', port: 179 })
    await clock.advanceAsync(1)
    expect(limits).toEqual([{ ttl: 1 }, { ttl: 255, minimumTtl: 254 }])
    const closing = speaker.close()
    await clock.advanceAsync(1000)
    await closing
  })

  it('tells sessions with one router apart by the address of ours that it connects to', async () => {
    const { speaker, memory, clock, start } = await lab(
      [
        peer({ name: 'first', sourceAddress: '10.0.0.9', passive: true }),
        peer({ name: 'second', sourceAddress: '10.0.0.1', passive: true }),
      ],
      { listen: {} },
    )
    await start()
    void memory.host('router', '10.0.0.254').connect({ address: '10.0.0.1', port: 179 })
    await clock.advanceAsync(1)
    expect(speaker.sessions().map(({ peer: name, local }) => [name, local?.address])).toEqual([
      ['first', undefined],
      ['second', '10.0.0.1'],
    ])
    const closing = speaker.close()
    await clock.advanceAsync(1000)
    await closing
  })

  it('that cannot be opened is tried again, and the sessions do not wait for it', async () => {
    const { speaker, clock, listened, dialled, log, refuse, start } = await lab([peer()], { listen: {} })
    refuse(new Error('TCP listener on [::]:179: bind: EADDRINUSE, another socket has this address and port'))
    await start()
    expect(dialled).toHaveLength(1)
    await clock.advanceAsync(7000)
    const lines = log.lines.filter(({ message }) => message === 'cannot listen for BGP peers')
    expect(lines.map(({ level, fields }) => [level, fields.retryMs])).toEqual(
      [
        ['warn', 1000],
        ['debug', 2000],
        ['debug', 4000],
      ].concat([['debug', 8000]]),
    )
    refuse(undefined)
    await clock.advanceAsync(8000)
    expect(listened).toHaveLength(1)
    await speaker.close()
  })
})

describe('a peer is refused', () => {
  const cases: readonly (readonly [change: Partial<BgpPeer>, words: string])[] = [
    [{ name: '' }, 'name is "": give a name'],
    [{ myAsn: 0 }, 'myAsn is 0: give an AS number'],
    [{ peerAsn: 4_294_967_296 }, 'peerAsn is 4294967296: give an AS number'],
    [{ dynamicAsn: 'external' }, 'peerAsn is 65002: give an AS number, or dynamicAsn instead'],
    [{ interface: 'eth0' }, 'peerAddress is "10.0.0.254": give an address, or an interface instead'],
    [{ peerAddress: 'router' }, 'peerAddress is "router": give an IP address'],
    [{ sourceAddress: '10.0.0' }, 'sourceAddress is "10.0.0": give an IP address'],
    [{ routerId: '::1' }, 'routerId is "::1": give an IPv4 address other than 0.0.0.0'],
    [{ routerId: '0.0.0.0' }, 'routerId is "0.0.0.0": give an IPv4 address other than 0.0.0.0'],
    [{ peerPort: 65_536 }, 'peerPort is 65536: give a TCP port'],
    [{ holdTimeMs: 2000 }, 'holdTimeMs is 2000: give whole seconds: 0, or 3 to 65535'],
    [{ holdTimeMs: 3500 }, 'holdTimeMs is 3500: give whole seconds: 0, or 3 to 65535'],
    [{ keepaliveTimeMs: -1 }, 'keepaliveTimeMs is -1: give milliseconds'],
    [{ connectTimeMs: 999 }, 'connectTimeMs is 999: give milliseconds: 1000 to 65535000'],
    [{ restartTimeMs: 4_096_000 }, 'restartTimeMs is 4096000: give whole seconds: 0 to 4095'],
    [{ ttlSecurity: 255 }, 'ttlSecurity is 255: give a number of hops from 1 to 254'],
    [{ password: '' }, 'password is not usable: give a key of 1 to 80 bytes'],
    [{ password: 'ä'.repeat(41) }, 'password is not usable: give a key of 1 to 80 bytes'],
  ]
  for (const [change, words] of cases)
    it(`whose ${words}`, () => {
      expect(() => settlePeer(peer(change))).toThrow(words)
      expect(() => settlePeer(peer(change))).toThrow(expect.objectContaining({ code: 'BAD_PEER' }))
    })
})
