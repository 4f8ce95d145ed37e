import {
  type Capability,
  encodeMessage,
  HEADER,
  type Message,
  messageTypes,
  type OpenMessage,
} from '@carillon/bgp/wire'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeLab } from '../../lab/support/needs.ts'
import { eventually } from '../../lab/support/speaker-lab.ts'
import type { Step } from '../programs/hostile-peer.ts'
import { HostilePeers } from '../support/hostile-peer.ts'
import type { OurSpeaker } from '../support/our-speaker.ts'
import { holds } from '../support/routers/learnt.ts'
import type { Router } from '../support/routers/router.ts'
import { RouterLab } from '../support/routers/router-lab.ts'

const us = 65_010
const them = 65_020
const dialect = { fourOctetAs: true, extendedMessage: false }

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const say = (message: Message): string => hex(encodeMessage(message, dialect))

/** A message of any type and content; `length` as its header is to claim it. */
function raw(type: number, body = '', length = HEADER + body.length / 2): string {
  return `${'ff'.repeat(16)}${length.toString(16).padStart(4, '0')}${type.toString(16).padStart(2, '0')}${body}`
}

const capabilities: readonly Capability[] = [
  { name: 'multiprotocol', afi: 1, safi: 1 },
  { name: 'routeRefresh' },
  { name: 'fourOctetAs', as: them },
]
const openWith = (changes: Partial<OpenMessage>): OpenMessage => ({
  type: 'open',
  version: 4,
  as: them,
  holdTime: 90,
  routerId: '192.0.2.254',
  capabilities,
  ...changes,
})
const open = say(openWith({}))
const keepalive = say({ type: 'keepalive' })
const {
  open: OPEN,
  update: UPDATE,
  notification: NOTIFICATION,
  keepalive: KEEPALIVE,
  routeRefresh: REFRESH,
} = messageTypes

const send = (text: string, times = 1): Step => ({ do: 'send', hex: text, times })
const greeted: readonly Step[] = [{ do: 'await', type: OPEN }]
const established: readonly Step[] = [
  ...greeted,
  send(open),
  send(keepalive),
  { do: 'await', type: KEEPALIVE },
]

/** Path attributes: ORIGIN, AS_PATH of one AS, NEXT_HOP. */
const attributes = `40010100${'40020602010000fdfc'}400304c0000201`
const update = (path: string, prefixes: string): string =>
  raw(UPDATE, `0000${(path.length / 2).toString(16).padStart(4, '0')}${path}${prefixes}`)
/** 192.0.2.0/24 */
const prefix = '18c00002'

interface Case {
  readonly steps: readonly Step[]
  /** Code of our error, and what we tell the peer. */
  readonly code: string
  readonly notification?: string
}

/** Peers with which no session can last. */
const doomed: Readonly<Record<string, Case>> = {
  'is in another AS': {
    steps: [
      ...greeted,
      send(say(openWith({ as: 65_099, capabilities: [{ name: 'fourOctetAs', as: 65_099 }] }))),
    ],
    code: 'WRONG_PEER_AS',
    notification: '2/2',
  },
  'begins with a bad marker': {
    steps: [...greeted, send(`00${open.slice(2)}`)],
    code: 'BAD_HEADER',
    notification: '1/1',
  },
  'speaks of a message that is too long': {
    steps: [...greeted, send(raw(OPEN, '', 4097))],
    code: 'BAD_HEADER',
    notification: '1/2',
  },
  'speaks of a message that is too short': {
    steps: [...greeted, send(raw(KEEPALIVE, '', 18))],
    code: 'BAD_HEADER',
    notification: '1/2',
  },
  'sends a message of no type': {
    steps: [...greeted, send(raw(9))],
    code: 'BAD_HEADER',
    notification: '1/3',
  },
  'speaks version 3': {
    steps: [...greeted, send(say(openWith({ version: 3 })))],
    code: 'BAD_OPEN',
    notification: '2/1',
  },
  'wants a hold time of one second': {
    steps: [...greeted, send(say(openWith({ holdTime: 1 })))],
    code: 'BAD_OPEN',
    notification: '2/6',
  },
  'has no router ID': {
    steps: [...greeted, send(say(openWith({ routerId: '0.0.0.0' })))],
    code: 'BAD_OPEN',
    notification: '2/3',
  },
  'carries no family of ours': {
    steps: [...greeted, send(say(openWith({ capabilities: [{ name: 'multiprotocol', afi: 2, safi: 1 }] })))],
    code: 'NO_COMMON_FAMILY',
    notification: '2/7',
  },
  'breaks off within its OPEN': {
    steps: [...greeted, send(open.slice(0, 40)), { do: 'close' }],
    code: 'CONNECTION_LOST',
  },
  'closes at once': { steps: [{ do: 'close' }], code: 'CONNECTION_LOST' },
  'sends routes before its OPEN': {
    steps: [...greeted, send(update(attributes, prefix))],
    code: 'UNEXPECTED_MESSAGE',
    notification: '5/1',
  },
  'opens twice': {
    steps: [...established, send(open)],
    code: 'UNEXPECTED_MESSAGE',
    notification: '5/3',
  },
  'sends an UPDATE whose lengths contradict each other': {
    steps: [...established, send(raw(UPDATE, `0000ffff${attributes}`))],
    code: 'BAD_UPDATE',
    notification: '3/1',
  },
  'sends a prefix of 33 bits': {
    steps: [...established, send(update(attributes, '21c000020001'))],
    code: 'BAD_UPDATE',
    notification: '3/10',
  },
  'sends noise': {
    steps: [...greeted, send('0123456789abcdef'.repeat(64))],
    code: 'BAD_HEADER',
    notification: '1/1',
  },
  'falls silent, having promised a word every second': {
    steps: [...greeted, send(say(openWith({ holdTime: 3 }))), send(keepalive)],
    code: 'HOLD_TIMER_EXPIRED',
    notification: '4/0',
  },
}

