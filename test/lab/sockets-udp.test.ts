import type { Datagrams, Endpoint, SocketOptions } from '@carillon/core'
import { systemNetwork } from '@carillon/sockets'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { eventually } from './support/eventually.ts'
import { cable, Namespace, ready } from './support/namespace.ts'
import { describeLab } from './support/needs.ts'
import { runProgram } from './support/program.ts'

interface Received {
  readonly from: Endpoint
  readonly text: string
  readonly ttl: number | undefined
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describeLab('UDP', ['setpriv'], () => {
  const network = systemNetwork()
  let left: Namespace
  let right: Namespace
  let open: Datagrams[]

  async function socket(
    namespace: Namespace,
    address: string,
    options: SocketOptions & { reuse?: boolean; port?: number } = {},
  ): Promise<Datagrams> {
    const { port = 0, ...rest } = options
    const datagrams = await namespace.inside(() => network.datagrams({ address, port }, rest))
    open.push(datagrams)
    return datagrams
  }

  function inbox(datagrams: Datagrams): Received[] {
    const received: Received[] = []
    datagrams.receive((from, message, { ttl }) =>
      received.push({ from, text: new TextDecoder().decode(message), ttl }),
    )
    return received
  }

  const arrived = (received: readonly Received[], count: number): Promise<true> =>
    eventually(() => received.length >= count || undefined, `${count} datagrams`)

  beforeAll(async () => {
    left = new Namespace('left')
    right = new Namespace('right')
    cable(left, right, {
      a: ['10.0.0.1/24', 'fe80::1/64', 'fd00::1/64'],
      b: ['10.0.0.2/24', 'fe80::2/64', 'fd00::2/64'],
    })
    await ready(left)
    await ready(right)
  })

  afterAll(() => {
    left.remove()
    right.remove()
  })

  beforeEach(() => {
    open = []
  })

  afterEach(async () => {
    right.leave()
    for (const datagrams of open) await datagrams[Symbol.asyncDispose]()
  })

  test('carries datagrams both ways, with sender and received TTL', async () => {
    const a = await socket(left, '10.0.0.1', { ttl: 42 })
    const b = await socket(right, '10.0.0.2')
    const atA = inbox(a)
    const atB = inbox(b)
    a.send(b.local, bytes('ping'))
    await arrived(atB, 1)
    expect(atB).toEqual([{ from: a.local, text: 'ping', ttl: 42 }])
    b.send((atB[0] as Received).from, bytes('pong'))
    await arrived(atA, 1)
    expect(atA).toEqual([{ from: b.local, text: 'pong', ttl: 64 }])
  })

  test('speaks IPv4 and IPv6 on ::, with hop limit or TTL', async () => {
    // Interface names of link-local senders are looked up when they arrive.
    right.enter()
    const b = await socket(right, '::')
    const atB = inbox(b)
    const v4 = await socket(left, '10.0.0.1', { ttl: 7 })
    const v6 = await socket(left, 'fd00::1', { ttl: 9 })
    const local = await socket(left, '::', { device: 'eth0', ttl: 11 })
    const heard = inbox(v4)
    v4.send({ address: '10.0.0.2', port: b.local.port }, bytes('four'))
    await arrived(atB, 1)
    v6.send({ address: 'fd00::2', port: b.local.port }, bytes('six'))
    await arrived(atB, 2)
    local.send({ address: 'fe80::2', port: b.local.port }, bytes('local'))
    await arrived(atB, 3)
    expect(atB).toEqual([
      { from: v4.local, text: 'four', ttl: 7 },
      { from: v6.local, text: 'six', ttl: 9 },
      { from: { address: 'fe80::1%eth0', port: local.local.port }, text: 'local', ttl: 11 },
    ])
    b.send(v4.local, bytes('back'))
    await arrived(heard, 1)
    expect(heard[0]?.from).toEqual({ address: '10.0.0.2', port: b.local.port })
  })

  for (const [family, near, far] of [
    ['IPv4', '10.0.0.1', '10.0.0.2'],
    ['IPv6', 'fd00::1', 'fd00::2'],
  ] as const) {
    test(`never sees ${family} datagrams below the minimum TTL`, async () => {
      const b = await socket(right, far, { minimumTtl: 255 })
      const atB = inbox(b)
      const low = await socket(left, near, { ttl: 254 })
      const full = await socket(left, near, { ttl: 255 })
      low.send(b.local, bytes('from afar'))
      full.send(b.local, bytes('from here'))
      await arrived(atB, 1)
      expect(atB.map(({ text, ttl }) => [text, ttl])).toEqual([['from here', 255]])
    })
  }

  test('counts as lost what the network refuses', async () => {
    const a = await socket(left, '10.0.0.1')
    const b = await socket(right, '10.0.0.2')
    const atB = inbox(b)
    inbox(a)
    a.send({ address: '10.0.0.2', port: 9 }, bytes('nobody there'))
    a.send({ address: '203.0.113.1', port: 9 }, bytes('no route'))
    a.send(b.local, new Uint8Array(70_000))
    a.send(b.local, bytes('goes on'))
    await arrived(atB, 1)
    expect(atB.map(({ text }) => text)).toEqual(['goes on'])
  })

  test('takes a large datagram and an empty one', async () => {
    const a = await socket(left, '10.0.0.1')
    const b = await socket(right, '10.0.0.2')
    const atB = inbox(b)
    a.send(b.local, new Uint8Array(65_507).fill(97))
    a.send(b.local, new Uint8Array(0))
    await arrived(atB, 2)
    expect(atB.map(({ text }) => text.length)).toEqual([65_507, 0])
  })

  test('stays on the device it is bound to, and shares a port when asked', async () => {
    cable(left, right, { a: ['10.1.0.1/24'], b: ['10.1.0.2/24'], name: 'eth1' })
    const on0 = await socket(right, '0.0.0.0', { device: 'eth0', reuse: true, port: 3784 })
    const on1 = await socket(right, '0.0.0.0', { device: 'eth1', reuse: true, port: 3784 })
    const at0 = inbox(on0)
    const at1 = inbox(on1)
    const a = await socket(left, '0.0.0.0')
    a.send({ address: '10.0.0.2', port: 3784 }, bytes('zero'))
    a.send({ address: '10.1.0.2', port: 3784 }, bytes('one'))
    await arrived(at0, 1)
    await arrived(at1, 1)
    expect([at0.map(one => one.text), at1.map(one => one.text)]).toEqual([['zero'], ['one']])
    await expect(socket(right, '0.0.0.0', { port: 3784 })).rejects.toMatchObject({
      code: 'EADDRINUSE',
      message: expect.stringContaining('UDP on 0.0.0.0:3784'),
    })
  })

  test('says which capability a low port needs', async () => {
    right.run('sysctl', '-qw', 'net.ipv4.ip_unprivileged_port_start=1024')
    const { out } = await right.inside(() =>
      runProgram('refused.ts', {
        through: ['setpriv', '--bounding-set=-net_bind_service', '--inh-caps=-net_bind_service'],
      }),
    )
    expect(JSON.parse(out).port).toMatchObject({
      code: 'EACCES',
      message: expect.stringContaining('CAP_NET_BIND_SERVICE is missing'),
    })
  })
})
