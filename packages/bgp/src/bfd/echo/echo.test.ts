import { parseAddress } from '@carillon/core'
import { FakeClock, type MemoryHost, MemoryNetwork, runBpf, seededRandom } from '@carillon/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Bfd } from '../bfd.ts'
import type { BfdSession } from '../session.ts'
import { encodeEcho, encodeUdpFrame, type UdpFrame } from '../wire/index.ts'
import { bfdFilter } from './filter.ts'
import { placeOf } from './place.ts'

let clock: FakeClock
let network: MemoryNetwork
let open: AsyncDisposable[]

interface Side {
  readonly host: MemoryHost
  readonly bfd: Bfd
  readonly address: string
  readonly mac: Uint8Array
}

const prefixLength = (address: string): number => (address.includes(':') ? 64 : 24)

function side(name: string, address: string): Side {
  const host = network.host(name, address)
  const { mac } = host.setLink({
    name: 'eth0',
    addresses: [{ address, prefixLength: prefixLength(address), scope: 'global', usable: true }],
  })
  const bfd = new Bfd({ network: host, clock, random: seededRandom(name.charCodeAt(0)) })
  open.push(bfd)
  return { host, bfd, address, mac }
}

const profile = { echoMode: true, echoIntervalMs: 50 }

const frame = (from: Side, to: Side, changes: Partial<UdpFrame> = {}): Uint8Array =>
  encodeUdpFrame({
    destinationMac: to.mac,
    sourceMac: from.mac,
    source: parseAddress(from.address),
    destination: parseAddress(to.address),
    sourcePort: 50_000,
    destinationPort: 3784,
    ttl: 255,
    payload: new Uint8Array(24),
    ...changes,
  })

/** In memory datagrams are not frames. A control packet as it is on a real segment shows the MAC address of who sent it. */
function show(from: Side, to: Side): void {
  from.host.transmit('eth0', frame(from, to))
}

/** Two sides of a segment with sessions that are up. */
async function pair(a: string, b: string): Promise<{ a: Side; b: Side; ab: BfdSession; ba: BfdSession }> {
  const [one, other] = [side('a', a), side('b', b)]
  const ab = one.bfd.session({ peer: b, profile })
  const ba = other.bfd.session({ peer: a, profile })
  await clock.advanceAsync(100)
  show(one, other)
  show(other, one)
  await clock.advanceAsync(3000)
  return { a: one, b: other, ab, ba }
}

beforeEach(() => {
  clock = new FakeClock()
  network = new MemoryNetwork({ clock, random: seededRandom(1) })
  open = []
})

afterEach(async () => {
  const closing = Promise.all(open.map(one => one[Symbol.asyncDispose]()))
  await clock.advanceAsync(1000)
  await closing
})

