import {
  type AddressConflict,
  type Advertisement,
  type AnnouncementStatus,
  CarillonError,
  formatAddress,
  formatMac,
  parseAddress,
  tryParseMac,
} from '@carillon/core'
import {
  announcerContract,
  FakeClock,
  type MemoryHost,
  MemoryNetwork,
  RecordingLogger,
  RecordingMetrics,
  seededRandom,
} from '@carillon/core/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { arp } from './arp.ts'
import { ndp } from './ndp.ts'
import type { Layer2Options } from './options.ts'
import { arpOperations, decodeArp, encodeArp } from './wire/arp.ts'
import { broadcastMac, decodeEthernet, encodeEthernet, etherTypes } from './wire/ethernet.ts'
import { decodeIpv6, encodeIpv6 } from './wire/ipv6.ts'
import { decodeNdp, encodeNdp, multicastMac, solicitedNodeGroup } from './wire/ndp.ts'

const mac = (text: string): Uint8Array => tryParseMac(text) as Uint8Array
const linkLocal = { address: 'fe80::1', prefixLength: 64, scope: 'link', usable: true } as const

const advertise = (address: string, interfaces: unknown = 'all'): Advertisement => ({
  address,
  services: ['default/web'],
  options: { interfaces },
})

/** A node with one interface, and a client on the same segment that listens and asks. */
const setUp = async (options: Layer2Options = {}, protocol: 'arp' | 'ndp' = 'arp') => {
  const clock = new FakeClock()
  const network = new MemoryNetwork({ clock, random: seededRandom(1) })
  const node = network.host('node')
  const client = network.host('client')
  node.setLink({ name: 'eth0', mac: mac('02:00:00:00:00:01'), addresses: [linkLocal] })
  const clientLink = client.setLink({ name: 'eth0', mac: mac('02:00:00:00:00:aa') })
  const log = new RecordingLogger()
  const metrics = new RecordingMetrics()
  const make = protocol === 'arp' ? arp : ndp
  const context = { node: 'node', clock, network: node, log, metrics, random: seededRandom(2) }
  const announcer = make(options)(context)
  const changes: AnnouncementStatus[] = []
  const conflicts: AddressConflict[] = []
  announcer.events.on('announcement:changed', status => changes.push(status))
  announcer.events.on('address:conflict', conflict => conflicts.push(conflict))

  /** What the client has heard since it was last asked: `kind address MAC`. */
  const heard: string[] = []
  const etherType = protocol === 'arp' ? etherTypes.arp : etherTypes.ipv6
  const ear = await client.frames(clientLink.index, etherType)
  ear.receive(frame => heard.push(protocol === 'arp' ? arpText(frame) : ndpText(frame)))
  const listen = async (ms = 0): Promise<string[]> => {
    await clock.advanceAsync(ms)
    return heard.splice(0)
  }
  const ask = async (address: string): Promise<string[]> => {
    await listen()
    client.transmit('eth0', protocol === 'arp' ? arpRequest(address) : solicitation(address))
    return listen()
  }
  return { clock, network, node, client, log, metrics, context, announcer, changes, conflicts, listen, ask }
}

const clientMac = mac('02:00:00:00:00:aa')

const arpFrame = (operation: number, from: Uint8Array, sender: string, target: string): Uint8Array =>
  encodeEthernet({
    destination: broadcastMac,
    source: from,
    etherType: etherTypes.arp,
    payload: encodeArp({
      operation,
      sender: { mac: from, address: parseAddress(sender) },
      target: { mac: broadcastMac, address: parseAddress(target) },
    }),
  })

const arpRequest = (address: string): Uint8Array =>
  arpFrame(arpOperations.request, clientMac, '10.0.0.9', address)
const claim = (address: string, from = mac('02:00:00:00:00:bb')): Uint8Array =>
  arpFrame(arpOperations.reply, from, address, address)

