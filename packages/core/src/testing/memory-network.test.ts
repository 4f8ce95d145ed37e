import { describe, expect, it } from 'vitest'
import type { BpfInstruction, Stream } from '../network.ts'
import { FakeClock, settle } from './fake-clock.ts'
import { MemoryNetwork } from './memory-network.ts'
import { seededRandom } from './random.ts'

function lab(): { clock: FakeClock; network: MemoryNetwork } {
  const clock = new FakeClock()
  return { clock, network: new MemoryNetwork({ clock, random: seededRandom(1) }) }
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value)

describe('datagrams', () => {
  it('arrive after the delay of the path, with the sender they can be answered at', async () => {
    const { clock, network } = lab()
    const a = await network.host('a', '10.0.0.1').datagrams({ address: '0.0.0.0', port: 7946 })
    const b = await network.host('b', '10.0.0.2').datagrams({ address: '10.0.0.2', port: 7946 })
    network.everywhere({ delayMs: 5 })
    const seen: string[] = []
    b.receive((from, payload) => {
      seen.push(`${from.address}:${from.port} ${text(payload)}`)
      b.send(from, bytes('pong'))
    })
    a.receive((_from, payload) => seen.push(text(payload)))
    a.send({ address: '10.0.0.2', port: 7946 }, bytes('ping'))
    clock.advance(4)
    expect(seen).toEqual([])
    clock.advance(6)
    expect(seen).toEqual(['10.0.0.1:7946 ping', 'pong'])
  })

  it('arrive with the TTL that they were sent with, unless the receiver wants a higher one', async () => {
    const { clock, network } = lab()
    const host = network.host('a', '10.0.0.1')
    const plain = await host.datagrams({ address: '10.0.0.1', port: 1 })
    const full = await host.datagrams({ address: '10.0.0.1', port: 2 }, { ttl: 255 })
    const any = await network.host('b', '10.0.0.2').datagrams({ address: '10.0.0.2', port: 1 })
    const near = await network
      .host('c', '10.0.0.3')
      .datagrams({ address: '10.0.0.3', port: 1 }, { minimumTtl: 255 })
    const seen: [string, number | undefined][] = []
    any.receive((_from, _payload, { ttl }) => seen.push(['any', ttl]))
    near.receive((_from, _payload, { ttl }) => seen.push(['near', ttl]))
    for (const socket of [plain, full])
      for (const address of ['10.0.0.2', '10.0.0.3']) socket.send({ address, port: 1 }, bytes('x'))
    clock.advance(0)
    expect(seen).toEqual([
      ['any', 64],
      ['any', 255],
      ['near', 255],
    ])
  })

  it('are lost at the rate that was asked for, and all of them over a cut', async () => {
    const { clock, network } = lab()
    const a = await network.host('a', '10.0.0.1').datagrams({ address: '0.0.0.0', port: 1 })
    const b = await network.host('b', '10.0.0.2').datagrams({ address: '0.0.0.0', port: 1 })
    let got = 0
    b.receive(() => got++)
    network.path('a', 'b', { loss: 0.3 })
    for (let i = 0; i < 1000; i++) a.send({ address: '10.0.0.2', port: 1 }, bytes('x'))
    clock.advance(1)
    expect(got).toBeGreaterThan(640)
    expect(got).toBeLessThan(760)
    network.partition(['a'])
    got = 0
    a.send({ address: '10.0.0.2', port: 1 }, bytes('x'))
    clock.advance(1)
    expect(got).toBe(0)
    network.heal()
    a.send({ address: '10.0.0.2', port: 1 }, bytes('x'))
    clock.advance(1)
    expect(got).toBe(1)
  })
})

