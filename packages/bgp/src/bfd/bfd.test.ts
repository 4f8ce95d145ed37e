import type { Datagrams } from '@carillon/core'
import {
  FakeClock,
  type MemoryHost,
  MemoryNetwork,
  RecordingLogger,
  RecordingMetrics,
  seededRandom,
  settle,
} from '@carillon/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Bfd } from './bfd.ts'
import { bfdMetricNames } from './metrics.ts'
import type { BfdSessionOptions, BfdSettings } from './options.ts'
import type { BfdSession } from './session.ts'
import { type ControlPacket, decodeControl, encodeControl } from './wire/index.ts'

let clock: FakeClock
let network: MemoryNetwork
let open: AsyncDisposable[]
let seed: number

/** A host that runs BFD. */
class Node {
  readonly host: MemoryHost
  readonly bfd: Bfd
  readonly log = new RecordingLogger()
  readonly metrics = new RecordingMetrics()

  constructor(name: string, ...addresses: string[]) {
    this.host = network.host(name, ...addresses)
    this.bfd = new Bfd({
      network: this.host,
      clock,
      random: seededRandom(++seed),
      log: this.log,
      metrics: this.metrics,
    })
    open.push(this.bfd)
  }

  /** A session, and what it told. */
  session(options: BfdSessionOptions): BfdSession & { readonly told: string[] } {
    const session = this.bfd.session(options)
    const told: string[] = []
    session.on('session:up', ({ peer }) => told.push(`up ${peer}`))
    session.on('session:down', ({ cause }) => told.push(`down ${cause}`))
    return Object.assign(session, { told })
  }

  value(name: keyof typeof bfdMetricNames, peer: string): number | undefined {
    return this.metrics.value(bfdMetricNames[name], { peer })
  }

  dropped(reason: string): number | undefined {
    return this.metrics.value(bfdMetricNames.dropped, { reason })
  }
}

/** Two hosts that are up with each other. */
async function pair(profile: Partial<BfdSettings> = {}) {
  const a = new Node('a', '10.0.0.1')
  const b = new Node('b', '10.0.0.2')
  const ab = a.session({ peer: '10.0.0.2', profile })
  const ba = b.session({ peer: '10.0.0.1', profile })
  await clock.advanceAsync(3000)
  return { a, b, ab, ba }
}

/** A peer of which every byte is ours to choose; `heard`: what it received, with TTL and source port. */
async function script(address: string, options: { ttl?: number; port?: number } = {}) {
  const { ttl = 255, port = 3784 } = options
  const host = network.host(`script ${address}`, address)
  const heard: { readonly packet: ControlPacket; readonly ttl: number | undefined; readonly port: number }[] =
    []
  const inlet = await host.datagrams({ address, port })
  inlet.receive((from, bytes, info) => {
    const packet = decodeControl(bytes)
    if (typeof packet !== 'string') heard.push({ packet, ttl: info.ttl, port: from.port })
  })
  const outlet: Datagrams = await host.datagrams({ address, port: 0 }, { ttl })
  const base: ControlPacket = {
    state: 'down',
    diagnostic: 0,
    poll: false,
    final: false,
    controlPlaneIndependent: false,
    demand: false,
    detectMultiplier: 3,
    myDiscriminator: 77,
    yourDiscriminator: 0,
    desiredMinTxUs: 1_000_000,
    requiredMinRxUs: 1_000_000,
    requiredMinEchoRxUs: 0,
  }
  return {
    heard,
    say: (to: string, changes: Partial<ControlPacket> = {}): void =>
      outlet.send({ address: to, port }, encodeControl({ ...base, ...changes })),
    raw: (to: string, bytes: Uint8Array): void => outlet.send({ address: to, port }, bytes),
  }
}

beforeEach(() => {
  clock = new FakeClock()
  network = new MemoryNetwork({ clock, random: seededRandom(1) })
  open = []
  seed = 1
})

afterEach(async () => {
  const closing = Promise.all(open.map(one => one[Symbol.asyncDispose]()))
  await clock.advanceAsync(1000)
  await closing
})