const arpText = (frame: Uint8Array): string => {
  const { operation, sender, target } = decodeArp(decodeEthernet(frame).payload)
  const gratuitous = String(sender.address) === String(target.address)
  const kind = `${gratuitous ? 'gratuitous ' : ''}${operation === arpOperations.request ? 'request' : 'reply'}`
  return `${kind} ${formatAddress(sender.address)} ${formatMac(sender.mac)}`
}

const solicitation = (address: string): Uint8Array => {
  const target = parseAddress(address)
  const source = parseAddress('fe80::aa')
  const destination = solicitedNodeGroup(target)
  const options = [{ option: 'sourceLinkLayer', mac: clientMac }] as const
  const payload = encodeNdp({ message: 'solicitation', target, options }, source, destination)
  const fields = {
    trafficClass: 0,
    flowLabel: 0,
    nextHeader: 58,
    hopLimit: 255,
    source,
    destination,
    payload,
  }
  const ethernet = { destination: multicastMac(destination), source: clientMac, etherType: etherTypes.ipv6 }
  return encodeEthernet({ ...ethernet, payload: encodeIpv6(fields) })
}

const ndpText = (frame: Uint8Array): string => {
  const { source, destination, payload } = decodeIpv6(decodeEthernet(frame).payload)
  const message = decodeNdp(payload, source, destination)
  const kind = message.message === 'advertisement' && message.solicited ? 'answer' : message.message
  const [option] = message.options
  return `${kind} ${formatAddress(message.target)} ${option && 'mac' in option ? formatMac(option.mac) : ''}`
}

const takeover = (address: string, own = '02:00:00:00:00:01'): string[] => [
  `gratuitous request ${address} ${own}`,
  `gratuitous reply ${address} ${own}`,
]
const answer = (address: string, own = '02:00:00:00:00:01'): string[] => [`reply ${address} ${own}`]

describe.each(['arp', 'ndp'] as const)('%s as an announcer', protocol => {
  const make = async () => {
    const { announcer } = await setUp({}, protocol)
    const prefix = protocol === 'arp' ? '10.0.0.' : 'fd00::'
    return { announcer, advertisement: (n: number) => advertise(`${prefix}${n + 10}`) }
  }
  for (const check of announcerContract(make)) it(check.name, () => check.run())
})

describe('a takeover', () => {
  it('is told at once, and again every 1.1 seconds for 5 seconds', async () => {
    const { announcer, listen } = await setUp()
    await announcer.start()
    announcer.announce([advertise('10.0.0.1')])
    expect(await listen()).toEqual(takeover('10.0.0.1'))
    expect(await listen(1099)).toEqual([])
    expect(await listen(1)).toEqual(takeover('10.0.0.1'))
    expect((await listen(3300)).length).toBe(6)
    expect(await listen(60_000)).toEqual([])
  })

  it('is not told again when something else changes', async () => {
    const { announcer, listen, clock } = await setUp()
    await announcer.start()
    announcer.announce([advertise('10.0.0.1')])
    await listen(10_000)
    announcer.announce([advertise('10.0.0.1'), advertise('10.0.0.2')])
    expect(await listen()).toEqual(takeover('10.0.0.2'))
    announcer.announce([{ ...advertise('10.0.0.1'), services: ['default/other'] }, advertise('10.0.0.2')])
    await listen(10_000)
    expect(clock.pending).toBe(0)
  })

  it('follows the count and the interval that the options give, and refreshes when they say so', async () => {
    const { announcer, listen } = await setUp({ rounds: 2, roundIntervalMs: 300, refreshMs: 30_000 })
    await announcer.start()
    announcer.announce([advertise('10.0.0.1')])
    expect((await listen(29_999)).length).toBe(4)
    expect((await listen(301)).length).toBe(2)
    expect((await listen(30_000)).length).toBe(2)
  })

  it('of a thousand addresses is spread out, so that no send buffer overflows', async () => {
    const { announcer, listen } = await setUp()
    await announcer.start()
    announcer.announce(Array.from({ length: 1000 }, (_, i) => advertise(`10.0.${i >> 8}.${i & 255}`)))
    expect((await listen()).length).toBe(128)
    expect((await listen(5)).length).toBe(128)
    const rest = await listen(90)
    expect(rest.length).toBe(2000 - 256)
    const second = await listen(1100)
    expect(new Set(second).size).toBe(2000)
  })
})

