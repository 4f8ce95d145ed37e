import { formatAddress, formatMac, parseAddress, tryParseMac } from '@carillon/core'
import { FakeClock, RecordingMetrics } from '@carillon/core/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Counters, metricNames } from './counters.ts'
import { NdpResponder } from './ndp-responder.ts'
import { AddressTable, OwnedAddress } from './owned.ts'
import { decodeEthernet, encodeEthernet, etherTypes } from './wire/ethernet.ts'
import { icmp6Checksum } from './wire/icmp6.ts'
import { decodeIpv6, encodeIpv6 } from './wire/ipv6.ts'
import {
  decodeNdp,
  encodeNdp,
  multicastMac,
  type NdpOption,
  type NeighborMessage,
  solicitedNodeGroup,
} from './wire/ndp.ts'

const mac = (text: string): Uint8Array => tryParseMac(text) as Uint8Array
const ours = mac('02:00:00:00:00:01')
const oursToo = mac('02:00:00:00:00:02')
const theirs = mac('02:00:00:00:00:aa')
const routers = mac('02:00:00:00:00:bb')

const setUp = (addresses = ['fd00::1', 'fd00:0:0:1::1']) => {
  const sent: Uint8Array[] = []
  const claims: string[] = []
  const metrics = new RecordingMetrics()
  const counters = new Counters('ndp', metrics, new FakeClock())
  const table = new AddressTable()
  const owned = addresses.map(address => new OwnedAddress(address, 'all'))
  for (const one of owned) table.add(one)
  const responder = new NdpResponder({
    mac: ours,
    table,
    counters,
    send: frame => sent.push(frame.slice()),
    isOwnMac: (frame, at) =>
      [ours, oursToo].some(own => formatMac(own) === formatMac(frame.subarray(at, at + 6))),
    claimed: (address, frame, at) => claims.push(`${address.text} ${formatMac(frame.subarray(at, at + 6))}`),
  })
  const dropped = (reason: string): number => {
    counters.flush()
    return metrics.value(metricNames.dropped, { protocol: 'ndp', reason }) ?? 0
  }
  return { sent, claims, metrics, counters, table, owned, responder, dropped }
}

interface Said {
  target?: string
  source?: string
  destination?: string
  from?: Uint8Array
  to?: Uint8Array
  hopLimit?: number
  options?: readonly NdpOption[]
  message?: 'solicitation' | 'advertisement'
  solicited?: boolean
  padding?: number
}

const sourceOption = (mac: Uint8Array): NdpOption => ({ option: 'sourceLinkLayer', mac })
const targetOption = (mac: Uint8Array): NdpOption => ({ option: 'targetLinkLayer', mac })

const frame = (said: Said = {}): Uint8Array => {
  const target = parseAddress(said.target ?? 'fd00::1')
  const source = parseAddress(said.source ?? 'fd00::9')
  const destination = said.destination ? parseAddress(said.destination) : solicitedNodeGroup(target)
  const from = said.from ?? theirs
  const kind = said.message ?? 'solicitation'
  const options = said.options ?? [kind === 'solicitation' ? sourceOption(from) : targetOption(from)]
  const flags = { router: false, solicited: said.solicited ?? false, override: true }
  const message: NeighborMessage = { message: kind, target, options, ...flags }
  const payload = encodeNdp(message, source, destination)
  const fields = {
    trafficClass: 0,
    flowLabel: 0,
    nextHeader: 58,
    hopLimit: said.hopLimit ?? 255,
    source,
    destination,
    payload,
  }
  const packet = Uint8Array.of(...encodeIpv6(fields), ...new Uint8Array(said.padding ?? 0))
  const to = said.to ?? multicastMac(destination)
  return encodeEthernet({ destination: to, source: from, etherType: etherTypes.ipv6, payload: packet })
}

/** Reads an answer, and so checks its checksum and every rule of `decodeNdp`. */
const read = (bytes: Uint8Array | undefined) => {
  const ethernet = decodeEthernet(bytes as Uint8Array)
  const { source, destination, hopLimit, nextHeader, payload } = decodeIpv6(ethernet.payload)
  expect([hopLimit, nextHeader]).toEqual([255, 58])
  const message = decodeNdp(payload, source, destination)
  expect(message.message).toBe('advertisement')
  return {
    ...message,
    target: formatAddress(message.target),
    to: formatMac(ethernet.destination),
    from: formatMac(ethernet.source),
    source: formatAddress(source),
    destination: formatAddress(destination),
  }
}

