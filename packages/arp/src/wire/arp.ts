import { type AddressBytes, CarillonError, Reader, Writer } from '@carillon/core'

/** ARP operations (RFC 826). */
export const arpOperations = { request: 1, reply: 2 } as const

/** A station as an ARP packet names it. */
export interface ArpParty {
  readonly mac: Uint8Array
  /** IPv4; 0.0.0.0 as the sender of a probe (RFC 5227 section 2.1.1). */
  readonly address: AddressBytes
}

/** An ARP packet for IPv4 over Ethernet. */
export interface ArpPacket {
  /** One of `arpOperations`, or a number that RFC 826 does not know. */
  readonly operation: number
  readonly sender: ArpParty
  readonly target: ArpParty
}

const ETHERNET = 1
const IPV4 = 0x0800

/**
 * Reads the payload of an ARP frame; trailing padding is ignored, addresses are views of `bytes`.
 * Throws `SHORT_READ`, or `BAD_ARP` for anything but IPv4 over Ethernet.
 *
 * ```text
 *  0       2       4   5   6       8               14        18              24        28
 * +-------+-------+---+---+-------+---------------+---------+---------------+---------+
 * | hw 1  | 0x0800| 6 | 4 | oper. | sender MAC    | sender  | target MAC    | target  |
 * |       |       |   |   |       |               | IPv4    |               | IPv4    |
 * +-------+-------+---+---+-------+---------------+---------+---------------+---------+
 * ```
 */
export function decodeArp(bytes: Uint8Array): ArpPacket {
  const r = new Reader(bytes)
  const hardware = r.u16()
  const protocol = r.u16()
  const lengths = [r.u8(), r.u8()]
  if (hardware !== ETHERNET || protocol !== IPV4 || lengths[0] !== 6 || lengths[1] !== 4) {
    const found = `hardware ${hardware}, protocol ${protocol}, address lengths ${lengths.join(' and ')}`
    throw new CarillonError('BAD_ARP', `the ARP packet is not for IPv4 over Ethernet: ${found}`, {
      hardware,
      protocol,
    })
  }
  const operation = r.u16()
  const sender = { mac: r.take(6), address: r.take(4) }
  const target = { mac: r.take(6), address: r.take(4) }
  return { operation, sender, target }
}

/** Writes the 28 bytes of an ARP packet. */
export function encodeArp(packet: ArpPacket): Uint8Array {
  const w = new Writer(28).u16(ETHERNET).u16(IPV4).u8(6).u8(4).u16(packet.operation)
  for (const party of [packet.sender, packet.target]) w.bytes(party.mac).bytes(party.address)
  return w.finish()
}