describe('a node that leaves', () => {
  it('answers on, and takes back with no word what the next owner has announced', async () => {
    const { announcer, client, conflicts, ask, listen, clock } = await setUp({ conflictGraceMs: 0 })
    await announcer.start()
    announcer.announce([advertise('10.0.0.1')])
    expect(await listen()).toEqual(takeover('10.0.0.1'))
    announcer.retire?.()
    client.transmit('eth0', claim('10.0.0.1'))
    expect(await listen(10_000)).toEqual([])
    expect(conflicts).toEqual([])
    expect(await ask('10.0.0.1')).toEqual(answer('10.0.0.1'))
    await listen(1000)
    expect(clock.pending).toBe(0)
  })
})

describe('answers', () => {
  it('come for the addresses that are announced, and stop at once when one is given up', async () => {
    const { announcer, ask } = await setUp()
    await announcer.start()
    announcer.announce([advertise('10.0.0.1'), advertise('10.0.0.2')])
    expect(await ask('10.0.0.1')).toEqual(answer('10.0.0.1'))
    expect(await ask('10.0.0.3')).toEqual([])
    announcer.announce([advertise('10.0.0.2')])
    expect(await ask('10.0.0.1')).toEqual([])
    expect(await ask('10.0.0.2')).toEqual(answer('10.0.0.2'))
  })

  it('are counted for the metrics once a second, while there are any', async () => {
    const { announcer, ask, clock, metrics, listen } = await setUp()
    await announcer.start()
    announcer.announce([advertise('10.0.0.1')])
    await listen(10_000)
    expect(clock.pending).toBe(0)
    await ask('10.0.0.1')
    expect(metrics.value('metallb_layer2_requests_received', { ip: '10.0.0.1' })).toBeUndefined()
    await listen(1000)
    expect(metrics.value('metallb_layer2_requests_received', { ip: '10.0.0.1' })).toBe(1)
    expect(metrics.value('metallb_layer2_responses_sent', { ip: '10.0.0.1' })).toBe(1)
    expect(metrics.value('metallb_layer2_gratuitous_sent', { ip: '10.0.0.1' })).toBe(10)
    expect(clock.pending).toBe(0)
  })
})