describe('the echo function', () => {
  for (const [family, a, b] of [
    ['IPv4', '10.0.0.1', '10.0.0.2'],
    ['IPv6', 'fd00::1', 'fd00::2'],
  ] as const)
    it(`sends ${family} packets to ourselves by way of the peer, and counts those that come back`, async () => {
      network.everywhere({ delayMs: 2 })
      const { ab, ba } = await pair(a, b)
      for (const session of [ab, ba]) {
        expect(session.status()).toMatchObject({ state: 'up', echo: 'answered', echoProblem: undefined })
        expect(session.status().echoRoundTripMs).toBe(4)
        expect(session.status().counters.echoIn).toBeGreaterThan(20)
      }
    })

  it('ends the session when they do not come back any more, although control packets do', async () => {
    const { b, ab, ba } = await pair('10.0.0.1', '10.0.0.2')
    const causes: string[] = []
    for (const session of [ab, ba]) session.on('session:down', ({ cause }) => causes.push(cause))
    b.host.setLink({ name: 'eth0', carrier: false })
    await clock.advanceAsync(1000)
    expect(causes[0]).toBe('echo')
    expect(causes.filter(cause => cause === 'echo').length).toBeGreaterThan(3)
    b.host.setLink({ name: 'eth0', carrier: true })
    await clock.advanceAsync(1000)
    expect(ab.status()).toMatchObject({ state: 'up', echo: 'answered' })
  })

  it('does not end a session whose peer never returned one', async () => {
    const a = side('a', '10.0.0.1')
    const b = side('b', '10.0.0.2')
    const ab = a.bfd.session({ peer: b.address, profile })
    b.bfd.session({ peer: a.address, profile })
    await clock.advanceAsync(10_000)
    expect(ab.status()).toMatchObject({ state: 'up', echo: 'unanswered' })
  })

  it('begins and ends with the profile', async () => {
    const { ab } = await pair('10.0.0.1', '10.0.0.2')
    ab.change({ echoMode: false })
    await clock.advanceAsync(1000)
    expect(ab.status()).toMatchObject({ state: 'up', echo: 'off' })
    const { echoOut } = ab.status().counters
    await clock.advanceAsync(1000)
    expect(ab.status().counters.echoOut).toBe(echoOut)
    ab.change(profile)
    await clock.advanceAsync(5000)
    expect(ab.status()).toMatchObject({ state: 'up', echo: 'unanswered' })
  })

  it('says why there is none', async () => {
    const a = side('a', '10.0.0.1')
    const problem = async (peer: string, more: { multihop?: boolean; device?: string } = {}) => {
      const session = a.bfd.session({ peer, profile, ...more })
      await clock.advanceAsync(1000)
      return session.status().echoProblem
    }
    expect(await problem('192.168.7.7')).toBe('no Ethernet interface is in the network of 192.168.7.7')
    expect(await problem('10.0.0.2', { multihop: true })).toBe('echo packets go over a single hop only')
    a.host.setLink({
      name: 'eth1',
      addresses: [{ address: 'fe80::1', prefixLength: 64, scope: 'link', usable: true }],
    })
    expect(await problem('fe80::2%eth1')).toBe('a link-local peer forwards no echo packets')
  })

  it('tries again when the packet socket cannot be opened', async () => {
    const a = side('a', '10.0.0.1')
    a.host.refuseFrames(Object.assign(new Error('EPERM'), { code: 'EPERM', details: {} }) as never)
    const session = a.bfd.session({ peer: '10.0.0.2', profile })
    await clock.advanceAsync(1000)
    expect(session.status().echoProblem).toBe('EPERM')
    a.host.refuseFrames(undefined)
    await clock.advanceAsync(6000)
    expect(session.status().echoProblem).toBeUndefined()
  })
})

describe('echo packets of a peer', () => {
  const echo = { sourcePort: 3785, destinationPort: 3785, payload: Uint8Array.of(1, 2, 3, 4) }

  it('are sent back once, to whom they came from', async () => {
    const { a, b } = await pair('10.0.0.1', '10.0.0.2')
    const seen = await watch(b)
    b.host.transmit('eth0', frame(b, a, { ...echo, destination: parseAddress(b.address) }))
    await clock.advanceAsync(1)
    const back = seen.filter(bytes => bytes.at(-1) === 4)
    expect(back).toEqual([
      frame(a, b, {
        ...echo,
        source: parseAddress(b.address),
        destination: parseAddress(b.address),
        ttl: 254,
      }),
    ])
  })

  it('are left alone when they came through a router, are not to themselves, or are a stranger’s', async () => {
    const { a, b } = await pair('10.0.0.1', '10.0.0.2')
    const stranger = side('c', '10.0.0.3')
    const seen = await Promise.all([watch(b), watch(stranger)])
    const self = parseAddress(b.address)
    b.host.transmit('eth0', frame(b, a, { ...echo, destination: self, ttl: 254 }))
    b.host.transmit('eth0', frame(b, a, { ...echo, destination: parseAddress('10.0.0.77') }))
    b.host.transmit('eth0', frame(b, stranger, { ...echo, destination: self }))
    stranger.host.transmit('eth0', frame(stranger, a, { ...echo, destination: parseAddress('10.0.0.3') }))
    stranger.host.transmit('eth0', frame(stranger, a, { ...echo, source: self, destination: self }))
    await clock.advanceAsync(1)
    const returned = seen.flat().filter(bytes => bytes.at(-1) === 4 && bytes[22] !== 255)
    expect(returned).toEqual([])
  })

  it('that are addressed to us are sent back by a socket, with one hop less', async () => {
    const { a, b } = await pair('10.0.0.1', '10.0.0.2')
    const heard: [string, number | undefined][] = []
    const frr = await b.host.datagrams({ address: '10.0.0.2', port: 40_000 }, { ttl: 255 })
    frr.receive((_, bytes, { ttl }) => heard.push([Buffer.from(bytes).toString(), ttl]))
    frr.send({ address: a.address, port: 3785 }, Buffer.from('echo'))
    const near = await b.host.datagrams({ address: '10.0.0.2', port: 40_001 }, { ttl: 254 })
    near.receive(() => heard.push(['returned', 0]))
    near.send({ address: a.address, port: 3785 }, Buffer.from('from afar'))
    const other = await network
      .host('x', '10.0.0.9')
      .datagrams({ address: '10.0.0.9', port: 1 }, { ttl: 255 })
    other.receive(() => heard.push(['returned', 0]))
    other.send({ address: a.address, port: 3785 }, Buffer.from('stranger'))
    await clock.advanceAsync(10)
    expect(heard).toEqual([['echo', 254]])
  })

  it('cannot be made up', async () => {
    const { a, b, ab } = await pair('10.0.0.1', '10.0.0.2')
    await clock.advanceAsync(1000)
    const before = ab.status().counters
    const { discriminator } = ab.status()
    for (let sequence = 0; sequence < 200; sequence++)
      b.host.transmit(
        'eth0',
        frame(b, a, {
          ...echo,
          source: parseAddress(a.address),
          destination: parseAddress(a.address),
          payload: encodeEcho({ discriminator, sequence, key: new Uint8Array(8) }),
        }),
      )
    await clock.advanceAsync(1000)
    const now = ab.status().counters
    expect(now.echoIn - before.echoIn).toBeLessThan(30)
    expect(now.echoIn - before.echoIn).toBe(now.echoOut - before.echoOut)
  })

  /** Frames that reach a side. */
  async function watch({ host }: Side): Promise<Uint8Array[]> {
    const seen: Uint8Array[] = []
    const index = host.links_().find(({ name }) => name === 'eth0')?.index ?? 0
    const frames = await host.frames(index, 0x0800)
    frames.receive(bytes => seen.push(bytes.slice()))
    return seen
  }
})

