import { type SystemIcmp6, systemNetwork } from '@carillon/sockets'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { eventually } from './support/eventually.ts'
import { cable, Namespace, ready } from './support/namespace.ts'
import { describeLab } from './support/needs.ts'

const ECHO_REQUEST = 128
const ECHO_REPLY = 129
const SOLICITATION = 135
const ADVERTISEMENT = 136

describeLab('ICMPv6 sockets', [], () => {
  const network = systemNetwork()
  let left: Namespace
  let right: Namespace
  let open: SystemIcmp6[]

  const link = (namespace: Namespace): number =>
    Number(namespace.ip('-o', 'link', 'show', 'eth0').split(':')[0])

  async function icmp6(namespace: Namespace, ...types: readonly number[]): Promise<SystemIcmp6> {
    const index = link(namespace)
    const socket = await namespace.inside(() => network.icmp6(index, types))
    open.push(socket)
    return socket
  }

  /** Groups that the kernel has joined on eth0, as 32 hex digits, with the number of users. */
  const groups = (namespace: Namespace): Map<string, number> =>
    new Map(
      namespace
        .run('cat', '/proc/net/igmp6')
        .split('\n')
        .map(line => line.trim().split(/\s+/))
        .filter(([, name]) => name === 'eth0')
        .map(([, , group, users]) => [group as string, Number(users)]),
    )

  beforeAll(async () => {
    left = new Namespace('left')
    right = new Namespace('right')
    cable(left, right, { a: ['fe80::1/64', 'fd00::1/64'], b: ['fe80::2/64', 'fd00::2/64'] })
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
    for (const socket of open) await socket[Symbol.asyncDispose]()
  })

  test('send with hop limit 255 and a checksum, and receive the types they asked for', async () => {
    const a = await icmp6(left, ADVERTISEMENT)
    const b = await icmp6(right, ADVERTISEMENT)
    const seen: { from: string; bytes: number[] }[] = []
    b.receive((from, message) => seen.push({ from, bytes: [...message] }))
    const target = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x99]
    a.send('ff02::1', Uint8Array.from([200, 0, 0, 0, 0, 0, 0, 0]))
    a.send('ff02::1', Uint8Array.from([ADVERTISEMENT, 0, 0, 0, 0x20, 0, 0, 0, ...target]))
    a.send('fe80::2', Uint8Array.from([ADVERTISEMENT, 0, 0, 0, 0x40, 0, 0, 0, ...target]))
    await eventually(() => seen.length === 2 || undefined, 'both advertisements')
    expect(seen.map(({ from, bytes }) => [from, bytes[0], bytes[4]])).toEqual([
      ['fe80::1', ADVERTISEMENT, 0x20],
      ['fe80::1', ADVERTISEMENT, 0x40],
    ])
    expect(seen[0]?.bytes.slice(2, 4)).not.toEqual([0, 0])
    expect([a.stats.sent, a.stats.sendErrors, b.stats.received, b.stats.refused]).toEqual([3, 0, 2, 0])
  })

  test('refuse and count what comes with another hop limit', async () => {
    const a = await icmp6(left, ECHO_REPLY)
    const b = await icmp6(right, ECHO_REQUEST)
    const seen: string[] = []
    a.receive(from => seen.push(from))
    b.receive(() => {})
    // The kernel answers pings with hop limit 64.
    a.send('fd00::2', Uint8Array.from([ECHO_REQUEST, 0, 0, 0, 0, 1, 0, 1]))
    await eventually(() => a.stats.refused === 1 || undefined, 'the refusal')
    await eventually(() => b.stats.received === 1 || undefined, 'the request')
    expect(seen).toEqual([])
    expect(b.stats.refused).toBe(0)
  })

  test('do not hear what they send to a group themselves', async () => {
    const a = await icmp6(left, ADVERTISEMENT, ECHO_REPLY)
    const seen: string[] = []
    a.receive(from => seen.push(from))
    a.send('ff02::1', Uint8Array.from([ADVERTISEMENT, 0, 0, 0, 0, 0, 0, 0]))
    // The other side's kernel answers this one (with hop limit 64), so what came before it has been seen.
    a.send('fe80::2', Uint8Array.from([ECHO_REQUEST, 0, 0, 0, 0, 1, 0, 1]))
    await eventually(() => a.stats.refused === 1 || undefined, 'the answer')
    expect(a.stats.sent).toBe(2)
    expect(seen).not.toContain('fe80::1')
  })

  test('join a group on the interface once, whoever asks, and leave it with the last', async () => {
    const group = 'ff0200000000000000000001ff000099'
    const b = await icmp6(right, SOLICITATION)
    b.join('ff02::1:ff00:99')
    b.join('FF02:0:0:0:0:1:FF00:99')
    expect(groups(right).get(group)).toBe(1)
    const a = await icmp6(left, ADVERTISEMENT)
    const seen: string[] = []
    b.receive(from => seen.push(from))
    a.send('ff02::1:ff00:99', Uint8Array.from([SOLICITATION, 0, 0, 0, 0, 0, 0, 0, ...new Uint8Array(16)]))
    await eventually(() => seen.length === 1 || undefined, 'the solicitation')
    b.leave('ff02::1:ff00:99')
    expect(groups(right).has(group)).toBe(true)
    b.leave('ff02::1:ff00:99')
    expect(groups(right).has(group)).toBe(false)
    b.leave('ff02::1:ff00:99')
  })

  test('hold 4,000 groups, and give all of them back', async () => {
    const before = groups(right).size
    const b = await icmp6(right, SOLICITATION)
    right.inside(() => {
      for (let i = 0; i < 4000; i++) b.join(`ff02::1:ff01:${i.toString(16)}`)
    })
    expect(groups(right).size).toBe(before + 4000)
    b.leave('ff02::1:ff01:f9f')
    expect(groups(right).size).toBe(before + 3999)
    await b[Symbol.asyncDispose]()
    expect(groups(right).size).toBe(before)
  })

  test('refuse a group that is none', async () => {
    const b = await icmp6(right, SOLICITATION)
    expect(() => b.join('fd00::7')).toThrow(expect.objectContaining({ code: 'EINVAL' }))
  })

  test('name the interface that does not exist', async () => {
    await expect(left.inside(() => network.icmp6(4711, [SOLICITATION]))).rejects.toMatchObject({
      code: 'ENODEV',
    })
  })
})