describe('a session', () => {
  it('comes up when the other end has one with us, and both know what was agreed', async () => {
    const { ab, ba } = await pair({ transmitIntervalMs: 50, receiveIntervalMs: 100 })
    expect([ab.told, ba.told]).toEqual([['up 10.0.0.2'], ['up 10.0.0.1']])
    expect(ab.status()).toMatchObject({
      peer: '10.0.0.2',
      multihop: false,
      state: 'up',
      diagnostic: 'no diagnostic',
      transmitIntervalMs: 100,
      detectionTimeMs: 300,
      remote: {
        state: 'up',
        discriminator: ba.status().discriminator,
        transmitIntervalMs: 50,
        receiveIntervalMs: 100,
        detectMultiplier: 3,
      },
      echo: 'off',
      problem: undefined,
    })
    expect(Date.parse(ab.status().since)).toBeLessThan(clock.date().getTime())
  })

  it('comes up over IPv6, between link-local addresses of an interface too', async () => {
    const a = new Node('a', 'fd00::1', 'fe80::1')
    const b = new Node('b', 'fd00::2', 'fe80::2')
    for (const { host } of [a, b]) host.setLink({ name: 'eth0' })
    const sessions = [
      a.session({ peer: 'fd00:0:0::2' }),
      a.session({ peer: 'fe80::2%eth0', local: 'fe80::1' }),
      b.session({ peer: 'fd00::1' }),
      b.session({ peer: 'fe80::1', device: 'eth0', local: 'fe80::2' }),
    ]
    await clock.advanceAsync(3000)
    expect(sessions.map(one => one.status().state)).toEqual(['up', 'up', 'up', 'up'])
    expect(sessions[0]?.status().peer).toBe('fd00::2')
    expect(sessions[1]?.status()).toMatchObject({ peer: 'fe80::2', device: 'eth0', local: 'fe80::1' })
  })

  it('goes down when nothing is heard for the detection time, and says why', async () => {
    const { ab } = await pair({ transmitIntervalMs: 50, receiveIntervalMs: 50 })
    const reasons: string[] = []
    ab.on('session:down', ({ reason, status }) => reasons.push(`${reason}: ${status.diagnostic}`))
    network.partition(['a'])
    const cut = clock.now()
    let downAt = 0
    ab.on('session:down', () => {
      downAt = clock.now()
    })
    await clock.advanceAsync(200)
    expect(reasons).toEqual(['nothing was heard of 10.0.0.2 for 150 ms: control detection time expired'])
    // The last packet came at most one interval before the cut.
    expect(downAt - cut).toBeGreaterThan(100)
    expect(downAt - cut).toBeLessThanOrEqual(150)
    expect(ab.status()).toMatchObject({ state: 'down', remote: undefined, detectionTimeMs: undefined })
  })

  it('comes up again by itself', async () => {
    const { ab } = await pair()
    network.partition(['a'])
    await clock.advanceAsync(5000)
    network.heal()
    await clock.advanceAsync(5000)
    expect(ab.told).toEqual(['up 10.0.0.2', 'down silence', 'up 10.0.0.2'])
    expect(ab.status().counters).toMatchObject({ ups: 2, downs: 1 })
  })

  it('goes on with another profile without going down', async () => {
    const { ab, ba } = await pair()
    const seen: (number | undefined)[] = []
    ba.on('session:changed', ({ detectionTimeMs }) => seen.push(detectionTimeMs))
    ab.change({ transmitIntervalMs: 1000, receiveIntervalMs: 20, detectMultiplier: 5 })
    await clock.advanceAsync(3000)
    expect(ab.status()).toMatchObject({ state: 'up', transmitIntervalMs: 1000, detectionTimeMs: 900 })
    expect(ba.status()).toMatchObject({ state: 'up', transmitIntervalMs: 300, detectionTimeMs: 5000 })
    expect(seen).toContain(5000)
    expect([ab.told.length, ba.told.length]).toEqual([1, 1])
  })

  it('tells of what changes, and not of packets that merely pass', async () => {
    const { ab } = await pair()
    let changes = 0
    ab.on('session:changed', () => changes++)
    const { controlIn } = ab.status().counters
    await clock.advanceAsync(10_000)
    expect(ab.status().counters.controlIn).toBeGreaterThan(controlIn + 20)
    expect(changes).toBe(0)
    ab.change({ detectMultiplier: 3, transmitIntervalMs: 400 })
    await clock.advanceAsync(1000)
    expect(changes).toBeGreaterThan(0)
  })

  it('is the same one for all who ask for the same peer, and has the profile given last', async () => {
    const { a, b, ab } = await pair()
    const again = a.session({ peer: '10.0.0.2', profile: { transmitIntervalMs: 600 } })
    await clock.advanceAsync(3000)
    expect(again.status()).toEqual(ab.status())
    expect(again.status().transmitIntervalMs).toBe(600)
    network.partition(['a'])
    await clock.advanceAsync(3000)
    expect([ab.told.at(-1), again.told]).toEqual(['down silence', ['down silence']])
    await ab.close()
    network.heal()
    await clock.advanceAsync(5000)
    expect(again.told.at(-1)).toBe('up 10.0.0.2')
    const others = b.session({ peer: '10.0.0.1' })
    expect(others.status().state).toBe('up')
  })

  it('that is closed tells the peer, and nobody here', async () => {
    const { ab, ba } = await pair()
    let reason = ''
    ba.on('session:down', down => {
      reason = down.reason
    })
    const closed = ab.close()
    await clock.advanceAsync(1000)
    await closed
    expect(ab.told).toEqual(['up 10.0.0.2'])
    expect(ba.told.at(-1)).toBe('down peer-admin-down')
    expect(reason).toBe('10.0.0.2 has taken the session down administratively'.replace('.2', '.1'))
    await ab.close()
  })

  it('can be opened anew while the last one still says farewell', async () => {
    const { a, ab, ba } = await pair()
    const closed = ab.close()
    const next = a.session({ peer: '10.0.0.2' })
    await clock.advanceAsync(5000)
    await closed
    expect([next.status().state, ba.status().state]).toEqual(['up', 'up'])
    expect(next.status().discriminator).toBe(ba.status().remote?.discriminator)
  })

  it('survives the restart of the peer under another discriminator', async () => {
    const { ab } = await pair()
    network.remove('b')
    const session = new Node('b', '10.0.0.2').session({ peer: '10.0.0.1' })
    await clock.advanceAsync(5000)
    expect(ab.told).toEqual(['up 10.0.0.2', 'down peer', 'up 10.0.0.2'])
    expect(ab.status().remote?.discriminator).toBe(session.status().discriminator)
  })

  it('that is passive waits for the peer', async () => {
    const a = new Node('a', '10.0.0.1')
    const peer = await script('10.0.0.2')
    const session = a.session({ peer: '10.0.0.2', profile: { passiveMode: true } })
    await clock.advanceAsync(10_000)
    expect(peer.heard).toEqual([])
    peer.say('10.0.0.1')
    await clock.advanceAsync(0)
    expect(peer.heard.map(({ packet }) => packet.state)).toEqual(['init'])
    expect(session.status().state).toBe('init')
  })
})

