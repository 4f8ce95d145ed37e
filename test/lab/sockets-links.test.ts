import { execFileSync } from 'node:child_process'
import { formatMac, type Link, type Links } from '@carillon/core'
import { systemNetwork } from '@carillon/sockets'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { eventually } from './support/eventually.ts'
import { Namespace } from './support/namespace.ts'
import { describeLab } from './support/needs.ts'

describeLab('Link events', [], () => {
  let host: Namespace
  let links: Links
  let changes: number

  const find = (name: string): Link | undefined => links.current().find(link => link.name === name)

  /** Waits until the kernel has told us so about an interface. */
  const until = (name: string, holds: (link: Link) => boolean): Promise<Link> =>
    eventually(() => {
      const link = find(name)
      return link && holds(link) ? link : undefined
    }, `${name}: ${holds}`)

  beforeEach(async () => {
    host = new Namespace('links')
    host.ip('link', 'add', 'eth0', 'address', '02:00:00:00:00:01', 'type', 'veth', 'peer', 'name', 'cable')
    host.ip('address', 'add', '10.0.0.1/24', 'dev', 'eth0')
    links = await host.inside(() => systemNetwork().links())
    changes = 0
    links.changed(() => changes++)
  })

  afterEach(async () => {
    await links[Symbol.asyncDispose]()
    host.remove()
  })

  test('begin with everything that exists', () => {
    expect(
      links
        .current()
        .map(link => link.name)
        .sort(),
    ).toEqual(['cable', 'eth0', 'lo'])
    expect(find('eth0')).toMatchObject({
      mac: Uint8Array.from([2, 0, 0, 0, 0, 1]),
      mtu: 1500,
      up: false,
      carrier: false,
      broadcast: true,
      loopback: false,
      noArp: false,
      addresses: [{ address: '10.0.0.1', prefixLength: 24, scope: 'global', usable: true }],
    })
    expect(find('lo')).toMatchObject({ index: 1, loopback: true, up: true })
    expect(find('lo')?.mac).toHaveLength(0)
  })

  test('tell of up, carrier and down', async () => {
    host.ip('link', 'set', 'eth0', 'up')
    expect(await until('eth0', link => link.up)).toMatchObject({ carrier: false })
    host.ip('link', 'set', 'cable', 'up')
    await until('eth0', link => link.carrier)
    host.ip('link', 'set', 'cable', 'down')
    await until('eth0', link => link.up && !link.carrier)
    host.ip('link', 'set', 'eth0', 'down')
    await until('eth0', link => !link.up)
    expect(changes).toBeGreaterThanOrEqual(4)
  })

  test('tell of another MAC, name, MTU and bridge', async () => {
    const index = find('eth0')?.index
    host.ip('link', 'set', 'eth0', 'address', '02:00:00:00:00:02')
    await until('eth0', link => formatMac(link.mac) === '02:00:00:00:00:02')
    host.ip('link', 'set', 'eth0', 'mtu', '1400')
    await until('eth0', link => link.mtu === 1400)
    host.ip('link', 'set', 'eth0', 'name', 'lan0')
    expect(await until('lan0', () => true)).toMatchObject({ index, mtu: 1400 })
    expect(find('eth0')).toBeUndefined()
    host.ip('link', 'add', 'br0', 'type', 'bridge')
    host.ip('link', 'set', 'lan0', 'master', 'br0')
    const bridge = await until('br0', () => true)
    await until('lan0', link => link.master === bridge.index)
    // A bridge says that a port left it in the same words in which an interface says that it is gone.
    host.ip('link', 'set', 'lan0', 'nomaster')
    expect(await until('lan0', link => link.master === undefined)).toMatchObject({ mtu: 1400 })
  })

  test('tell of addresses that come, become usable and go', async () => {
    host.ip('link', 'set', 'cable', 'up')
    host.ip('link', 'set', 'eth0', 'up')
    host.ip('address', 'add', '2001:db8::1/64', 'dev', 'eth0')
    const has = (address: string) => (link: Link) => link.addresses.some(one => one.address === address)
    const tentative = await until('eth0', has('2001:db8::1'))
    expect(tentative.addresses.find(one => one.address === '2001:db8::1')).toMatchObject({
      prefixLength: 64,
      scope: 'global',
    })
    await until('eth0', link => link.addresses.some(one => one.address === '2001:db8::1' && one.usable))
    await until('eth0', link =>
      link.addresses.some(one => one.address.startsWith('fe80:') && one.scope === 'link'),
    )
    host.ip('address', 'delete', '10.0.0.1/24', 'dev', 'eth0')
    await until('eth0', link => !has('10.0.0.1')(link))
  })

  test('tell of interfaces that come and go', async () => {
    host.ip('link', 'add', 'br7', 'type', 'bridge')
    const first = await until('br7', () => true)
    host.ip('link', 'delete', 'br7')
    await eventually(() => (find('br7') === undefined ? true : undefined), 'the end of br7')
    host.ip('link', 'add', 'br7', 'type', 'bridge')
    expect((await until('br7', () => true)).index).not.toBe(first.index)
  })

  test('give the same array until something changes, and stay silent on what changes nothing', async () => {
    const before = links.current()
    host.ip('link', 'set', 'eth0', 'alias', 'nothing that we look at')
    host.ip('link', 'add', 'br7', 'type', 'bridge')
    await until('br7', () => true)
    const after = links.current()
    expect(after).not.toBe(before)
    expect(after.find(link => link.name === 'eth0')).toBe(before.find(link => link.name === 'eth0'))
  })

  test('are right again after more notices than the kernel could keep for us', async () => {
    const lost = host.inside(() => {
      const addresses = Array.from(
        { length: 6000 },
        (_, i) => `address add 10.1.${i >> 7}.${i & 127}/32 dev eth0`,
      )
      // Nobody reads the notices while this runs.
      execFileSync('ip', ['-batch', '-'], { input: addresses.join('\n') })
      execFileSync('ip', ['link', 'set', 'eth0', 'name', 'lan0'])
      const sockets = execFileSync('cat', ['/proc/net/netlink'], { encoding: 'utf8' }).split('\n')
      return sockets.some(line => Number(line.trim().split(/\s+/)[8]) > 0)
    })
    expect(lost).toBe(true)
    const all = (): Link | undefined => (find('lan0')?.addresses.length === 6001 ? find('lan0') : undefined)
    const link = await eventually(all, 'all addresses')
    expect(link.addresses.at(-1)?.address).toBe('10.1.46.111')
  })
})