describe('interfaces', () => {
  it('are chosen by the advertisement: one address here, one there', async () => {
    const { announcer, node, ask } = await setUp()
    node.setLink({ name: 'eth1', mac: mac('02:00:00:00:00:02') })
    await announcer.start()
    announcer.announce([advertise('10.0.0.1', ['eth1']), advertise('10.0.0.2', ['eth0'])])
    expect(announcer.status().map(one => one.via)).toEqual([['eth1'], ['eth0']])
    await ask('10.0.0.1')
    expect(await ask('10.0.0.1')).toEqual(answer('10.0.0.1', '02:00:00:00:00:02'))
    expect(await ask('10.0.0.2')).toEqual(answer('10.0.0.2'))
  })

  it('on one segment each answer with their own MAC, and take each other for no conflict', async () => {
    const { announcer, node, ask, conflicts, listen } = await setUp()
    node.setLink({ name: 'eth1', mac: mac('02:00:00:00:00:02') })
    await announcer.start()
    announcer.announce([advertise('10.0.0.1')])
    await listen(20_000)
    expect((await ask('10.0.0.1')).sort()).toEqual([
      ...answer('10.0.0.1'),
      ...answer('10.0.0.1', '02:00:00:00:00:02'),
    ])
    expect(conflicts).toEqual([])
  })

  it('may change hands: an address moves to the interface that a new advertisement names', async () => {
    const { announcer, node, ask, listen, changes } = await setUp()
    node.setLink({ name: 'eth1', mac: mac('02:00:00:00:00:02') })
    await announcer.start()
    announcer.announce([advertise('10.0.0.1', ['eth0'])])
    await listen(10_000)
    announcer.announce([advertise('10.0.0.1', ['eth1'])])
    expect(await listen()).toEqual(takeover('10.0.0.1', '02:00:00:00:00:02'))
    expect(await ask('10.0.0.1')).toEqual(answer('10.0.0.1', '02:00:00:00:00:02'))
    expect(changes.map(change => change.via)).toEqual([['eth0'], ['eth1']])
  })

  it('that appear later are served at once', async () => {
    const { announcer, node, listen, ask, changes } = await setUp()
    node.removeLink('eth0')
    await announcer.start()
    announcer.announce([advertise('10.0.0.1')])
    expect(announcer.status()[0]).toMatchObject({ state: 'failed', error: { code: 'NO_INTERFACE' } })
    node.setLink({ name: 'eth5', mac: mac('02:00:00:00:00:05') })
    expect(await listen()).toEqual(takeover('10.0.0.1', '02:00:00:00:00:05'))
    expect(await ask('10.0.0.1')).toEqual(answer('10.0.0.1', '02:00:00:00:00:05'))
    expect(changes.at(-1)).toMatchObject({ state: 'announced', via: ['eth5'] })
  })

  it('that go down and come back announce again', async () => {
    const { announcer, node, listen, ask } = await setUp()
    await announcer.start()
    announcer.announce([advertise('10.0.0.1')])
    await listen(1500)
    node.setLink({ name: 'eth0', up: false })
    expect(announcer.status()[0]?.error?.message).toBe(
      'no interface of this node can carry 10.0.0.1: eth0 is down',
    )
    expect(await listen(20_000)).toEqual([])
    node.setLink({ name: 'eth0', up: true })
    expect(await listen()).toEqual(takeover('10.0.0.1'))
    expect(await ask('10.0.0.1')).toEqual(answer('10.0.0.1'))
  })

  it('that lose and regain their carrier announce again', async () => {
    const { announcer, node, listen } = await setUp()
    await announcer.start()
    announcer.announce([advertise('10.0.0.1')])
    await listen(10_000)
    node.setLink({ name: 'eth0', carrier: false })
    expect(announcer.status()[0]).toMatchObject({
      state: 'pending',
      via: [],
      error: { code: 'NO_INTERFACE' },
    })
    expect(await listen(10_000)).toEqual([])
    node.setLink({ name: 'eth0', carrier: true })
    expect(announcer.status()[0]).toMatchObject({ state: 'announced', via: ['eth0'] })
    expect((await listen(60_000)).length).toBe(10)
  })

  it('that change their MAC answer with the new one and tell everybody', async () => {
    const { announcer, node, listen, ask } = await setUp()
    await announcer.start()
    announcer.announce([advertise('10.0.0.1')])
    await listen(10_000)
    node.setLink({ name: 'eth0', mac: mac('02:00:00:00:00:77') })
    expect(await listen()).toEqual(takeover('10.0.0.1', '02:00:00:00:00:77'))
    expect(await ask('10.0.0.1')).toEqual(answer('10.0.0.1', '02:00:00:00:00:77'))
  })

  it('that change in other ways are left alone', async () => {
    const { announcer, node, listen } = await setUp()
    await announcer.start()
    announcer.announce([advertise('10.0.0.1')])
    await listen(10_000)
    node.setLink({ name: 'eth0', mtu: 9000 })
    node.setLink({ name: 'eth9', up: false })
    expect(await listen(10_000)).toEqual([])
  })

  it('that are renamed are judged by their new name', async () => {
    const { announcer, node, listen } = await setUp()
    const eth0 = node.setLink({ name: 'eth0' })
    await announcer.start()
    announcer.announce([advertise('10.0.0.1', ['lan0'])])
    expect(announcer.status()[0]?.state).toBe('failed')
    node.removeLink('eth0')
    node.setLink({ ...eth0, name: 'lan0' })
    expect(await listen()).toEqual(takeover('10.0.0.1'))
  })

  it('that cannot be used are named with the reason', async () => {
    const { announcer, node, context } = await setUp()
    node.setLink({ name: 'eth0', master: 7 })
    node.setLink({ name: 'eth1', up: false })
    node.setLink({ name: 'eth2', noArp: true })
    node.setLink({ name: 'tun0', broadcast: false, mac: new Uint8Array() })
    node.setLink({ name: 'vethabc' })
    await announcer.start()
    announcer.announce([
      advertise('10.0.0.1', ['eth0', 'eth1', 'eth2', 'eth9', 'tun0', 'vethabc']),
      advertise('10.0.0.2'),
    ])
    const [named, all] = announcer.status().map(one => one.error?.message)
    const reasons = [
      'eth0 belongs to a bridge, bond or VRF',
      'eth1 is down',
      'eth2 has address resolution switched off (NOARP)',
      'eth9 does not exist',
      'tun0 has no Ethernet address',
      'vethabc is excluded by ^veth.*',
    ]
    expect(named).toBe(`no interface of this node can carry 10.0.0.1: ${reasons.join(', ')}`)
    expect(all).toContain('eth1 is down')
    await using other = ndp()(context)
    await other.start()
    other.announce([advertise('fd00::1')])
    expect(other.status()[0]?.state).toBe('failed')
  })

  it('excluded by the options are left alone, and none is excluded with an empty list', async () => {
    const { announcer, node, listen } = await setUp({ excludeInterfaces: [] })
    node.setLink({ name: 'veth1', mac: mac('02:00:00:00:00:02') })
    await announcer.start()
    announcer.announce([advertise('10.0.0.1')])
    await listen()
    expect(announcer.status()[0]?.via).toEqual(['eth0', 'veth1'])
    const strict = await setUp({ excludeInterfaces: ['th0'], interfaces: ['eth0', 'eth1'] })
    strict.node.setLink({ name: 'eth1' })
    strict.node.setLink({ name: 'eth2' })
    await strict.announcer.start()
    strict.announcer.announce([advertise('10.0.0.1')])
    expect(strict.announcer.status()[0]?.via).toEqual(['eth1'])
  })
})

