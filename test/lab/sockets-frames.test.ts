import type { BpfInstruction, Frames } from '@carillon/core'
import { systemNetwork } from '@carillon/sockets'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { eventually } from './support/eventually.ts'
import { cable, Namespace } from './support/namespace.ts'
import { describeLab } from './support/needs.ts'
import { runProgram, startWorker } from './support/program.ts'

/** A local experimental EtherType (IEEE 802), so that nobody else speaks on the cable. */
const ETHER_TYPE = 0x88b5

/** Lets frames pass whose first payload byte is this. */
const firstByte = (value: number): BpfInstruction[] => [
  { code: 0x30, jt: 0, jf: 0, k: 14 },
  { code: 0x15, jt: 0, jf: 1, k: value },
  { code: 0x06, jt: 0, jf: 0, k: 0xffffffff },
  { code: 0x06, jt: 0, jf: 0, k: 0 },
]

function frame(...payload: readonly number[]): Uint8Array {
  const out = new Uint8Array(60)
  out.set([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 9, ETHER_TYPE >> 8, ETHER_TYPE & 0xff])
  out.set(payload, 14)
  return out
}

describeLab('Packet sockets', ['setpriv'], () => {
  const network = systemNetwork()
  let left: Namespace
  let right: Namespace
  let open: Frames[]

  const link = (namespace: Namespace): number =>
    Number(namespace.ip('-o', 'link', 'show', 'eth0').split(':')[0])

  async function frames(namespace: Namespace, filter?: readonly BpfInstruction[]): Promise<Frames> {
    const socket = await namespace.inside(() => network.frames(link(namespace), ETHER_TYPE, filter))
    open.push(socket)
    return socket
  }

  function payloads(socket: Frames): number[][] {
    const seen: number[][] = []
    socket.receive(bytes => seen.push([...bytes.subarray(14, 16)]))
    return seen
  }

  beforeEach(() => {
    open = []
    left = new Namespace('left')
    right = new Namespace('right')
    cable(left, right, { a: [], b: [] })
  })

  afterEach(async () => {
    left.leave()
    for (const socket of open) await socket[Symbol.asyncDispose]()
    left.remove()
    right.remove()
  })

  test('carry whole frames, and do not hear themselves', async () => {
    const a = await frames(left)
    const b = await frames(right)
    const atA = payloads(a)
    const atB = payloads(b)
    a.send(frame(1, 2))
    b.send(frame(3, 4))
    await eventually(() => (atA.length > 0 && atB.length > 0) || undefined, 'both frames')
    expect([atA, atB]).toEqual([[[3, 4]], [[1, 2]]])
    expect(a.stats).toEqual({ received: 1, sent: 1, sendErrors: 0, dropped: 0 })
  })

  test('take a burst that is larger than a batch in order and without loss', async () => {
    const a = await frames(left)
    const b = await frames(right)
    const seen = payloads(b)
    for (let i = 0; i < 3000; i++) a.send(frame(i >> 8, i & 0xff))
    await eventually(() => seen.length === 3000 || undefined, 'all frames')
    expect(seen.map(([high, low]) => (high as number) * 256 + (low as number))).toEqual(
      Array.from({ length: 3000 }, (_, i) => i),
    )
    expect(b.stats).toMatchObject({ received: 3000, dropped: 0 })
  })

  test('never show JavaScript what the filter rejects, and can swap the filter while they run', async () => {
    const a = await frames(left)
    const b = await frames(right, firstByte(1))
    const seen = payloads(b)
    for (const first of [2, 1, 3]) a.send(frame(first, 0))
    await eventually(() => seen.length === 1 || undefined, 'the frame that passes')
    b.setFilter(firstByte(3))
    for (const first of [1, 2, 3]) a.send(frame(first, 9))
    await eventually(() => seen.length === 2 || undefined, 'the frame that passes now')
    expect(seen).toEqual([
      [1, 0],
      [3, 9],
    ])
    expect(b.stats.received).toBe(2)
  })

  test('refuse a filter that is too large and keep the one they have', async () => {
    const a = await frames(left)
    const b = await frames(right, firstByte(1))
    const seen = payloads(b)
    const large = Array.from({ length: 5000 }, () => ({ code: 0x06, jt: 0, jf: 0, k: 0 }))
    expect(() => b.setFilter(large)).toThrow(expect.objectContaining({ code: 'FILTER_TOO_LARGE' }))
    a.send(frame(2, 0))
    a.send(frame(1, 0))
    await eventually(() => seen.length === 1 || undefined, 'the frame that passes')
    expect(seen).toEqual([[1, 0]])
  })

  test('go on with the other frames of a batch when a handler throws', async () => {
    const a = await frames(left)
    const b = await frames(right)
    const seen: number[] = []
    const thrown: unknown[] = []
    const before = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', error => thrown.push(error))
    try {
      b.receive(bytes => {
        seen.push(bytes[14] as number)
        if (bytes[14] === 1) throw new Error('the handler is broken')
      })
      a.send(frame(1))
      a.send(frame(2))
      await eventually(() => (seen.length === 2 && thrown.length === 1) || undefined, 'both frames')
    } finally {
      process.removeAllListeners('uncaughtException')
      for (const listener of before) process.on('uncaughtException', listener)
    }
    expect(seen).toEqual([1, 2])
    expect(thrown).toEqual([new Error('the handler is broken')])
  })

  test('outlive their interface going down and up', async () => {
    const a = await frames(left)
    const b = await frames(right)
    const seen = payloads(b)
    const closed: Error[] = []
    b.closed(error => closed.push(error))
    right.ip('link', 'set', 'eth0', 'down')
    right.ip('link', 'set', 'eth0', 'up')
    await eventually(() => {
      a.send(frame(7, 7))
      return seen.length > 0 || undefined
    }, 'a frame after the flap')
    expect(closed).toEqual([])
  })

  test('say once that they are closed when the interface is removed, also while it is down', async () => {
    left.enter()
    for (const before of [[], ['link', 'set', 'eth0', 'down']]) {
      const a = await network.frames(link(left), ETHER_TYPE)
      const closed: Error[] = []
      a.receive(() => {})
      a.closed(error => closed.push(error))
      if (before.length > 0) left.ip(...before)
      left.ip('link', 'delete', 'eth0')
      await eventually(() => closed.length > 0 || undefined, 'the end of the socket')
      a.send(frame(1))
      expect(closed).toEqual([expect.objectContaining({ code: 'ENODEV' })])
      expect(a.stats.sendErrors).toBe(1)
      cable(left, right, { a: [], b: [] })
    }
  })

  test('can be opened on an interface that is down, and work once it is up', async () => {
    left.ip('link', 'set', 'eth0', 'down')
    const a = await frames(left)
    const seen = payloads(a)
    left.ip('link', 'set', 'eth0', 'up')
    const b = await frames(right)
    await eventually(() => {
      b.send(frame(5, 5))
      return seen.length > 0 || undefined
    }, 'a frame')
  })

  test('name the interface that does not exist', async () => {
    await expect(left.inside(() => network.frames(4711, ETHER_TYPE))).rejects.toMatchObject({
      code: 'ENODEV',
      message: expect.stringContaining('packet socket for EtherType 0x88b5 on interface index 4711'),
    })
  })

  test('work in a worker thread, and end with it', async () => {
    const worker = left.inside(() =>
      startWorker('echo-frames.ts', { link: link(left), etherType: ETHER_TYPE }),
    )
    const failed = new Promise((_, reject) => worker.once('error', reject))
    await Promise.race([new Promise(resolve => worker.once('message', resolve)), failed])
    const b = await frames(right)
    const seen = payloads(b)
    b.send(frame(6, 1))
    await Promise.race([eventually(() => seen.length > 0 || undefined, 'the echo'), failed])
    expect(seen).toEqual([[6, 2]])
    expect(await worker.terminate()).toBe(1)
    expect(left.run('cat', '/proc/net/packet').trim().split('\n')).toHaveLength(1)
  })

  test('can be opened and closed 10,000 times without a leak', async () => {
    const { out, err } = await left.inside(() =>
      runProgram('open-close.ts', { nodeFlags: ['--expose-gc', '--max-semi-space-size=1'] }),
    )
    expect(err).toBe('')
    const { descriptors, grownKiB } = JSON.parse(out)
    expect(descriptors).toBe(0)
    // Most rounds of 2,500; half a kilobyte a socket would be more.
    const sorted = (grownKiB as number[]).toSorted((a, b) => a - b)
    expect(sorted[2]).toBeLessThan(1024)
  }, 180_000)

  test('say which capability is missing', async () => {
    const { out } = await left.inside(() =>
      runProgram('refused.ts', { through: ['setpriv', '--bounding-set=-net_raw', '--inh-caps=-net_raw'] }),
    )
    const { frames: raw, icmp6 } = JSON.parse(out)
    expect(raw).toMatchObject({ code: 'EPERM', message: expect.stringContaining('CAP_NET_RAW is missing') })
    expect(icmp6).toMatchObject({
      code: 'EPERM',
      message: expect.stringContaining('ICMPv6 socket on interface lo'),
    })
  })
})
