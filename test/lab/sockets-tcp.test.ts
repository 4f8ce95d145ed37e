import { Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Endpoint, Md5Key, SocketOptions, Stream, Streams } from '@carillon/core'
import { type ConnectOptions, systemNetwork } from '@carillon/sockets'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { eventually } from './support/eventually.ts'
import { cable, Namespace, ready } from './support/namespace.ts'
import { describeLab } from './support/needs.ts'

describeLab('TCP', [], () => {
  const network = systemNetwork()
  let left: Namespace
  let right: Namespace
  let listeners: Streams[]
  let streams: Stream[]

  async function listen(
    at: Endpoint,
    options: SocketOptions & { md5?: readonly Md5Key[] } = {},
  ): Promise<Streams> {
    const listener = await right.inside(() => network.listen(at, options))
    listeners.push(listener)
    listener.accept(stream => {
      streams.push(stream)
      stream.on('error', () => {})
      stream.end(`hello ${stream.remote.address}`)
    })
    return listener
  }

  /** Connects from the left; resolves with what the other side says. */
  async function hear(to: Endpoint, options: ConnectOptions = {}): Promise<string> {
    const stream = await left.inside(() => network.connect(to, { timeoutMs: 700, ...options }))
    streams.push(stream)
    stream.end()
    return text(stream)
  }

  beforeAll(async () => {
    left = new Namespace('left')
    right = new Namespace('right')
    cable(left, right, {
      a: ['10.0.0.1/24', '10.0.0.3/24', 'fe80::1/64', 'fd00::1/64'],
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
    listeners = []
    streams = []
  })

  afterEach(async () => {
    right.leave()
    for (const stream of streams) stream.destroy()
    for (const listener of listeners) await listener[Symbol.asyncDispose]()
  })

  test('gives a node:net Socket that knows both ends', async () => {
    const { local } = await listen({ address: '10.0.0.2', port: 0 })
    const stream = await left.inside(() =>
      network.connect(local, { from: { address: '10.0.0.3', port: 4321 } }),
    )
    streams.push(stream)
    expect(stream).toBeInstanceOf(Socket)
    expect(stream.local).toEqual({ address: '10.0.0.3', port: 4321 })
    expect(stream.remote).toEqual(local)
    stream.end()
    expect(await text(stream)).toBe('hello 10.0.0.3')
    const accepted = streams.find(one => one !== stream)
    expect(accepted?.remote).toEqual(stream.local)
    expect(accepted?.local).toEqual(local)
  })

  test('takes IPv4 and IPv6 on ::, and calls an IPv4 peer by its IPv4 address', async () => {
    const { local } = await listen({ address: '::', port: 0 })
    expect(await hear({ address: '10.0.0.2', port: local.port })).toBe('hello 10.0.0.1')
    expect(await hear({ address: 'fd00::2', port: local.port })).toBe('hello fd00::1')
  })

  test('reaches a link-local address by zone or by device', async () => {
    // Interface names are looked up when the connection stands; eth0 has another number in each namespace.
    right.enter()
    const { local } = await listen({ address: '::', port: 0 })
    expect(await hear({ address: 'fe80::2%eth0', port: local.port })).toBe('hello fe80::1%eth0')
    expect(await hear({ address: 'fe80::2', port: local.port }, { device: 'eth0' })).toBe(
      'hello fe80::1%eth0',
    )
    await expect(hear({ address: 'fe80::2', port: local.port })).rejects.toMatchObject({ code: 'ENODEV' })
  })

  test('keeps what arrives before anybody accepts', async () => {
    const listener = await right.inside(() => network.listen({ address: '10.0.0.2', port: 0 }))
    listeners.push(listener)
    const heard = hear(listener.local)
    await eventually(
      () => (right.run('ss', '-Htn', 'state', 'established') === '' ? undefined : true),
      'the connection',
    )
    listener.accept(stream => stream.end('late'))
    expect(await heard).toBe('late')
  })

  test('says that nobody listens, or that nobody answers in time', async () => {
    await expect(hear({ address: '10.0.0.2', port: 9 })).rejects.toMatchObject({
      code: 'ECONNREFUSED',
      message: expect.stringContaining('TCP to 10.0.0.2:9'),
    })
    left.ip('neighbour', 'replace', '10.0.0.77', 'lladdr', '02:00:00:00:00:77', 'dev', 'eth0')
    await expect(hear({ address: '10.0.0.77', port: 9 }, { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'ETIMEDOUT',
      details: { timeoutMs: 50 },
    })
    await expect(
      hear({ address: '10.0.0.2', port: 9 }, { from: { address: '10.9.9.9' } }),
    ).rejects.toMatchObject({
      code: 'EADDRNOTAVAIL',
      message: expect.stringContaining('bind to 10.9.9.9:0'),
    })
  })

  for (const [family, near, far, prefix] of [
    ['IPv4', '10.0.0.1', '10.0.0.2', '10.0.0.0'],
    ['IPv6', 'fd00::1', 'fd00::2', 'fd00::'],
  ] as const) {
    test(`signs with TCP-MD5 over ${family}: the right key connects, a wrong one or none does not`, async () => {
      const { local } = await listen({ address: far, port: 0 }, { md5: [{ address: near, key: 'secret' }] })
      expect(await hear(local, { md5: { address: far, key: 'secret' } })).toBe(`hello ${near}`)
      await expect(hear(local, { md5: { address: far, key: 'guess' } })).rejects.toMatchObject({
        code: 'ETIMEDOUT',
      })
      await expect(hear(local)).rejects.toMatchObject({ code: 'ETIMEDOUT' })
    })

    test(`takes a TCP-MD5 key for a whole ${family} prefix, and changes keys while it listens`, async () => {
      const prefixLength = family === 'IPv4' ? 24 : 64
      const listener = await listen(
        { address: '::', port: 0 },
        { md5: [{ address: prefix, prefixLength, key: 'old' }] },
      )
      const to = { address: far, port: listener.local.port }
      expect(await hear(to, { md5: { address: far, key: 'old' } })).toBe(`hello ${near}`)
      listener.setMd5Keys?.([{ address: prefix, prefixLength, key: 'new' }])
      await expect(hear(to, { md5: { address: far, key: 'old' } })).rejects.toMatchObject({
        code: 'ETIMEDOUT',
      })
      expect(await hear(to, { md5: { address: far, key: 'new' } })).toBe(`hello ${near}`)
      listener.setMd5Keys?.([])
      expect(await hear(to)).toBe(`hello ${near}`)
    })

    test(`drops ${family} segments below the minimum TTL`, async () => {
      const { local } = await listen({ address: far, port: 0 }, { minimumTtl: 255, ttl: 255 })
      expect(await hear(local, { ttl: 255, minimumTtl: 255 })).toBe(`hello ${near}`)
      await expect(hear(local, { ttl: 254 })).rejects.toMatchObject({ code: 'ETIMEDOUT' })
    })
  }

  for (const [family, far] of [
    ['IPv4', '10.0.0.2'],
    ['IPv6', 'fd00::2'],
  ] as const) {
    test(`gives one accepted ${family} stream a TTL and a least TTL of its own`, async () => {
      const listener = await right.inside(() => network.listen({ address: '::', port: 0 }, { ttl: 255 }))
      listeners.push(listener)
      const accepted = new Promise<Stream>(resolve => listener.accept(resolve))
      const to = { address: far, port: listener.local.port }
      const near = await left.inside(() => network.connect(to, { ttl: 64, minimumTtl: 255, timeoutMs: 700 }))
      const there = await accepted
      streams.push(near, there)
      const heard: string[] = []
      for (const stream of [near, there]) stream.on('data', (chunk: Buffer) => heard.push(chunk.toString()))
      const told = (text: string): Promise<true> =>
        eventually(() => (heard.includes(text) ? true : undefined), text)
      there.write('from a TTL of 255')
      await told('from a TTL of 255')
      there.limitTtl?.({ ttl: 1, minimumTtl: 255 })
      there.write('from a TTL of 1')
      near.write('from a TTL of 64')
      await new Promise(resolve => setTimeout(resolve, 400))
      expect(heard).toEqual(['from a TTL of 255'])
      there.limitTtl?.({ ttl: 255, minimumTtl: 64 })
      await told('from a TTL of 1')
      await told('from a TTL of 64')
    })
  }

  test('stays on the device it is bound to', async () => {
    cable(left, right, { a: ['10.1.0.1/24'], b: ['10.1.0.2/24'], name: 'eth1' })
    const { local } = await listen({ address: '0.0.0.0', port: 0 }, { device: 'eth1' })
    expect(await hear({ address: '10.1.0.2', port: local.port })).toBe('hello 10.1.0.1')
    await expect(hear({ address: '10.0.0.2', port: local.port })).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    })
    await expect(hear({ address: '10.0.0.2', port: local.port }, { device: 'eth7' })).rejects.toMatchObject({
      code: 'ENODEV',
      message: expect.stringContaining('SO_BINDTODEVICE eth7'),
    })
  })

  test('gives the port back', async () => {
    const first = await listen({ address: '10.0.0.2', port: 1790 })
    await expect(listen({ address: '10.0.0.2', port: 1790 })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    await first[Symbol.asyncDispose]()
    await listen({ address: '10.0.0.2', port: 1790 })
    expect(await hear({ address: '10.0.0.2', port: 1790 })).toBe('hello 10.0.0.1')
  })
})