describe('a failing socket', () => {
  const refusal = new CarillonError('EPERM', 'opening a packet socket on eth0: EPERM, CAP_NET_RAW is missing')

  it('shows in the status, is tried again less and less often, and recovers', async () => {
    const { announcer, node, listen, log } = await setUp()
    node.refuseFrames(refusal)
    await announcer.start()
    announcer.announce([advertise('10.0.0.1')])
    const [status] = announcer.status()
    expect(status).toMatchObject({ state: 'failed', via: [], error: { code: 'INTERFACE_FAILED' } })
    expect(status?.error?.message).toContain('CAP_NET_RAW is missing')
    await listen(100_000)
    expect(log.lines.filter(line => line.level === 'warn').length).toBe(1)
    node.refuseFrames(undefined)
    expect((await listen(30_000)).slice(0, 2)).toEqual(takeover('10.0.0.1'))
    expect(announcer.status()[0]).toEqual({ address: '10.0.0.1', state: 'announced', via: ['eth0'] })
  })

  it('is tried again at once when a link changes', async () => {
    const { announcer, node, listen } = await setUp()
    node.refuseFrames(refusal)
    await announcer.start()
    announcer.announce([advertise('10.0.0.1')])
    await listen(100_000)
    node.refuseFrames(undefined)
    node.setLink({ name: 'eth0', mtu: 1400 })
    expect(await listen()).toEqual(takeover('10.0.0.1'))
  })

  it('on one interface leaves the others alone', async () => {
    const { announcer, node, ask } = await setUp()
    await announcer.start()
    announcer.announce([advertise('10.0.0.1')])
    node.refuseFrames(refusal)
    node.setLink({ name: 'eth1', mac: mac('02:00:00:00:00:02') })
    await ask('10.0.0.1')
    expect(announcer.status()[0]).toMatchObject({
      state: 'announced',
      via: ['eth0'],
      error: { code: 'INTERFACE_FAILED' },
    })
    expect(await ask('10.0.0.1')).toEqual(answer('10.0.0.1'))
  })
})

