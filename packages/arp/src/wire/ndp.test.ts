import { CarillonError, formatAddress, formatMac, parseAddress } from '@carillon/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeEthernet, encodeEthernet, etherTypes } from './ethernet.ts'
import { icmp6Checksum } from './icmp6.ts'
import { decodeIpv6, encodeIpv6, type Ipv6Packet } from './ipv6.ts'
import {
  allNodes,
  decodeNdp,
  encodeNdp,
  multicastMac,
  type NdpOption,
  type NeighborMessage,
  solicitedNodeGroup,
} from './ndp.ts'

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'))

/** From tcpdump on a veth pair between two Linux 6.18 hosts. */
const captured = {
  asks: hex(`3333 ff00 0002 0200 0000 000a 86dd 6000 0000 0020 3aff fd09 0000 0000 0000 0000 0000 0000 0001
    ff02 0000 0000 0000 0000 0001 ff00 0002 8700 7d7c 0000 0000 fd09 0000 0000 0000 0000 0000 0000 0002
    0101 0200 0000 000a`),
  answers: hex(`0200 0000 000a 0200 0000 000b 86dd 6000 0000 0020 3aff fd09 0000 0000 0000 0000 0000 0000 0002
    fd09 0000 0000 0000 0000 0000 0000 0001 8800 1c76 6000 0000 fd09 0000 0000 0000 0000 0000 0000 0002
    0201 0200 0000 000b`),
  probes: hex(`3333 ff00 0002 0200 0000 000b 86dd 6000 0000 0020 3aff 0000 0000 0000 0000 0000 0000 0000 0000
    ff02 0000 0000 0000 0000 0001 ff00 0002 8700 2f62 0000 0000 fd09 0000 0000 0000 0000 0000 0000 0002
    0e01 063d afa0 8a51`),
  ndisc6Asks:
    hex(`3333 ff00 0002 0200 0000 000a 86dd 6000 2786 0020 3aff fe80 0000 0000 0000 0000 00ff fe00 000a
    ff02 0000 0000 0000 0000 0001 ff00 0002 8700 7cfc 0000 0000 fd09 0000 0000 0000 0000 0000 0000 0002
    0101 0200 0000 000a`),
}

const read = (frame: Uint8Array): { packet: Ipv6Packet; message: NeighborMessage } => {
  const { etherType, payload } = decodeEthernet(frame)
  expect(etherType).toBe(etherTypes.ipv6)
  const packet = decodeIpv6(payload)
  return { packet, message: decodeNdp(packet.payload, packet.source, packet.destination) }
}

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const options: fc.Arbitrary<readonly NdpOption[]> = fc.array(
  fc.oneof(
    fc.record({
      option: fc.constantFrom('sourceLinkLayer' as const, 'targetLinkLayer' as const),
      mac: bytes(6),
    }),
    fc.record({ option: fc.integer({ min: 3, max: 255 }), body: fc.oneof(bytes(6), bytes(14), bytes(30)) }),
  ),
  { maxLength: 4 },
)
const unicast = bytes(16).map(address => Uint8Array.of(0x20, ...address.subarray(1)))
const messages: fc.Arbitrary<NeighborMessage> = fc.oneof(
  fc.record({ message: fc.constant('solicitation' as const), target: unicast, options }),
  fc.record({
    message: fc.constant('advertisement' as const),
    router: fc.boolean(),
    solicited: fc.boolean(),
    override: fc.boolean(),
    target: unicast,
    options,
  }),
)