/** Peers with which a session goes on in spite of all. */
const borne: Readonly<Record<string, readonly Step[]>> = {
  'sends byte by byte': [
    { do: 'drip', hex: open },
    { do: 'drip', hex: keepalive },
    { do: 'every', ms: 500, hex: keepalive },
  ],
  'sends attributes that are malformed': [
    ...established,
    // ORIGIN 9; an AS_PATH that ends early; a community of three bytes; no NEXT_HOP; the same attribute twice.
    send(update('40010109' + '40020602010000fdfc' + '400304c0000201', prefix)),
    send(update(`${'40010100'}${'40020602050000fdfc'}400304c0000201`, prefix)),
    send(update(`${attributes}c00803010203`, prefix)),
    send(update('40010100' + '40020602010000fdfc', prefix)),
    send(update(`${attributes}40010100`, prefix)),
  ],
  'sends attributes that nobody knows': [
    ...established,
    send(update(`${attributes}c0fa0401020304`, prefix), 50),
  ],
  'floods us with prefixes': [
    ...established,
    send(
      update(
        attributes,
        Array.from({ length: 700 }, (_, i) => `20c0${i.toString(16).padStart(6, '0')}`).join(''),
      ),
      300,
    ),
  ],
  'floods us with requests for routes': [...established, send(raw(REFRESH, '00010001'), 5000)],
  'floods us with KEEPALIVEs': [...established, send(keepalive, 20_000)],
  'reads nothing': [...established, { do: 'deafen' }, { do: 'every', ms: 500, hex: keepalive }],
}