describe('another station that uses our address', () => {
  const prepare = async (options: Layer2Options = {}) => {
    const world = await setUp(options)
    await world.announcer.start()
    world.announcer.announce([advertise('10.0.0.1')])
    await world.listen(10_000)
    return world
  }

  it('is reported with its MAC when it goes on after the grace', async () => {
    const { announcer, client, listen, conflicts, changes, log, metrics } = await prepare()
    client.transmit('eth0', claim('10.0.0.1'))
    await listen(999)
    expect(conflicts).toEqual([])
    await listen(1001)
    expect(conflicts).toEqual([{ address: '10.0.0.1', interface: 'eth0', mac: '02:00:00:00:00:bb' }])
    expect(announcer.status()[0]).toMatchObject({ state: 'announced', error: { code: 'ADDRESS_CONFLICT' } })
    expect(changes.at(-1)?.error?.message).toContain('02:00:00:00:00:bb on eth0 uses 10.0.0.1')
    const warning = log.lines.find(line => line.level === 'warn')
    expect(warning?.fields).toMatchObject({
      address: '10.0.0.1',
      interface: 'eth0',
      mac: '02:00:00:00:00:bb',
    })
    expect(metrics.value('carillon_layer2_conflicts', { ip: '10.0.0.1' })).toBe(1)
  })

  it('is answered with one announcement, then no more than once in ten seconds', async () => {
    const { client, listen, conflicts } = await prepare()
    client.transmit('eth0', claim('10.0.0.1'))
    expect(await listen(1000)).toEqual(takeover('10.0.0.1'))
    for (let i = 0; i < 89; i++) {
      client.transmit('eth0', claim('10.0.0.1'))
      expect(await listen(100)).toEqual([])
    }
    for (let i = 0; i < 20; i++) client.transmit('eth0', claim('10.0.0.1'))
    expect(await listen(2000)).toEqual([])
    client.transmit('eth0', claim('10.0.0.1'))
    expect(await listen()).toEqual(takeover('10.0.0.1'))
    expect(conflicts.length).toBe(2)
  })

  it('is not answered where the options say so', async () => {
    const { client, listen, conflicts } = await prepare({ defend: false, conflictGraceMs: 0 })
    client.transmit('eth0', claim('10.0.0.1'))
    expect(await listen(5000)).toEqual([])
    expect(conflicts.length).toBe(1)
  })

  it('is no conflict when it takes the address over from us', async () => {
    const { announcer, client, listen, conflicts } = await prepare()
    client.transmit('eth0', claim('10.0.0.1'))
    await listen(200)
    announcer.announce([])
    expect(await listen(60_000)).toEqual([])
    expect(conflicts).toEqual([])
  })

  it('is forgotten when it has been quiet for a minute', async () => {
    const { announcer, client, listen } = await prepare()
    client.transmit('eth0', claim('10.0.0.1'))
    await listen(59_000)
    expect(announcer.status()[0]?.error?.code).toBe('ADDRESS_CONFLICT')
    await listen(2000)
    expect(announcer.status()[0]).toEqual({ address: '10.0.0.1', state: 'announced', via: ['eth0'] })
  })
})

