import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeMessage } from '../wire/index.ts'
import type { OpenMessage } from '../wire/message.ts'
import { RouterEnd, routerOpen, SessionLab } from './scripted-router.test.ts'

const marker = new Uint8Array(16).fill(0xff)
const frame = (length: number, type: number, ...body: readonly number[]): Uint8Array =>
  Uint8Array.from([...marker, length >>> 8, length & 0xff, type, ...body])
const plain = { fourOctetAs: true, extendedMessage: false }

/** An OPEN with bytes of its own choice. */
function rawOpen(change: {
  version?: number
  as?: number
  hold?: number
  id?: readonly number[]
  parameters?: readonly number[]
}): Uint8Array {
  const { version = 4, as = 65002, hold = 90, id = [10, 0, 0, 254], parameters = [] } = change
  const body = [
    version,
    as >>> 8,
    as & 0xff,
    hold >>> 8,
    hold & 0xff,
    ...id,
    parameters.length,
    ...parameters,
  ]
  return frame(19 + body.length, 1, ...body)
}

const update = (attributes: readonly number[], prefixes: readonly number[] = [24, 192, 0, 2]): Uint8Array => {
  const body = [0, 0, attributes.length >>> 8, attributes.length & 0xff, ...attributes, ...prefixes]
  return frame(19 + body.length, 2, ...body)
}
const origin = [0x40, 1, 1, 0]
const asPath = [0x40, 2, 6, 2, 1, 0, 0, 253, 234]
const nextHop = [0x40, 3, 4, 10, 0, 0, 254]

const openWith = (change: Partial<OpenMessage>): Uint8Array =>
  encodeMessage({ ...routerOpen, ...change }, plain)

describe('a peer whose OPEN will not do is told why, and so are we:', () => {
  const cases: readonly (readonly [
    what: string,
    bytes: Uint8Array,
    told: string,
    code: string,
    words: string,
  ])[] = [
    [
      'another AS',
      openWith({ capabilities: [{ name: 'fourOctetAs', as: 65009 }] }),
      '2/2',
      'WRONG_PEER_AS',
      'the peer is AS 65009, and AS 65002 is configured',
    ],
    ['AS 0', rawOpen({ as: 0 }), '2/2', 'BAD_OPEN', 'AS 0 does not exist'],
    ['BGP version 3', rawOpen({ version: 3 }), '2/1', 'BAD_OPEN', 'it speaks version 3, we speak 4'],
    [
      'a hold time of 2 s',
      rawOpen({ hold: 2 }),
      '2/6',
      'BAD_OPEN',
      'a hold time of 2 s is neither 0 nor at least 3',
    ],
    ['router ID 0.0.0.0', rawOpen({ id: [0, 0, 0, 0] }), '2/3', 'BAD_OPEN', 'its router ID is 0.0.0.0'],
    ['an unknown optional parameter', rawOpen({ parameters: [99, 1, 0] }), '2/4', 'BAD_OPEN', '99'],
    [
      'none of our families',
      openWith({ capabilities: [{ name: 'multiprotocol', afi: 2, safi: 1 }] }),
      '2/7',
      'NO_COMMON_FAMILY',
      'activate that family for this neighbour there',
    ],
    [
      'a bad marker',
      Uint8Array.from([...new Uint8Array(16), 0, 19, 4]),
      '1/1',
      'BAD_HEADER',
      'does not begin with the marker',
    ],
    ['a length of 65535', frame(65535, 2), '1/2', 'BAD_HEADER', 'claims 65535 octets'],
    ['a length of 18', frame(18, 4), '1/2', 'BAD_HEADER', 'claims 18 octets'],
    [
      'a message type that does not exist',
      frame(19, 9),
      '1/3',
      'BAD_HEADER',
      'message type 9 does not exist',
    ],
    [
      'an UPDATE instead',
      update([...origin, ...asPath, ...nextHop]),
      '5/1',
      'UNEXPECTED_MESSAGE',
      'the peer sent update in state OpenSent',
    ],
  ]
  for (const [what, bytes, told, code, words] of cases)
    it(`${what} gets ${told}`, async () => {
      const lab = new SessionLab()
      const ends = await lab.router('10.0.0.254')
      const others = await lab.friendly('10.0.0.253')
      await lab.start({}, { name: 'other', peerAddress: '10.0.0.253' })
      const [end] = ends as [RouterEnd]
      end.raw(bytes)
      await lab.settle()
      expect(end.heard()).toEqual(['open', told])
      expect(end.ended).toBe(true)
      expect(lab.state()).toBe('Idle')
      expect(lab.error()).toEqual([code, expect.stringContaining(words)])
      expect(lab.speaker.session('tor')?.waiting).toBe('trying again in 1 s')
      expect([lab.state('other'), others.length, others[0]?.ended]).toEqual(['Established', 1, false])
      await lab.close()
    })

  it('a peer in our AS with our router ID gets 2/3', async () => {
    const lab = new SessionLab()
    const [end] = (await lab.friendly('10.0.0.254', {
      routerId: '10.0.0.1',
      as: 65001,
      capabilities: [],
    })) as [RouterEnd]
    expect(end).toBeUndefined()
    await lab.start({ peerAsn: 65001 })
    expect(lab.error()).toEqual(['SAME_ROUTER_ID', expect.stringContaining('10.0.0.1')])
    await lab.close()
  })
})