describe('streams', () => {
  it('carry bytes in order both ways and end when the other side ends', async () => {
    const { clock, network } = lab()
    const server = await network.host('b', '10.0.0.2').listen({ address: '0.0.0.0', port: 179 })
    const seen: string[] = []
    server.accept(stream => {
      stream.on('data', (chunk: Buffer) => stream.write(`got ${chunk.toString()}`))
      stream.on('end', () => {
        seen.push('end')
        stream.end()
      })
    })
    const connecting = network.host('a', '10.0.0.1').connect({ address: '10.0.0.2', port: 179 })
    await clock.advanceAsync(1)
    const stream = await connecting
    stream.on('data', (chunk: Buffer) => seen.push(chunk.toString()))
    stream.write('hello')
    await clock.advanceAsync(1)
    stream.end()
    await clock.advanceAsync(1)
    await settle()
    expect(seen).toEqual(['got hello', 'end'])
    expect(stream.remote).toEqual({ address: '10.0.0.2', port: 179 })
  })

  it('make a writer wait for a reader who does not read, and lose nothing', async () => {
    const { clock, network } = lab()
    const server = await network.host('b', '10.0.0.2').listen({ address: '0.0.0.0', port: 179 })
    const accepted = new Promise<Stream>(resolve => server.accept(resolve))
    const connecting = network.host('a', '10.0.0.1').connect({ address: '10.0.0.2', port: 179 })
    await clock.advanceAsync(1)
    const [stream, reader] = [await connecting, await accepted]
    let written = 0
    for (let i = 0; i < 1000; i++) stream.write(new Uint8Array(1000), () => written++)
    await clock.advanceAsync(1000)
    expect(written).toBeGreaterThan(10)
    expect(written).toBeLessThan(200)
    let read = 0
    reader.on('data', (chunk: Buffer) => {
      read += chunk.length
    })
    // Each piece that is read lets another one set out.
    for (let i = 0; i < 1000 && read < 1_000_000; i++) await clock.advanceAsync(1)
    expect([written, read]).toEqual([1000, 1_000_000])
  })

  it('are refused where nobody listens, and time out where nobody is', async () => {
    const { clock, network } = lab()
    network.host('b', '10.0.0.2')
    const a = network.host('a', '10.0.0.1')
    const refused = a.connect({ address: '10.0.0.2', port: 9 }).catch((error: Error) => error)
    const lost = a
      .connect({ address: '10.0.0.9', port: 9 }, { timeoutMs: 1000 })
      .catch((error: Error) => error)
    await clock.advanceAsync(1000)
    expect(await refused).toMatchObject({ code: 'ECONNREFUSED' })
    expect(await lost).toMatchObject({ code: 'ETIMEDOUT' })
  })
})

describe('ICMPv6', () => {
  it('is heard on the segment by those who listen for its type, from the link-local address of the sender', async () => {
    const { clock, network } = lab()
    const linkLocal = { address: 'fe80::1', prefixLength: 64, scope: 'link', usable: true } as const
    const a = network.host('a')
    const b = network.host('b')
    const from = a.setLink({ name: 'eth0', addresses: [linkLocal] }).index
    const to = b.setLink({ name: 'eth0' }).index
    const heard: [string, number[]][] = []
    for (const type of [134, 135]) {
      const socket = await b.icmp6(to, [type])
      socket.receive((from, message) => heard.push([from, [...message]]))
    }
    const sender = await a.icmp6(from, [])
    sender.send('ff02::1', Uint8Array.from([134, 0, 0, 0, 7]))
    clock.advance(1)
    expect(heard).toEqual([['fe80::1', [134, 0, 0, 0, 7]]])
  })
})

describe('frames', () => {
  const broadcast = Uint8Array.from([255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 0x08, 0x06, 7])

  it('reach every other interface of the segment that listens for their type', async () => {
    const { clock, network } = lab()
    const [a, b, c] = [network.host('a'), network.host('b'), network.host('c')]
    for (const host of [a, b]) host.setLink({ name: 'eth0' })
    c.setLink({ name: 'eth0', segment: 'elsewhere' })
    const seen: string[] = []
    for (const host of [a, b, c])
      (await host.frames(1, 0x0806)).receive(frame => seen.push(`${host.name} ${frame[14]}`))
    a.transmit('eth0', broadcast)
    clock.advance(1)
    expect(seen).toEqual(['b 7'])
  })

  it('that the filter rejects never arrive', async () => {
    const { clock, network } = lab()
    const [a, b] = [network.host('a'), network.host('b')]
    for (const host of [a, b]) host.setLink({ name: 'eth0' })
    const onlyEight: BpfInstruction[] = [
      { code: 0x30, jt: 0, jf: 0, k: 14 },
      { code: 0x15, jt: 0, jf: 1, k: 8 },
      { code: 6, jt: 0, jf: 0, k: 0xffff },
      { code: 6, jt: 0, jf: 0, k: 0 },
    ]
    const socket = await b.frames(1, 0x0806, onlyEight)
    let got = 0
    socket.receive(() => got++)
    a.transmit('eth0', broadcast)
    clock.advance(1)
    expect(got).toBe(0)
    const eight = broadcast.slice()
    eight[14] = 8
    a.transmit('eth0', eight)
    clock.advance(1)
    expect(got).toBe(1)
  })

  it('stop when the interface goes, and the owner of the socket hears of it', async () => {
    const { network } = lab()
    const host = network.host('a')
    host.setLink({ name: 'eth0' })
    const socket = await host.frames(1, 0x0806)
    const seen: string[] = []
    socket.closed(error => seen.push(error.message))
    const links = await host.links()
    links.changed(now => seen.push(`${now.length} links`))
    host.removeLink('eth0')
    expect(seen).toEqual(['0 links', 'the interface is gone'])
  })
})