describe('NDP', () => {
  const settled = async (options: Layer2Options = {}) => {
    const world = await setUp(options, 'ndp')
    await world.announcer.start()
    return world
  }

  it('tells all nodes of a takeover, and answers solicitations', async () => {
    const { announcer, listen, ask } = await settled()
    announcer.announce([advertise('fd00::1')])
    expect(await listen()).toEqual(['advertisement fd00::1 02:00:00:00:00:01'])
    expect((await listen(60_000)).length).toBe(4)
    expect(await ask('fd00::1')).toEqual(['answer fd00::1 02:00:00:00:00:01'])
    announcer.announce([])
    expect(await ask('fd00::1')).toEqual([])
  })

  const groups = (node: MemoryHost, link = 'eth0') => node.groups(link)

  it('joins the solicited-node group of an address with its first user and leaves it with its last', async () => {
    const { announcer, node } = await settled()
    announcer.announce([advertise('fd00::1'), advertise('fd00:1::1'), advertise('fd00::2')])
    expect(groups(node)).toEqual(['ff02::1:ff00:1', 'ff02::1:ff00:2'])
    announcer.announce([advertise('fd00:1::1')])
    expect(groups(node)).toEqual(['ff02::1:ff00:1'])
    announcer.announce([])
    expect(groups(node)).toEqual([])
  })

  it('joins on every interface that may be used, also on one that comes later, and on no other', async () => {
    const { announcer, node, listen, ask } = await settled()
    node.setLink({ name: 'eth1', addresses: [linkLocal] })
    announcer.announce([advertise('fd00::1'), advertise('fd00::2', ['eth1'])])
    await listen()
    expect(groups(node)).toEqual(['ff02::1:ff00:1'])
    expect(groups(node, 'eth1')).toEqual(['ff02::1:ff00:1', 'ff02::1:ff00:2'])
    node.setLink({ name: 'eth2', mac: mac('02:00:00:00:00:03'), addresses: [linkLocal] })
    await listen()
    expect(groups(node, 'eth2')).toEqual(['ff02::1:ff00:1'])
    node.setLink({ name: 'eth0', up: false })
    node.setLink({ name: 'eth0', up: true })
    await listen(10_000)
    expect(groups(node)).toEqual(['ff02::1:ff00:1'])
    expect(await ask('fd00::1')).toContain('answer fd00::1 02:00:00:00:00:03')
  })

  it('joins a thousand groups in slices, so that nothing else has to wait long', async () => {
    const { announcer, node, listen, clock } = await settled()
    const many = Array.from({ length: 1000 }, (_, i) => advertise(`fd00::${(i + 1).toString(16)}`))
    announcer.announce(many)
    expect(groups(node).length).toBe(100)
    announcer.announce(many.slice(0, 500))
    await listen(100)
    expect(groups(node).length).toBe(500)
    announcer.announce(many.slice(0, 10))
    expect(groups(node).length).toBe(10)
    announcer.announce(many)
    await announcer[Symbol.asyncDispose]()
    await listen()
    expect(clock.pending).toBe(0)
  })

  it('waits for a link-local address that has been checked', async () => {
    const { announcer, node, listen, ask } = await settled()
    node.setLink({ name: 'eth0', addresses: [{ ...linkLocal, usable: false }] })
    announcer.announce([advertise('fd00::1')])
    expect(announcer.status()[0]?.error?.message).toContain('eth0 has no usable IPv6 link-local address')
    node.setLink({ name: 'eth0', addresses: [linkLocal] })
    expect(await listen()).toEqual(['advertisement fd00::1 02:00:00:00:00:01'])
    expect((await ask('fd00::1')).length).toBe(1)
  })
})

