import { type AddressBytes, CarillonError, Reader, Writer } from '@carillon/core'

/** An IPv6 packet (RFC 8200 section 3); extension headers, if any, are part of the payload. */
export interface Ipv6Packet {
  readonly trafficClass: number
  readonly flowLabel: number
  readonly nextHeader: number
  readonly hopLimit: number
  readonly source: AddressBytes
  readonly destination: AddressBytes
  readonly payload: Uint8Array
}

/**
 * Reads a packet; what follows its payload (Ethernet padding) is ignored. Throws `SHORT_READ` or `BAD_IPV6`.
 *
 * ```text
 *  0       4               12                      32
 * +-------+---------------+-----------------------+
 * | ver 6 | traffic class | flow label            |   0
 * +-------+-------+-------+-------+---------------+
 * | payload length        | next  | hop limit     |   4
 * +-----------------------+-------+---------------+
 * | source, 16 bytes                              |   8
 * | destination, 16 bytes                         |  24
 * +-----------------------------------------------+  40
 * ```
 */
export function decodeIpv6(bytes: Uint8Array): Ipv6Packet {
  const r = new Reader(bytes)
  const first = r.u32()
  const version = Math.floor(first / 2 ** 28)
  if (version !== 6)
    throw new CarillonError('BAD_IPV6', `the packet has IP version ${version}, not 6`, { version })
  const length = r.u16()
  const nextHeader = r.u8()
  const hopLimit = r.u8()
  const source = r.take(16)
  const destination = r.take(16)
  const trafficClass = Math.floor(first / 2 ** 20) & 0xff
  return {
    trafficClass,
    flowLabel: first & 0xfffff,
    nextHeader,
    hopLimit,
    source,
    destination,
    payload: r.take(length),
  }
}

/** Writes a packet. Throws `BAD_LENGTH` for a payload above 65,535 bytes. */
export function encodeIpv6(packet: Ipv6Packet): Uint8Array {
  const { payload } = packet
  if (payload.length > 0xffff) {
    throw new CarillonError('BAD_LENGTH', `${payload.length} bytes do not fit an IPv6 payload`, {
      size: payload.length,
    })
  }
  return new Writer(40 + payload.length)
    .u32((6 * 2 ** 28 + packet.trafficClass * 2 ** 20 + packet.flowLabel) >>> 0)
    .u16(payload.length)
    .u8(packet.nextHeader)
    .u8(packet.hopLimit)
    .bytes(packet.source)
    .bytes(packet.destination)
    .bytes(payload)
    .finish()
}