describe('neighbour messages', () => {
  it('of the kernel and of ndisc6 are understood', () => {
    const asks = read(captured.asks)
    expect(asks.packet).toMatchObject({ hopLimit: 255, nextHeader: 58 })
    expect(formatAddress(asks.packet.destination)).toBe('ff02::1:ff00:2')
    expect(asks.message.message).toBe('solicitation')
    expect(formatAddress(asks.message.target)).toBe('fd09::2')
    expect(asks.message.options).toEqual([{ option: 'sourceLinkLayer', mac: hex('02000000000a') }])

    const { message: answer } = read(captured.answers)
    expect(answer).toMatchObject({ message: 'advertisement', router: false, solicited: true, override: true })
    expect(answer.options).toEqual([{ option: 'targetLinkLayer', mac: hex('02000000000b') }])

    const probe = read(captured.probes)
    expect(formatAddress(probe.packet.source)).toBe('::')
    expect(probe.message.options).toEqual([{ option: 14, body: hex('063dafa08a51') }])

    expect(read(captured.ndisc6Asks).packet.flowLabel).toBe(0x2786)
  })

  it('are written as the kernel writes them', () => {
    for (const frame of Object.values(captured)) {
      const { packet, message } = read(frame)
      const payload = encodeIpv6({
        ...packet,
        payload: encodeNdp(message, packet.source, packet.destination),
      })
      expect(encodeEthernet({ ...decodeEthernet(frame), payload })).toEqual(frame)
    }
  })

  it('survive writing and reading', () => {
    fc.assert(
      fc.property(messages, unicast, unicast, (message, source, destination) => {
        expect(decodeNdp(encodeNdp(message, source, destination), source, destination)).toEqual(message)
      }),
    )
  })

  it('are refused when a single bit is wrong', () => {
    const { packet } = read(captured.asks)
    fc.assert(
      fc.property(fc.nat(packet.payload.length * 8 - 1), bit => {
        const broken = packet.payload.slice()
        const at = bit >>> 3
        broken[at] = (broken[at] as number) ^ (1 << (bit & 7))
        expect(() => decodeNdp(broken, packet.source, packet.destination)).toThrow(CarillonError)
      }),
    )
  })

  const refused = (message: NeighborMessage, source: string, destination: string, why: RegExp): void => {
    const [from, to] = [parseAddress(source), parseAddress(destination)]
    expect(() => decodeNdp(encodeNdp(message, from, to), from, to)).toThrow(why)
  }
  const target = parseAddress('fd00::1')
  const mac = hex('020000000001')

  it('are refused where RFC 4861 section 7.1 says so', () => {
    const solicitation = { message: 'solicitation', target, options: [] } as const
    const advertisement = {
      message: 'advertisement',
      router: false,
      override: true,
      target,
      options: [],
    } as const
    refused(solicitation, '::', 'ff02::1', /solicited-node group/)
    refused({ ...solicitation, options: [{ option: 'sourceLinkLayer', mac }] }, '::', 'ff02::1:ff00:1', /MAC/)
    refused({ ...solicitation, target: allNodes }, 'fd00::2', 'fd00::1', /multicast/)
    refused({ ...advertisement, solicited: true }, 'fd00::2', 'ff02::1', /solicited/)
  })

  it('with an empty option or one that is too long are refused', () => {
    const [from, to] = [parseAddress('fd00::2'), parseAddress('fd00::1')]
    const body = encodeNdp(
      { message: 'solicitation', target, options: [{ option: 'sourceLinkLayer', mac }] },
      from,
      to,
    )
    for (const [length, code] of [
      [0, 'BAD_NDP'],
      [2, 'SHORT_READ'],
    ] as const) {
      const wrong = body.slice()
      wrong[25] = length
      const sum = icmp6Checksum(from, to, wrong)
      wrong.set([sum >>> 8, sum & 255], 2)
      expect(() => decodeNdp(wrong, from, to)).toThrow(expect.objectContaining({ code }))
    }
    const odd = [{ option: 14, body: new Uint8Array(5) }]
    expect(() => encodeNdp({ message: 'solicitation', target, options: odd }, from, to)).toThrow(/units of 8/)
  })

  it('are read from any bytes, or refused with a coded error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), junk => {
        for (const type of [135, 136]) {
          // With the type and checksum in order, so that the options are reached.
          const shaped = Uint8Array.of(type, 0, 0, 0, ...junk)
          const sum = icmp6Checksum(target, target, shaped)
          shaped.set([sum >>> 8, sum & 255], 2)
          try {
            decodeNdp(shaped, target, target)
          } catch (error) {
            expect(error).toBeInstanceOf(CarillonError)
          }
        }
      }),
    )
  })
})

describe('an IPv6 packet', () => {
  const packets: fc.Arbitrary<Ipv6Packet> = fc.record({
    trafficClass: fc.nat(255),
    flowLabel: fc.nat(0xfffff),
    nextHeader: fc.nat(255),
    hopLimit: fc.nat(255),
    source: bytes(16),
    destination: bytes(16),
    payload: fc.uint8Array(),
  })

  it('survives writing and reading, with padding behind it', () => {
    fc.assert(
      fc.property(packets, bytes(6), (packet, padding) => {
        expect(decodeIpv6(Uint8Array.of(...encodeIpv6(packet), ...padding))).toEqual(packet)
      }),
    )
  })

  it('of another version, or longer than its frame, is refused', () => {
    const packet = encodeIpv6(read(captured.asks).packet)
    expect(() => decodeIpv6(packet.subarray(0, 71))).toThrow(expect.objectContaining({ code: 'SHORT_READ' }))
    packet[0] = 0x45
    expect(() => decodeIpv6(packet)).toThrow(expect.objectContaining({ code: 'BAD_IPV6' }))
    const big = { ...read(captured.asks).packet, payload: new Uint8Array(0x10000) }
    expect(() => encodeIpv6(big)).toThrow(expect.objectContaining({ code: 'BAD_LENGTH' }))
  })

  it('is read from any bytes, or refused with a coded error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), junk => {
        try {
          decodeIpv6(junk)
        } catch (error) {
          expect(error).toBeInstanceOf(CarillonError)
        }
      }),
    )
  })
})

describe('the groups of an address', () => {
  it('are those of RFC 4291 section 2.7.1 and RFC 2464 section 7', () => {
    const group = solicitedNodeGroup(parseAddress('4037::01:800:200e:8c6c'))
    expect(formatAddress(group)).toBe('ff02::1:ff0e:8c6c')
    expect(formatMac(multicastMac(group))).toBe('33:33:ff:0e:8c:6c')
  })
})