describeLab('A hostile peer', ['bird', 'bridge'], () => {
  let lab: RouterLab
  let we: OurSpeaker
  let bird: Router
  let peers: HostilePeers
  const names = [...Object.keys(doomed), ...Object.keys(borne)]
  const addressOf = (name: string): string => `10.80.0.${100 + names.indexOf(name)}`
  const wanted = { '192.0.2.1/32': {}, '192.0.2.2/32': {} }
  let since: Date

  beforeAll(async () => {
    lab = await RouterLab.build('hostile', ['we', 'bird', 'bad'])
    for (const name of names) await lab.alias('bad', Number(addressOf(name).slice('10.80.0.'.length)))
    // What the kernel keeps for one that does not read is soon full.
    await lab.net.sysctl('bad', { 'net.ipv4.tcp_rmem': '4096 8192 16384' })
    await lab.net.sysctl('we', { 'net.ipv4.tcp_wmem': '4096 16384 65536' })
    const neighbors = [{ address: lab.address('we'), remoteAs: us, localAddress: lab.address('bird') }]
    bird = await lab.start('bird', 'bird', { as: them, routerId: lab.address('bird'), neighbors })
    we = await lab.speaker('we', { listen: 179 })
    const common = { myAsn: us, peerAsn: them, connectTimeMs: 1000 }
    const good = { ...common, name: 'bird', peerAddress: lab.address('bird') }
    await we.peers(good)
    await we.routes('bird', ...Object.keys(wanted).map(one => ({ prefix: one })))
    await we.established('bird')
    since = (await we.session('bird')).since

    const scripts = Object.fromEntries(
      names.map(name => [addressOf(name), doomed[name]?.steps ?? borne[name] ?? []]),
    )
    peers = await HostilePeers.start(lab.net, 'bad', scripts)
    await we.peers(good, ...names.map(name => ({ ...common, name, peerAddress: addressOf(name) })))
    for (const name of names) await we.routes(name, { prefix: '192.0.2.1/32' })
    await we.many('reads nothing', 60_000)
  })

  afterAll(async () => {
    await peers?.[Symbol.asyncDispose]()
    await lab[Symbol.asyncDispose]()
  })

  describe.each(Object.keys(doomed))('that %s', name => {
    const { code, notification } = doomed[name] as Case

    it('is refused with a reason, and told it', async () => {
      const { lastError } = await we.until(
        name,
        `fails with ${code}`,
        status => status.lastError?.code === code,
      )
      expect(lastError?.message).toMatch(/\w+ \w+/)
      if (notification === undefined) return
      const codes = await eventually('we have told it', () => {
        const [first] = peers.heard(addressOf(name), NOTIFICATION)
        return first && [...Buffer.from(first.slice(0, 4), 'hex')].join('/')
      })
      expect(codes).toBe(notification)
    })
  })

  describe.each(Object.keys(borne))('that %s', name => {
    it('keeps its session', async () => {
      const { address } = await we.established(name, 20)
      expect(address).toBe(addressOf(name))
    })
  })

  it('that sends malformed attributes has them counted', async () => {
    await we.until(
      'sends attributes that are malformed',
      'has five faults',
      ({ counters, state }) => counters.faultyUpdates === 5 && state === 'Established',
    )
  })

  it('that floods us has its prefixes counted, and they are not kept', async () => {
    const { state } = await we.until(
      'floods us with prefixes',
      'has sent all',
      ({ counters }) => counters.prefixesReceived === 300 * 700,
      30,
    )
    expect(state).toBe('Established')
    const { rss } = await we.usage()
    expect(rss).toBeLessThan(250 << 20)
  })

  it('that asks again and again is answered, though not each time', async () => {
    const { counters } = await we.until(
      'floods us with requests for routes',
      'is heard out',
      status => status.counters.refreshesReceived === 5000,
      20,
    )
    expect(counters.updatesSent).toBeLessThan(5000)
  })

  it('that reads nothing does not have everything piled up for it', async () => {
    const { routes } = await we.session('reads nothing')
    expect(routes.announced).toBeLessThan(60_000)
    expect(routes.pending).toBeGreaterThan(0)
  })

  it('connects in storms in vain', async () => {
    const script = `
import socket, sys
open = []
for i in range(600):
    s = socket.socket()
    s.settimeout(5)
    try:
        s.bind((sys.argv[2], 0))
        s.connect((sys.argv[1], 179))
        s.sendall(b'GET / HTTP/1.0\\r\\n\\r\\n')
    except OSError:
        pass
    open.append(s)
    if len(open) > 200: open.pop(0).close()
print('done')`
    // From an address that is configured, and from one that nobody knows.
    for (const from of [addressOf('closes at once'), lab.address('bad')]) {
      const words = ['-c', script, lab.address('we'), from]
      expect((await lab.net.exec('bad', 'python3', words)).stdout).toBe('done\n')
    }
  })

  it('does not lose the session that it kept', async () => {
    for (const name of Object.keys(borne)) {
      const { state, counters } = await we.session(name)
      expect([name, state, counters.opensSent]).toEqual([name, 'Established', 1])
    }
  })

  it('has not disturbed anybody else', async () => {
    const now = await we.session('bird')
    expect([now.state, now.since]).toEqual(['Established', since])
    const from = performance.now()
    await we.routes(
      'bird',
      { prefix: '192.0.2.1/32' },
      { prefix: '192.0.2.2/32' },
      { prefix: '192.0.2.3/32' },
    )
    await holds(bird, lab.address('we'), { ...wanted, '192.0.2.3/32': {} })
    expect(performance.now() - from).toBeLessThan(1000)
    expect(we.running).toBe(true)
  })
})