describe('what an announcer is told', () => {
  it('that it cannot announce is refused by name', async () => {
    const { announcer } = await setUp()
    await announcer.start()
    const wrong = ['fd00::1', '10.0.0.0/24', '224.0.0.1', '255.255.255.255', '0.0.0.0', '127.0.0.1']
    announcer.announce([...wrong.map(address => advertise(address)), advertise('10.0.0.1', 'eth0')])
    for (const { error } of announcer.status().slice(0, wrong.length))
      expect(error?.code).toBe('NOT_ANNOUNCEABLE')
    expect(announcer.status().at(-1)?.error?.message).toContain(
      "options.interfaces must be 'all' or a list of names",
    )
  })

  it('twice over is one address', async () => {
    const { announcer, listen } = await setUp()
    await announcer.start()
    announcer.announce([advertise('10.0.0.1'), advertise('10.0.0.1')])
    expect(await listen()).toEqual(takeover('10.0.0.1'))
    expect(announcer.status().length).toBe(1)
  })

  it('leaves nothing behind when it is closed', async () => {
    const { announcer, clock, ask, listen } = await setUp()
    await announcer.start()
    announcer.announce([advertise('10.0.0.1')])
    await listen()
    await ask('10.0.0.1')
    await announcer[Symbol.asyncDispose]()
    expect(clock.pending).toBe(0)
    expect(await ask('10.0.0.1')).toEqual([])
  })

  it('in its options is checked', () => {
    expect(() => arp({ excludeInterfaces: ['^eth('] })).toThrow(/excludeInterfaces\[0\] is "\^eth\("/)
    for (const wrong of [
      { rounds: 0 },
      { rounds: 1.5 },
      { roundIntervalMs: 1 },
      { refreshMs: -1 },
      { refreshMs: 10 },
      { conflictGraceMs: Number.NaN },
      { interfaces: 'eth0' },
      { excludeInterfaces: '^eth' },
      { defend: 1 },
    ]) {
      const [field] = Object.keys(wrong)
      expect(() => ndp(wrong as Layer2Options)).toThrow(
        expect.objectContaining({ code: 'BAD_OPTIONS', details: { field } }),
      )
    }
  })
})

describe('whatever happens to advertisements and interfaces', () => {
  type Step =
    | { readonly announce: readonly { readonly address: string; readonly interfaces: unknown }[] }
    | { readonly link: string; readonly up: boolean; readonly carrier: boolean; readonly mac: number }
    | { readonly remove: string }

  const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3']
  const names = ['eth0', 'eth1']
  const choices = fc.constantFrom<unknown>('all', ['eth0'], ['eth1'], [])
  const steps: fc.Arbitrary<Step> = fc.oneof(
    fc.record({
      announce: fc.uniqueArray(fc.record({ address: fc.constantFrom(...addresses), interfaces: choices }), {
        selector: one => one.address,
      }),
    }),
    fc.record({
      link: fc.constantFrom(...names),
      up: fc.boolean(),
      carrier: fc.boolean(),
      mac: fc.integer({ min: 1, max: 9 }),
    }),
    fc.record({ remove: fc.constantFrom(...names) }),
  )

  it('exactly the interfaces that may and can speak for an address answer for it, with the MAC they have now', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { maxLength: 8 }), async script => {
        const { announcer, node, client, ask, listen, clock } = await setUp()
        const links = new Map([['eth0', { works: true, mac: '02:00:00:00:00:01' }]])
        let desired: readonly { readonly address: string; readonly interfaces: unknown }[] = []
        await announcer.start()
        for (const step of script) {
          if ('announce' in step) {
            desired = step.announce
            announcer.announce(desired.map(one => advertise(one.address, one.interfaces)))
          } else if ('remove' in step) {
            links.delete(step.remove)
            node.removeLink(step.remove)
          } else {
            // No two interfaces of a host share a MAC address here: the client tells them apart by it.
            const text = `02:00:00:00:0${names.indexOf(step.link)}:0${step.mac}`
            links.set(step.link, { works: step.up && step.carrier, mac: text })
            node.setLink({ name: step.link, up: step.up, carrier: step.carrier, mac: mac(text) })
          }
          await listen(10_000)
          for (const address of addresses) {
            const interfaces = desired.find(one => one.address === address)?.interfaces ?? []
            const via = names.filter(
              name =>
                links.get(name)?.works && (interfaces === 'all' || (interfaces as string[]).includes(name)),
            )
            const wanted = via.flatMap(name => answer(address, links.get(name)?.mac))
            expect((await ask(address)).sort()).toEqual(wanted.sort())
            const status = announcer.status().find(one => one.address === address)
            expect(status?.via ?? []).toEqual(via)
          }
        }
        await announcer[Symbol.asyncDispose]()
        client.removeLink('eth0')
        expect(clock.pending).toBe(0)
      }),
      { numRuns: 40 },
    )
  })
})