describe('a peer that names a session which we no longer have', () => {
  it('is heard by the session that waits for it when it is down', async () => {
    const a = new Node('a', '10.0.0.1')
    const peer = await script('10.0.0.2')
    const session = a.session({ peer: '10.0.0.2', profile: { passiveMode: true } })
    await clock.advanceAsync(100)
    peer.say('10.0.0.1', { yourDiscriminator: 4711, state: 'up' })
    await clock.advanceAsync(1000)
    expect(session.status().state).toBe('down')
    peer.say('10.0.0.1', { yourDiscriminator: 4711 })
    await clock.advanceAsync(0)
    expect(peer.heard.at(-1)?.packet).toMatchObject({ state: 'init', yourDiscriminator: 77 })
    expect(a.dropped('unknownSession')).toBe(1)
  })

  it('cannot take down one that is up', async () => {
    const { a, b, ab } = await pair()
    const forged = await b.host.datagrams({ address: '10.0.0.2', port: 0 }, { ttl: 255 })
    const bytes = Buffer.from('204003180000004d00001267000f4240000f424000000000', 'hex')
    forged.send({ address: '10.0.0.1', port: 3784 }, bytes)
    await clock.advanceAsync(1000)
    expect(ab.told).toEqual(['up 10.0.0.2'])
    expect(a.dropped('unknownSession')).toBe(1)
  })
})