describe('an established peer that sends', () => {
  const fatal: readonly (readonly [what: string, bytes: Uint8Array, told: string, words: string])[] = [
    [
      'an UPDATE whose lengths exceed it',
      frame(27, 2, 0, 0, 0, 99, 0, 0, 0, 0),
      '3/1',
      'its lengths exceed the message',
    ],
    [
      'an UPDATE with a prefix of 33 bits',
      update([...origin, ...asPath, ...nextHop], [33, 1, 2, 3, 4, 5]),
      '3/10',
      '33 bits',
    ],
    [
      'a well-known attribute that does not exist',
      update([...origin, ...asPath, ...nextHop, 0x40, 99, 0]),
      '3/2',
      'attribute 99',
    ],
    ['a KEEPALIVE with a body', frame(20, 4, 0), '1/2', 'claims 20 octets'],
    ['a message above 4096 octets', frame(4097, 2), '1/2', 'claims 4097 octets'],
    ['another OPEN', encodeMessage(routerOpen, plain), '5/3', 'the peer sent open in state Established'],
    ['a ROUTE-REFRESH of a wrong length', frame(24, 5, 0, 1, 1, 1, 9), '7/1', 'ROUTE-REFRESH'],
  ]
  for (const [what, bytes, told, words] of fatal)
    it(`${what} gets ${told}, and the others go on`, async () => {
      const lab = new SessionLab()
      const [[end], [other]] = await establish(lab)
      end.raw(bytes)
      await lab.settle()
      expect([end.heard().at(-1), end.ended]).toEqual([told, true])
      expect(lab.error()[1]).toContain(words)
      expect([lab.state('other'), other.ended]).toEqual(['Established', false])
      await lab.close()
    })

  const mild: readonly (readonly [what: string, bytes: Uint8Array])[] = [
    ['an UPDATE without ORIGIN', update([...asPath, ...nextHop])],
    ['an ORIGIN of 7', update([0x40, 1, 1, 7, ...asPath, ...nextHop])],
    ['an ORIGIN of two octets', update([0x40, 1, 2, 0, 0, ...asPath, ...nextHop])],
    ['communities of 5 octets', update([...origin, ...asPath, ...nextHop, 0xc0, 8, 5, 1, 2, 3, 4, 5])],
    ['the same attribute twice', update([...origin, ...origin, ...asPath, ...nextHop])],
  ]
  for (const [what, bytes] of mild)
    it(`${what} is put up with and counted (RFC 7606)`, async () => {
      const lab = new SessionLab()
      const [[end]] = await establish(lab)
      end.raw(bytes)
      end.raw(update([...origin, ...asPath, ...nextHop]))
      await lab.settle()
      expect(lab.state()).toBe('Established')
      expect(lab.speaker.session('tor')?.counters).toMatchObject({
        faultyUpdates: 1,
        updatesReceived: 2,
        prefixesReceived: 2,
      })
      await lab.close()
    })

  it('attributes that nobody knows is put up with', async () => {
    const lab = new SessionLab()
    const [[end]] = await establish(lab)
    end.raw(update([...origin, ...asPath, ...nextHop, 0xc0, 200, 3, 1, 2, 3]))
    await lab.settle()
    expect(lab.state()).toBe('Established')
    expect(lab.speaker.session('tor')?.counters).toMatchObject({ faultyUpdates: 0, prefixesReceived: 1 })
    await lab.close()
  })

  it('one byte at a time is understood', async () => {
    const lab = new SessionLab()
    const ends = await lab.router('10.0.0.254')
    await lab.start({})
    const [end] = ends as [RouterEnd]
    const bytes = [
      openWith({}),
      encodeMessage({ type: 'keepalive' }, plain),
      update([...origin, ...asPath, ...nextHop]),
    ]
    for (const message of bytes)
      for (const byte of message) {
        end.raw(Uint8Array.of(byte))
        await lab.settle(1)
      }
    expect(lab.state()).toBe('Established')
    expect(lab.speaker.session('tor')?.counters.prefixesReceived).toBe(1)
    await lab.close()
  })

  it('a flood of prefixes is counted, and nothing is kept of it', async () => {
    const lab = new SessionLab()
    const [[end]] = await establish(lab)
    lab.speaker.setRoutes('other', [{ prefix: '192.168.1.1/32' }])
    const prefixes = Array.from({ length: 1000 }, (_, i) => [24, 10, i >>> 8, i & 0xff]).flat()
    for (let i = 0; i < 100; i++) end.raw(update([...origin, ...asPath, ...nextHop], prefixes))
    for (let i = 0; i < 100; i++) await lab.settle(1)
    expect(lab.speaker.session('tor')).toMatchObject({
      state: 'Established',
      counters: { prefixesReceived: 100_000 },
      routes: { desired: 0, announced: 0, pending: 0, failed: 0 },
    })
    expect(lab.speaker.session('other')?.routes.announced).toBe(1)
    await lab.close()
    await lab.settle(1000)
    expect(lab.metrics.value('carillon_bgp_prefixes_received', { peer: '10.0.0.254:179' })).toBe(100_000)
  })

  it('requests for a refresh by the thousand is sent its routes twice', async () => {
    const lab = new SessionLab()
    const [[end], [other]] = await establish(lab)
    lab.speaker.setRoutes('tor', [{ prefix: '192.168.1.1/32' }])
    await lab.settle()
    end.messages.length = 0
    const request = encodeMessage({ type: 'routeRefresh', afi: 1, safi: 1, subtype: 'request' }, plain)
    for (let i = 0; i < 5000; i++) end.raw(request)
    await lab.settle(500)
    const refresh = ['refresh begin', '+192.168.1.1/32', 'refresh end']
    expect(end.heard()).toEqual(refresh)
    await lab.settle(3000)
    expect(end.heard()).toEqual([...refresh, ...refresh])
    expect([lab.state(), other.ended]).toEqual(['Established', false])
    await lab.close()
  })

  it('nothing, and reads nothing, loses its session by its own hold time, and the others are told everything', async () => {
    const lab = new SessionLab()
    const deaf = await lab.router('10.0.0.254', { reads: false })
    const others = await lab.friendly('10.0.0.253')
    await lab.start({ holdTimeMs: 30_000 }, { name: 'other', peerAddress: '10.0.0.253' })
    const [end] = deaf as [RouterEnd]
    const [other] = others as [RouterEnd]
    end.send(routerOpen, { type: 'keepalive' })
    await lab.settle()
    expect(lab.state()).toBe('Established')
    const routes = Array.from({ length: 50_000 }, (_, i) => ({
      prefix: `10.${1 + (i >>> 16)}.${(i >>> 8) & 0xff}.${i & 0xff}/32`,
    }))
    for (const name of ['tor', 'other']) lab.speaker.setRoutes(name, routes)
    for (let i = 0; i < 200; i++) await lab.settle(1)
    expect(lab.speaker.session('other')?.routes).toMatchObject({ announced: 50_000, pending: 0 })
    expect(other.updates().flatMap(one => one.announced)).toHaveLength(50_000)
    // What the kernel does not take waits as routes, not as bytes.
    expect(lab.speaker.session('tor')?.routes.pending).toBeGreaterThan(10_000)
    end.send({ type: 'keepalive' })
    await lab.settle(29_000)
    expect(lab.state()).toBe('Established')
    await lab.settle(1500)
    expect(lab.state()).not.toBe('Established')
    expect(lab.error()[0]).toBe('HOLD_TIMER_EXPIRED')
    expect(lab.events.filter(one => one.includes('other'))).toEqual(['up other'])
    await lab.close()
  })

  it('nothing for a while, and then reads, is sent the newest state and nothing in between', async () => {
    const lab = new SessionLab()
    const ends = await lab.router('10.0.0.254', { reads: false })
    await lab.start({ holdTimeMs: 0 })
    const [end] = ends as [RouterEnd]
    end.send(routerOpen, { type: 'keepalive' })
    await lab.settle()
    const routes = Array.from({ length: 50_000 }, (_, i) => ({
      prefix: `10.1.${(i >>> 8) & 0xff}.${i & 0xff}/32`,
    }))
    lab.speaker.setRoutes('tor', routes)
    await lab.settle()
    lab.speaker.setRoutes('tor', routes.slice(0, 10))
    await lab.settle()
    end.read()
    for (let i = 0; i < 300; i++) await lab.settle(1)
    const held = new Set<string>()
    for (const word of end.heard()) {
      if (word.startsWith('+')) held.add(word.slice(1))
      if (word.startsWith('-')) held.delete(word.slice(1))
    }
    expect([...held].sort()).toEqual(
      routes
        .slice(0, 10)
        .map(one => one.prefix)
        .sort(),
    )
    expect(end.updates().flatMap(one => one.announced).length).toBeLessThan(40_000)
    expect(lab.speaker.session('tor')?.routes).toEqual({ desired: 10, announced: 10, pending: 0, failed: 0 })
    await lab.close()
  })
})