describe('the filter', () => {
  const a = { address: '10.0.0.1', mac: Uint8Array.of(2, 0, 0, 0, 0, 1) } as Side
  const b = { address: '10.0.0.2', mac: Uint8Array.of(2, 0, 0, 0, 0, 2) } as Side
  const six = { source: parseAddress('fd00::1'), destination: parseAddress('fd00::2') }
  const passes = (family: 4 | 6, bytes: Uint8Array): boolean => runBpf(bfdFilter(family), bytes) > 0

  it('lets control and echo packets pass, and nothing else', () => {
    for (const destinationPort of [3784, 3785, 3783, 3786, 4784, 53]) {
      const wanted = destinationPort === 3784 || destinationPort === 3785
      expect(passes(4, frame(a, b, { destinationPort }))).toBe(wanted)
      expect(passes(6, frame(a, b, { destinationPort, ...six }))).toBe(wanted)
    }
    const tcp = frame(a, b)
    tcp[23] = 6
    expect(passes(4, tcp)).toBe(false)
    const options = frame(a, b)
    options[14] = 0x46
    expect(passes(4, options)).toBe(false)
  })
})

describe('the place of a peer', () => {
  const at = (name: string, index: number, address: string, more: object = {}) => ({
    index,
    name,
    mac: Uint8Array.of(2, 0, 0, 0, 0, index),
    mtu: 1500,
    up: true,
    carrier: true,
    broadcast: true,
    loopback: false,
    noArp: false,
    addresses: [{ address, prefixLength: 24, scope: 'global' as const, usable: true }],
    ...more,
  })
  const key = (peer: string, more: { local?: string; device?: string } = {}) => ({
    peer,
    local: more.local,
    device: more.device,
    multihop: false,
  })
  const links = [
    at('lo', 1, '10.0.0.1', { mac: new Uint8Array() }),
    at('off', 2, '10.0.0.2', { up: false }),
    at('eth0', 3, '10.0.0.3'),
    at('red', 4, '192.168.0.1', { mac: new Uint8Array() }),
    at('eth1', 5, '10.0.0.5', { master: 4 }),
  ]
  const name = (peer: string, more?: { local?: string; device?: string }) =>
    placeOf(links, key(peer, more))?.link.name

  it('is the Ethernet interface that is up and has its network', () => {
    expect(name('10.0.0.77')).toBe('eth0')
    expect(name('10.0.1.77')).toBeUndefined()
  })

  it('is the interface that the session is bound to, or one of its VRF', () => {
    expect(name('10.0.0.77', { device: 'eth1' })).toBe('eth1')
    expect(name('10.0.0.77', { device: 'red' })).toBe('eth1')
    expect(name('10.0.0.77', { device: 'gone' })).toBeUndefined()
  })

  it('is the one that has our address', () => {
    expect(name('10.0.0.77', { local: '10.0.0.5' })).toBe('eth1')
    expect(name('10.0.0.77', { local: '10.0.0.9' })).toBeUndefined()
  })
})