describe('a single hop', () => {
  it('sends with TTL 255 from a port of its own in the range of the RFC', async () => {
    const a = new Node('a', '10.0.0.1')
    const peers = await Promise.all([script('10.0.0.2'), script('10.0.0.3')])
    a.session({ peer: '10.0.0.2' })
    a.session({ peer: '10.0.0.3' })
    await clock.advanceAsync(3000)
    const ports = peers.map(({ heard }) => new Set(heard.map(({ port }) => port)))
    expect(ports.map(({ size }) => size)).toEqual([1, 1])
    const [one = 0, other = 0] = ports.flatMap(all => [...all])
    expect(one).not.toBe(other)
    expect(Math.min(one, other)).toBeGreaterThanOrEqual(49152)
    expect(peers.flatMap(({ heard }) => heard.map(({ ttl }) => ttl)).every(ttl => ttl === 255)).toBe(true)
  })

  it('takes nothing that came through a router', async () => {
    const a = new Node('a', '10.0.0.1')
    const session = a.session({ peer: '10.0.0.2' })
    const peer = await script('10.0.0.2', { ttl: 254 })
    await clock.advanceAsync(100)
    peer.say('10.0.0.1')
    await clock.advanceAsync(1000)
    expect(session.status()).toMatchObject({ state: 'down', counters: { controlIn: 0 } })
  })
})

describe('several hops', () => {
  it('have a port of their own, and a limit', async () => {
    const a = new Node('a', '10.0.0.1')
    const peer = await script('10.9.0.2', { ttl: 60, port: 4784 })
    const session = a.session({ peer: '10.9.0.2', multihop: true, profile: { minimumTtl: 60 } })
    await clock.advanceAsync(100)
    peer.say('10.0.0.1')
    await clock.advanceAsync(1000)
    expect(session.status()).toMatchObject({ state: 'init', multihop: true, problem: undefined })
    expect(peer.heard[0]?.ttl).toBe(255)
  })

  it('that are too many show in the status, for as long as that is so', async () => {
    const a = new Node('a', '10.0.0.1')
    const peer = await script('10.9.0.2', { ttl: 64, port: 4784 })
    const session = a.session({ peer: '10.9.0.2', multihop: true })
    await clock.advanceAsync(100)
    peer.say('10.0.0.1')
    await clock.advanceAsync(1000)
    expect(session.status()).toMatchObject({ state: 'down', problem: { code: 'BFD_TTL_TOO_LOW' } })
    expect(session.status().problem?.message).toBe(
      'packets of 10.9.0.2 arrive with TTL 64, and the minimumTtl of its BFD profile is 254',
    )
    expect(a.dropped('ttl')).toBe(1)
    session.change({ minimumTtl: 64 })
    peer.say('10.0.0.1')
    await clock.advanceAsync(1000)
    expect(session.status()).toMatchObject({ state: 'init', problem: undefined })
  })

  it('and a single hop to the same address are two sessions', async () => {
    const a = new Node('a', '10.0.0.1')
    const b = new Node('b', '10.0.0.2')
    const far = a.session({ peer: '10.0.0.2', multihop: true })
    const near = a.session({ peer: '10.0.0.2' })
    b.session({ peer: '10.0.0.1', multihop: true })
    await clock.advanceAsync(3000)
    expect([far.status().state, near.status().state]).toEqual(['up', 'down'])
  })

  it('tell sessions with one peer apart by our address', async () => {
    const a = new Node('a', '10.0.0.1', '10.0.0.9')
    const b = new Node('b', '10.0.0.2')
    const [one, nine] = ['10.0.0.1', '10.0.0.9'].map(local =>
      a.session({ peer: '10.0.0.2', local, multihop: true }),
    )
    b.session({ peer: '10.0.0.9', multihop: true })
    await clock.advanceAsync(3000)
    expect([one?.status().state, nine?.status().state]).toEqual(['down', 'up'])
  })
})