describe('whatever bytes a peer sends', () => {
  const whole = [
    openWith({}),
    encodeMessage({ type: 'keepalive' }, plain),
    update([...origin, ...asPath, ...nextHop]),
    encodeMessage({ type: 'routeRefresh', afi: 1, safi: 1, subtype: 'request' }, plain),
    encodeMessage({ type: 'notification', code: 6, subcode: 2, data: Uint8Array.of(1, 65) }, plain),
  ]
  /** A message, most often with a few bytes that are not as they should be. */
  const piece = fc
    .tuple(
      fc.constantFrom(...whole),
      fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 3 }),
      fc.boolean(),
    )
    .map(([bytes, changes, keep]) => {
      const out = bytes.slice()
      if (!keep) for (const [at, value] of changes) if (at < out.length) out[at] = value
      return out
    })

  it('the session goes on, or ends with a reason, and another one is not touched', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.array(fc.oneof(piece, fc.uint8Array({ maxLength: 40 })), { maxLength: 6 }),
        async (opened, pieces) => {
          const lab = new SessionLab()
          const ends = opened ? await lab.friendly('10.0.0.254') : await lab.router('10.0.0.254')
          const others = await lab.friendly('10.0.0.253')
          await lab.start({}, { name: 'other', peerAddress: '10.0.0.253' })
          const [end] = ends as [RouterEnd]
          for (const one of pieces) end.raw(one)
          await lab.settle()
          if (end.ended) expect(lab.error()[0]).toMatch(/^[A-Z_]+$/)
          else expect(['OpenSent', 'OpenConfirm', 'Established']).toContain(lab.state())
          expect([lab.state('other'), others[0]?.ended]).toEqual(['Established', false])
          await lab.close()
        },
      ),
      { numRuns: 150 },
    )
  })
})