describe('the NDP responder', () => {
  it('answers a solicitation with its own MAC, to the one who asked', () => {
    const { responder, sent } = setUp()
    responder.receive(frame())
    expect(sent.map(read)).toEqual([
      {
        message: 'advertisement',
        router: false,
        solicited: true,
        override: true,
        target: 'fd00::1',
        options: [targetOption(ours)],
        to: formatMac(theirs),
        from: formatMac(ours),
        source: 'fd00::1',
        destination: 'fd00::9',
      },
    ])
  })

  it('answers a unicast reachability check without a source link-layer option', () => {
    const { responder, sent } = setUp()
    responder.receive(frame({ destination: 'fd00::1', to: ours, options: [], source: 'fe80::9' }))
    expect(read(sent[0])).toMatchObject({ to: formatMac(theirs), destination: 'fe80::9', solicited: true })
  })

  it('answers the address that the option names, where a switch or proxy forwarded the frame', () => {
    const { responder, sent } = setUp()
    responder.receive(frame({ from: routers, options: [sourceOption(theirs)] }))
    expect(read(sent[0]).to).toBe(formatMac(theirs))
  })

  it('answers a duplicate address probe to all nodes, unsolicited', () => {
    const { responder, sent } = setUp()
    const nonce = { option: 14, body: new Uint8Array(6).fill(7) }
    responder.receive(frame({ source: '::', options: [nonce] }))
    expect(read(sent[0])).toMatchObject({
      to: '33:33:00:00:00:01',
      destination: 'ff02::1',
      solicited: false,
      override: true,
      options: [targetOption(ours)],
    })
    responder.receive(frame())
    expect(read(sent[1])).toMatchObject({ to: formatMac(theirs), destination: 'fd00::9', solicited: true })
  })

  it('announces to all nodes, unsolicited', () => {
    const { responder, sent, owned } = setUp()
    responder.announce(owned[1] as OwnedAddress)
    expect(read(sent[0])).toMatchObject({
      to: '33:33:00:00:00:01',
      destination: 'ff02::1',
      target: 'fd00:0:0:1::1',
      solicited: false,
      override: true,
    })
  })

  it('tells addresses apart that end alike', () => {
    const { responder, sent, table, owned } = setUp()
    responder.receive(frame({ target: 'fd00:0:0:2::1' }))
    expect(sent).toEqual([])
    table.delete(owned[1] as OwnedAddress)
    responder.receive(frame({ target: 'fd00:0:0:1::1' }))
    expect(sent).toEqual([])
    responder.receive(frame({ target: 'fd00::1' }))
    expect(sent.length).toBe(1)
  })

  it('sees a claim in an advertisement of our address by another station', () => {
    const { responder, claims } = setUp()
    responder.receive(frame({ message: 'advertisement', destination: 'ff02::1' }))
    responder.receive(frame({ message: 'advertisement', destination: 'ff02::1', options: [] }))
    expect(claims).toEqual([`fd00::1 ${formatMac(theirs)}`, `fd00::1 ${formatMac(theirs)}`])
  })

  it('sees no claim in what our own interfaces say on the same segment, nor in a probe', () => {
    const { responder, claims } = setUp()
    responder.receive(frame({ message: 'advertisement', destination: 'ff02::1', from: oursToo }))
    responder.receive(frame({ source: '::', options: [] }))
    expect(claims).toEqual([])
  })

  it('ignores what crossed a router', () => {
    const { responder, sent, claims, dropped } = setUp()
    responder.receive(frame({ hopLimit: 254 }))
    responder.receive(frame({ message: 'advertisement', hopLimit: 64 }))
    expect([sent, claims]).toEqual([[], []])
    expect(dropped('hopLimit')).toBe(2)
  })

  it('drops what is malformed and counts it by reason', () => {
    const { responder, sent, dropped } = setUp()
    const good = frame()
    for (let length = 0; length < good.length; length++) responder.receive(good.subarray(0, length))
    expect(dropped('short')).toBe(good.length)
    const broken = good.slice()
    broken[85] = (broken[85] as number) ^ 1
    responder.receive(broken)
    expect(dropped('checksum')).toBe(1)
    responder.receive(frame({ to: mac('02:00:00:00:00:cc') }))
    expect(dropped('destination')).toBe(1)
    responder.receive(frame({ options: [sourceOption(mac('33:33:00:00:00:01'))] }))
    responder.receive(frame({ source: 'ff02::1' }))
    expect(dropped('sender')).toBe(2)
    // Probes that RFC 4861 section 7.1.1 discards.
    responder.receive(frame({ source: '::' }))
    responder.receive(frame({ source: '::', options: [], destination: 'ff02::1' }))
    expect(dropped('malformed')).toBe(2)
    expect(sent).toEqual([])
  })

  it('drops options that are empty or longer than the packet', () => {
    const { responder, sent, dropped } = setUp()
    for (const length of [0, 2, 255]) {
      const wrong = frame()
      wrong[79] = length
      const { source, destination } = decodeIpv6(wrong.subarray(14))
      const sum = icmp6Checksum(source, destination, wrong.subarray(54))
      wrong.set([sum >>> 8, sum & 255], 56)
      responder.receive(wrong)
    }
    expect(dropped('option')).toBe(3)
    expect(sent).toEqual([])
  })

  it('is not confused by padding behind the packet', () => {
    const { responder, sent } = setUp()
    responder.receive(frame({ padding: 12 }))
    expect(sent.length).toBe(1)
  })

  it('agrees with the codec on which messages are valid, whatever the bytes', () => {
    const { responder, sent } = setUp()
    const kinds = fc.constantFrom<Said>(
      {},
      { source: '::', options: [] },
      { destination: 'fd00::1', to: ours },
    )
    const changes = fc.array(fc.tuple(fc.integer({ min: 14, max: 85 }), fc.nat(255)), { maxLength: 3 })
    fc.assert(
      fc.property(kinds, changes, fc.boolean(), (said, changed, mend) => {
        const bytes = frame(said)
        for (const [at, value] of changed) bytes[at] = value
        if (mend) {
          const sum = icmp6Checksum(bytes.subarray(22, 38), bytes.subarray(38, 54), bytes.subarray(54))
          bytes.set([sum >>> 8, sum & 255], 56)
        }
        sent.length = 0
        responder.receive(bytes)
        for (const answer of sent) {
          const packet = decodeIpv6(decodeEthernet(bytes).payload)
          const asked = decodeNdp(packet.payload, packet.source, packet.destination)
          expect(asked.message).toBe('solicitation')
          expect(packet.hopLimit).toBe(255)
          expect(read(answer).target).toBe(formatAddress(asked.target))
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('survives any bytes', () => {
    const { responder } = setUp()
    fc.assert(fc.property(fc.uint8Array({ maxLength: 120 }), bytes => responder.receive(bytes)))
  })
})