describe('hostile packets', () => {
  it('are dropped for a reason, and the session does not notice', async () => {
    const { a, b, ab, ba } = await pair()
    const stranger = await script('10.0.0.66')
    const before = [ab.status(), ba.status()].map(({ state, since, remote }) => ({ state, since, remote }))
    const yours = ab.status().discriminator
    const bytes = encodeControl({
      state: 'up',
      diagnostic: 0,
      poll: false,
      final: false,
      controlPlaneIndependent: false,
      demand: false,
      detectMultiplier: 3,
      myDiscriminator: 1,
      yourDiscriminator: yours,
      desiredMinTxUs: 1,
      requiredMinRxUs: 1,
      requiredMinEchoRxUs: 1,
    })
    const changed = (changes: Readonly<Record<number, number>>): Uint8Array => {
      const out = bytes.slice()
      for (const [at, value] of Object.entries(changes)) out[Number(at)] = value
      return out
    }
    stranger.raw('10.0.0.1', bytes.subarray(0, 20))
    stranger.raw('10.0.0.1', changed({ 0: 0x40 }))
    stranger.raw('10.0.0.1', changed({ 3: 8 }))
    stranger.raw('10.0.0.1', changed({ 2: 0 }))
    stranger.raw('10.0.0.1', changed({ 1: 0xc1 }))
    stranger.raw('10.0.0.1', changed({ 1: 0xf0 }))
    stranger.raw('10.0.0.1', Uint8Array.of(...changed({ 1: 0xc4, 3: 27 }), 1, 3, 0))
    stranger.raw('10.0.0.1', changed({ 4: 0, 5: 0, 6: 0, 7: 0 }))
    stranger.say('10.0.0.1', { state: 'init' })
    stranger.say('10.0.0.1', { yourDiscriminator: yours ^ 1 })
    stranger.say('10.0.0.1')
    await clock.advanceAsync(2000)
    const counted = Object.fromEntries(
      [
        'short',
        'version',
        'length',
        'multiplier',
        'multipoint',
        'flags',
        'authentication',
        'discriminator',
        'state',
        'unknownSession',
        'unknownPeer',
      ].map(reason => [reason, a.dropped(reason)]),
    )
    expect(Object.values(counted)).toEqual(Object.values(counted).map(() => 1))
    expect([ab.status(), ba.status()].map(({ state, since, remote }) => ({ state, since, remote }))).toEqual(
      before,
    )
    expect(b.dropped('short')).toBeUndefined()
  })
})

describe('what stands in the way', () => {
  it('of another program on the port shows in the status, and is over when it is', async () => {
    const a = new Node('a', '10.0.0.1')
    const b = new Node('b', '10.0.0.2')
    const taken = await a.host.datagrams({ address: '0.0.0.0', port: 3784 })
    const session = a.session({ peer: '10.0.0.2' })
    b.session({ peer: '10.0.0.1' })
    await clock.advanceAsync(3000)
    expect(session.status()).toMatchObject({
      state: 'down',
      problem: { code: 'BFD_SOCKET_FAILED', details: { peer: '10.0.0.2', cause: 'EADDRINUSE' } },
    })
    expect(a.log.lines.filter(({ level }) => level === 'warn').length).toBe(1)
    await taken[Symbol.asyncDispose]()
    await clock.advanceAsync(5000)
    expect(session.status()).toMatchObject({ state: 'up', problem: undefined })
  })

  it('of an interface that is not there yet shows in the status, and is over when it is', async () => {
    const a = new Node('a', '10.0.0.1')
    const b = new Node('b', '10.0.0.2')
    const session = a.session({ peer: '10.0.0.2', device: 'eth0' })
    b.session({ peer: '10.0.0.1' })
    await clock.advanceAsync(3000)
    expect(session.status().problem?.message).toBe('BFD session with 10.0.0.2: there is no interface eth0')
    a.host.setLink({ name: 'eth0' })
    await clock.advanceAsync(5000)
    expect(session.status()).toMatchObject({ state: 'up', problem: undefined })
  })

  it('of an interface that is replaced by another of its name is over by itself', async () => {
    const a = new Node('a', '10.0.0.1')
    const b = new Node('b', '10.0.0.2')
    a.host.setLink({ name: 'eth0' })
    const session = a.session({ peer: '10.0.0.2', device: 'eth0' })
    b.session({ peer: '10.0.0.1' })
    await clock.advanceAsync(3000)
    a.host.removeLink('eth0')
    await clock.advanceAsync(100)
    expect(session.status().problem?.message).toContain('there is no interface eth0')
    a.host.setLink({ name: 'eth0', index: 7 })
    await clock.advanceAsync(5000)
    expect(session.status()).toMatchObject({ state: 'up', problem: undefined })
  })
})

