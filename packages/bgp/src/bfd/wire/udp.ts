import { type AddressBytes, Reader, Writer } from '@carillon/core'

/** A UDP datagram in an Ethernet frame, IPv4 or IPv6 by the length of its addresses. */
export interface UdpFrame {
  readonly destinationMac: Uint8Array
  readonly sourceMac: Uint8Array
  readonly source: AddressBytes
  readonly destination: AddressBytes
  readonly sourcePort: number
  readonly destinationPort: number
  /** TTL or hop limit. */
  readonly ttl: number
  readonly payload: Uint8Array
}

/** EtherTypes that carry UDP. */
export const etherTypes = { ipv4: 0x0800, ipv6: 0x86dd } as const

const UDP = 17
const UDP_HEADER = 8
/** Internetwork control, as routers mark what keeps their sessions alive. */
const TRAFFIC_CLASS = 0xc0
const MORE_OR_OFFSET = 0x3fff

/** The Internet checksum (RFC 1071) over all parts, of which each but the last has an even length. */
function checksum(...parts: readonly Uint8Array[]): number {
  let sum = 0
  for (const part of parts)
    for (let i = 0; i < part.length; i += 2) sum += ((part[i] as number) << 8) | (part[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

/**
 * Reads a frame; its fields are views of `bytes`. Checksums are not looked at: on a virtual link they are not filled in. Undefined for
 * anything but a whole UDP datagram without IP options or extension headers.
 *
 * ```text
 *  0                   6                   12     14
 * +-------------------+-------------------+------+----------------------~
 * | destination MAC   | source MAC        | type | IPv4, or IPv6
 * +-------------------+-------------------+------+----------------------~
 * IPv4 (RFC 791): 0x45, class, length(2), id(2), flags and offset(2), ttl, 17, checksum(2), source(4), destination(4)
 * IPv6 (RFC 8200): version, class and label(4), payload length(2), 17, hop limit, source(16), destination(16)
 * UDP (RFC 768): source port(2), destination port(2), length(2), checksum(2), payload
 * ```
 */
export function decodeUdpFrame(bytes: Uint8Array): UdpFrame | undefined {
  const r = new Reader(bytes)
  if (r.left < 14 + 20 + UDP_HEADER) return undefined
  const destinationMac = r.take(6)
  const sourceMac = r.take(6)
  const etherType = r.u16()
  let ttl: number
  let source: AddressBytes
  let destination: AddressBytes
  if (etherType === etherTypes.ipv4) {
    if (r.u8() !== 0x45) return undefined
    r.skip(5)
    if ((r.u16() & MORE_OR_OFFSET) !== 0) return undefined
    ttl = r.u8()
    if (r.u8() !== UDP) return undefined
    r.skip(2)
    source = r.take(4)
    destination = r.take(4)
  } else if (etherType === etherTypes.ipv6 && r.left >= 40 + UDP_HEADER) {
    if (r.u8() >>> 4 !== 6) return undefined
    r.skip(5)
    if (r.u8() !== UDP) return undefined
    ttl = r.u8()
    source = r.take(16)
    destination = r.take(16)
  } else return undefined
  const sourcePort = r.u16()
  const destinationPort = r.u16()
  const length = r.u16()
  r.skip(2)
  if (length < UDP_HEADER || length - UDP_HEADER > r.left) return undefined
  const payload = r.take(length - UDP_HEADER)
  return { destinationMac, sourceMac, source, destination, sourcePort, destinationPort, ttl, payload }
}

/** Writes a frame, with its checksums. */
export function encodeUdpFrame(frame: UdpFrame): Uint8Array {
  const { source, destination, payload, ttl } = frame
  const v4 = source.length === 4
  const length = UDP_HEADER + payload.length
  const udp = new Writer(length).u16(frame.sourcePort).u16(frame.destinationPort).u16(length).u16(0)
  const segment = udp.bytes(payload).finish()
  const pseudo = new Writer(40).bytes(source).bytes(destination).u32(length).u32(UDP).finish()
  // 0 says that there is no checksum.
  const sum = checksum(pseudo, segment) || 0xffff
  segment[6] = sum >>> 8
  segment[7] = sum & 0xff

  const w = new Writer(14 + (v4 ? 20 : 40) + length).bytes(frame.destinationMac).bytes(frame.sourceMac)
  if (!v4) {
    w.u16(etherTypes.ipv6)
      .u32((6 * 2 ** 28 + TRAFFIC_CLASS * 2 ** 20) >>> 0)
      .u16(length)
      .u8(UDP)
      .u8(ttl)
    return w.bytes(source).bytes(destination).bytes(segment).finish()
  }
  const header = new Writer(20)
    .u8(0x45)
    .u8(TRAFFIC_CLASS)
    .u16(20 + length)
    .u32(0)
    .u8(ttl)
    .u8(UDP)
    .u16(0)
    .bytes(source)
    .bytes(destination)
    .finish()
  const headerSum = checksum(header)
  header[10] = headerSum >>> 8
  header[11] = headerSum & 0xff
  return w.u16(etherTypes.ipv4).bytes(header).bytes(segment).finish()
}
