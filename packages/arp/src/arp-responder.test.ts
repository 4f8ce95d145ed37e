import { formatAddress, formatMac, parseAddress, tryParseMac } from '@carillon/core'
import { FakeClock, RecordingMetrics } from '@carillon/core/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ArpResponder } from './arp-responder.ts'
import { Counters, metricNames } from './counters.ts'
import { AddressTable, OwnedAddress } from './owned.ts'
import { arpOperations, decodeArp, encodeArp } from './wire/arp.ts'
import { broadcastMac, decodeEthernet, encodeEthernet, etherTypes } from './wire/ethernet.ts'

const mac = (text: string): Uint8Array => tryParseMac(text) as Uint8Array
const ours = mac('02:00:00:00:00:01')
const oursToo = mac('02:00:00:00:00:02')
const theirs = mac('02:00:00:00:00:aa')
const { request, reply } = arpOperations

const setUp = (addresses = ['10.0.0.1', '10.0.0.2']) => {
  const sent: Uint8Array[] = []
  const claims: string[] = []
  const metrics = new RecordingMetrics()
  const counters = new Counters('arp', metrics, new FakeClock())
  const table = new AddressTable()
  const owned = addresses.map(address => new OwnedAddress(address, 'all'))
  for (const one of owned) table.add(one)
  const responder = new ArpResponder({
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
    return metrics.value(metricNames.dropped, { protocol: 'arp', reason }) ?? 0
  }
  return { sent, claims, metrics, counters, table, owned, responder, dropped }
}

interface Said {
  operation?: number
  from?: Uint8Array
  source?: Uint8Array
  to?: Uint8Array
  sender?: string
  target?: string
}

const frame = ({
  operation = request,
  from = theirs,
  source = from,
  to = broadcastMac,
  sender = '10.0.0.9',
  target = '10.0.0.1',
}: Said = {}) =>
  encodeEthernet({
    destination: to,
    source,
    etherType: etherTypes.arp,
    payload: encodeArp({
      operation,
      sender: { mac: from, address: parseAddress(sender) },
      target: { mac: new Uint8Array(6), address: parseAddress(target) },
    }),
  })

const read = (bytes: Uint8Array | undefined) => {
  const { destination, source, payload } = decodeEthernet(bytes as Uint8Array)
  const { operation, sender, target } = decodeArp(payload)
  const text = (party: typeof sender): string => `${formatAddress(party.address)} ${formatMac(party.mac)}`
  return {
    to: formatMac(destination),
    from: formatMac(source),
    operation,
    sender: text(sender),
    target: text(target),
  }
}

describe('the ARP responder', () => {
  it('answers a request with its own MAC, to the one who asked', () => {
    const { responder, sent } = setUp()
    responder.receive(frame({ target: '10.0.0.2' }))
    expect(sent.map(read)).toEqual([
      {
        to: formatMac(theirs),
        from: formatMac(ours),
        operation: reply,
        sender: `10.0.0.2 ${formatMac(ours)}`,
        target: `10.0.0.9 ${formatMac(theirs)}`,
      },
    ])
  })

  it('answers the hardware address that the request names, wherever the frame came from', () => {
    const { responder, sent } = setUp()
    responder.receive(frame({ source: mac('02:00:00:00:00:bb') }))
    expect(read(sent[0]).to).toBe(formatMac(theirs))
  })

  it('answers probes and unicast checks', () => {
    const { responder, sent } = setUp()
    responder.receive(frame({ sender: '0.0.0.0' }))
    responder.receive(frame({ to: ours }))
    expect(sent.map(read).map(answer => answer.target)).toEqual([
      `0.0.0.0 ${formatMac(theirs)}`,
      `10.0.0.9 ${formatMac(theirs)}`,
    ])
  })

  it('is silent about the addresses of others, and about its own once they are given up', () => {
    const { responder, sent, table, owned } = setUp()
    responder.receive(frame({ target: '10.0.0.3' }))
    table.delete(owned[0] as OwnedAddress)
    responder.receive(frame({ target: '10.0.0.1' }))
    expect(sent).toEqual([])
    responder.receive(frame({ target: '10.0.0.2' }))
    expect(sent.length).toBe(1)
  })

  it('leaves frames to other stations to them', () => {
    const { responder, sent, dropped } = setUp()
    responder.receive(frame({ to: mac('02:00:00:00:00:cc') }))
    responder.receive(frame({ to: mac('01:00:5e:00:00:01') }))
    expect(sent).toEqual([])
    expect(dropped('destination')).toBe(2)
  })

  it('takes an announcement of our address by another for a claim, and not for a question', () => {
    const { responder, sent, claims } = setUp()
    responder.receive(frame({ sender: '10.0.0.1', target: '10.0.0.1' }))
    responder.receive(frame({ operation: reply, sender: '10.0.0.2', target: '10.0.0.2' }))
    expect(claims).toEqual([`10.0.0.1 ${formatMac(theirs)}`, `10.0.0.2 ${formatMac(theirs)}`])
    expect(sent).toEqual([])
  })

  it('sees a claim in a question that is asked in the name of our address', () => {
    const { responder, sent, claims } = setUp()
    responder.receive(frame({ sender: '10.0.0.1', target: '10.0.0.2' }))
    responder.receive(frame({ sender: '10.0.0.1', target: '10.0.0.77' }))
    expect(claims.length).toBe(2)
    expect(sent.length).toBe(1)
  })

  it('sees no claim in what our own interfaces say on the same segment, nor in a probe', () => {
    const { responder, claims } = setUp()
    responder.receive(frame({ from: oursToo, sender: '10.0.0.1', target: '10.0.0.1' }))
    responder.receive(frame({ operation: reply, from: oursToo, sender: '10.0.0.1', target: '10.0.0.1' }))
    responder.receive(frame({ sender: '0.0.0.0', target: '10.0.0.1' }))
    expect(claims).toEqual([])
  })

  it('announces as a request and as a reply, both to everyone', () => {
    const { responder, sent, owned } = setUp()
    responder.announce(owned[1] as OwnedAddress)
    const everyone = formatMac(broadcastMac)
    const both = {
      to: everyone,
      from: formatMac(ours),
      sender: `10.0.0.2 ${formatMac(ours)}`,
      target: `10.0.0.2 ${everyone}`,
    }
    expect(sent.map(read)).toEqual([
      { operation: request, ...both },
      { operation: reply, ...both },
    ])
  })

  it('counts per address, under the names that dashboards know', () => {
    const { responder, owned, counters, metrics } = setUp()
    for (let i = 0; i < 3; i++) responder.receive(frame())
    responder.announce(owned[0] as OwnedAddress)
    counters.flush()
    const ip = { ip: '10.0.0.1' }
    expect(metrics.value('metallb_layer2_requests_received', ip)).toBe(3)
    expect(metrics.value('metallb_layer2_responses_sent', ip)).toBe(3)
    expect(metrics.value('metallb_layer2_gratuitous_sent', ip)).toBe(2)
  })

  it('drops what is malformed and counts it by reason', () => {
    const { responder, sent, claims, dropped } = setUp()
    const good = frame()
    for (let length = 0; length < 42; length++) responder.receive(good.subarray(0, length))
    expect(dropped('short')).toBe(42)
    let malformed = 0
    for (const at of [12, 13, 14, 15, 16, 17, 18, 19, 20, 21]) {
      const wrong = good.slice()
      wrong[at] = 0x77
      responder.receive(wrong)
      malformed++
    }
    expect(dropped('malformed')).toBe(malformed)
    for (const from of [broadcastMac, mac('03:00:00:00:00:01'), new Uint8Array(6)]) {
      responder.receive(frame({ from }))
      responder.receive(frame({ from, sender: '10.0.0.1', target: '10.0.0.1' }))
    }
    expect(dropped('sender')).toBe(6)
    expect([sent, claims]).toEqual([[], []])
  })

  it('survives any bytes, and never answers but to a well-formed request for its address', () => {
    const { responder, sent } = setUp()
    const mutated = fc
      .tuple(fc.array(fc.tuple(fc.nat(45), fc.nat(255)), { maxLength: 6 }), fc.nat(46))
      .map(([changes, length]) => {
        const bytes = Uint8Array.of(...frame(), 0, 0, 0, 0)
        for (const [at, value] of changes) bytes[at] = value
        return bytes.subarray(0, length)
      })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), mutated), bytes => {
        sent.length = 0
        responder.receive(bytes)
        if (sent.length === 0) return
        const asked = decodeArp(decodeEthernet(bytes).payload)
        expect(asked.operation).toBe(request)
        expect(['10.0.0.1', '10.0.0.2']).toContain(formatAddress(asked.target.address))
        expect(read(sent[0]).sender).toBe(`${formatAddress(asked.target.address)} ${formatMac(ours)}`)
      }),
      { numRuns: 2000 },
    )
  })
})