describe('options', () => {
  const refused: readonly [what: string, options: BfdSessionOptions, field: string][] = [
    ['a peer that is no address', { peer: 'router' }, 'peer'],
    ['a peer with an empty zone', { peer: 'fe80::1%' }, 'peer'],
    ['a source that is no address', { peer: '10.0.0.1', local: 'eth0' }, 'local'],
    ['a source of another family', { peer: '10.0.0.1', local: 'fd00::1' }, 'local'],
    ['a link-local peer without an interface', { peer: 'fe80::1' }, 'device'],
    ['two interfaces', { peer: 'fe80::1%eth0', device: 'eth1' }, 'device'],
    ['no name of an interface', { peer: '10.0.0.1', device: '' }, 'device'],
    ['a link-local peer behind a router', { peer: 'fe80::1%eth0', multihop: true }, 'multihop'],
    [
      'an interval that is too short',
      { peer: '10.0.0.1', profile: { transmitIntervalMs: 9 } },
      'profile.transmitIntervalMs',
    ],
    [
      'an interval that is no number',
      { peer: '10.0.0.1', profile: { receiveIntervalMs: Number.NaN } },
      'profile.receiveIntervalMs',
    ],
    [
      'a multiplier that is too large',
      { peer: '10.0.0.1', profile: { detectMultiplier: 256 } },
      'profile.detectMultiplier',
    ],
    [
      'an echo interval that is too long',
      { peer: '10.0.0.1', profile: { echoIntervalMs: 60_001 } },
      'profile.echoIntervalMs',
    ],
    ['a TTL of 0', { peer: '10.0.0.1', profile: { minimumTtl: 0 } }, 'profile.minimumTtl'],
  ]
  for (const [what, options, field] of refused)
    it(`refuse ${what}`, () => {
      const { bfd } = new Node('a', '10.0.0.1')
      expect(() => bfd.session(options)).toThrow(
        expect.objectContaining({ code: 'BAD_BFD_OPTIONS', details: expect.objectContaining({ field }) }),
      )
    })

  it('refuse a profile that a session cannot go on with, which goes on as it was', async () => {
    const { ab } = await pair()
    expect(() => ab.change({ detectMultiplier: 0 })).toThrow(
      expect.objectContaining({ code: 'BAD_BFD_OPTIONS' }),
    )
    await clock.advanceAsync(1000)
    expect(ab.status().state).toBe('up')
  })
})

describe('numbers', () => {
  it('are MetalLB’s, by peer', async () => {
    const { a, ab } = await pair()
    expect([a.value('up', '10.0.0.2'), a.value('ups', '10.0.0.2')]).toEqual([1, 1])
    await clock.advanceAsync(3000)
    const { controlIn, controlOut } = ab.status().counters
    expect(controlIn).toBeGreaterThan(10)
    expect([a.value('controlIn', '10.0.0.2'), a.value('controlOut', '10.0.0.2')]).toEqual([
      controlIn,
      controlOut,
    ])
    network.partition(['a'])
    await clock.advanceAsync(3000)
    expect([a.value('up', '10.0.0.2'), a.value('downs', '10.0.0.2')]).toEqual([0, 1])
    await ab.close()
    expect(a.value('up', '10.0.0.2')).toBeUndefined()
  })
})

describe('Bfd', () => {
  it('ends every session when it is closed, and gives no more', async () => {
    const { a, ab, ba } = await pair()
    const closed = a.bfd[Symbol.asyncDispose]()
    await clock.advanceAsync(1000)
    await closed
    expect(ba.told.at(-1)).toBe('down peer-admin-down')
    await ab.close()
    expect(() => a.bfd.session({ peer: '10.0.0.2' })).toThrow(TypeError)
    await settle()
    expect(clock.pending).toBeGreaterThan(0)
    const other = ba.close()
    await clock.advanceAsync(1000)
    await other
    await clock.advanceAsync(5000)
    expect(clock.pending).toBe(0)
  })
})