describe('connections that nobody asked for', () => {
  it('from strangers are refused, counted, and logged at a bounded rate', async () => {
    const lab = new SessionLab({ listen: {} })
    await lab.friendly('10.0.0.254')
    await lab.start({})
    const stranger = lab.network.host('stranger', '10.0.0.66')
    const ends: RouterEnd[] = []
    for (let i = 0; i < 500; i++) {
      void stranger
        .connect({ address: '10.0.0.1', port: 179 })
        .then(stream => ends.push(new RouterEnd(stream)))
      await lab.settle(1)
    }
    await lab.settle(100)
    expect(ends.map(end => [end.heard().length, end.ended])).toEqual(ends.map(() => [0, true]))
    expect(ends).toHaveLength(500)
    expect(lab.log.lines.filter(line => line.message.startsWith('refused'))).toHaveLength(1)
    await lab.settle(10_000)
    expect(lab.log.lines.filter(line => line.message.startsWith('refused')).at(-1)?.fields).toMatchObject({
      refused: 499,
    })
    expect(lab.metrics.value('carillon_bgp_connections_refused', {})).toBe(500)
    expect(lab.events).toEqual(['up tor'])
    await lab.close()
  })

  it('from a peer with a session are refused beyond one, and its session goes on', async () => {
    const lab = new SessionLab({ listen: {} })
    const [end] = await (async () => {
      const ends = await lab.friendly('10.0.0.254')
      await lab.start({})
      return ends as [RouterEnd]
    })()
    const router = lab.network.hostAt('10.0.0.254')
    const ends: RouterEnd[] = []
    for (let i = 0; i < 50; i++) {
      const connecting = router?.connect({ address: '10.0.0.1', port: 179 })
      void connecting?.then(stream => ends.push(new RouterEnd(stream)))
    }
    await lab.settle()
    expect(ends.filter(one => !one.ended)).toHaveLength(1)
    const [last] = ends.filter(one => !one.ended) as [RouterEnd]
    last.send(routerOpen)
    await lab.settle()
    expect(last.heard().at(-1)).toBe('6/7')
    expect([lab.state(), end.ended, lab.events]).toEqual(['Established', false, ['up tor']])
    await lab.close()
  })

  it('are not taken while a peer is kept waiting after an error', async () => {
    const lab = new SessionLab()
    await lab.start({ passive: true })
    const router = lab.network.host('router', '10.0.0.254')
    const knock = async (): Promise<RouterEnd> => {
      const connecting = router.connect({ address: '10.0.0.1', port: 179 })
      await lab.settle()
      return new RouterEnd(await connecting)
    }
    const first = await knock()
    first.raw(Uint8Array.from([...new Uint8Array(19)]))
    await lab.settle()
    expect(lab.state()).toBe('Idle')
    const second = await knock()
    await lab.settle()
    expect([second.ended, second.heard()]).toEqual([true, []])
    await lab.settle(1000)
    const third = await knock()
    third.send(routerOpen, { type: 'keepalive' })
    await lab.settle()
    expect(lab.state()).toBe('Established')
    await lab.close()
  })
})

async function establish(lab: SessionLab): Promise<[[RouterEnd], [RouterEnd]]> {
  const ends = await lab.friendly('10.0.0.254')
  const others = await lab.friendly('10.0.0.253')
  await lab.start({}, { name: 'other', peerAddress: '10.0.0.253' })
  expect([lab.state(), lab.state('other')]).toEqual(['Established', 'Established'])
  return [ends as [RouterEnd], others as [RouterEnd]]
}
