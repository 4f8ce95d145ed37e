import { type AddressBytes, CarillonError, Reader, Writer } from '@carillon/core'
import { icmp6Checksum } from './icmp6.ts'

/** ICMPv6 types of neighbour discovery (RFC 4861 section 4). */
export const ndpTypes = { solicitation: 135, advertisement: 136 } as const

/** ff02::1, every node on the link. */
export const allNodes: AddressBytes = Uint8Array.of(0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)

/** The unspecified address `::`, the source of a duplicate address probe. */
export const unspecified: AddressBytes = new Uint8Array(16)

/** The options that neighbour discovery messages of ours carry; any other one as its number and body. */
export type NdpOption =
  | { readonly option: 'sourceLinkLayer' | 'targetLinkLayer'; readonly mac: Uint8Array }
  /** `body` without the two bytes of type and length: 6 bytes, or 8 more each. */
  | { readonly option: number; readonly body: Uint8Array }

/** Asks for the MAC address of `target` (RFC 4861 section 4.3). */
export interface NeighborSolicitation {
  readonly message: 'solicitation'
  readonly target: AddressBytes
  readonly options: readonly NdpOption[]
}

/** Says where `target` is (RFC 4861 section 4.4). */
export interface NeighborAdvertisement {
  readonly message: 'advertisement'
  readonly router: boolean
  /** The answer to a unicast or multicast solicitation, and so proof of reachability. */
  readonly solicited: boolean
  /** Replaces what the receiver has in its cache. */
  readonly override: boolean
  readonly target: AddressBytes
  readonly options: readonly NdpOption[]
}

/** What of NDP (RFC 4861) is read and written. */
export type NeighborMessage = NeighborSolicitation | NeighborAdvertisement

const optionNumbers = { sourceLinkLayer: 1, targetLinkLayer: 2 } as const

function decodeOption(r: Reader): NdpOption {
  const type = r.u8()
  const length = r.u8()
  if (length === 0) throw new CarillonError('BAD_NDP', `option ${type} has length 0`, { type })
  const body = r.take(length * 8 - 2)
  if (body.length === 6 && type === optionNumbers.sourceLinkLayer)
    return { option: 'sourceLinkLayer', mac: body }
  if (body.length === 6 && type === optionNumbers.targetLinkLayer)
    return { option: 'targetLinkLayer', mac: body }
  return { option: type, body }
}

/**
 * Reads an ICMPv6 message as a neighbour solicitation or advertisement; byte fields are views of `bytes`. Throws
 * `SHORT_READ`, or `BAD_NDP` where RFC 4861 sections 7.1.1 and 7.1.2 discard a message. The hop limit is not in here: the
 * caller checks it.
 *
 * ```text
 *  0               8               16                              32
 * +---------------+---------------+-------------------------------+
 * | type 135, 136 | code 0        | checksum                      |   0
 * +-+-+-+---------+---------------+-------------------------------+
 * |R|S|O| reserved (a solicitation has no flags)                  |   4
 * +-+-+-+---------------------------------------------------------+
 * | target, 16 bytes                                              |   8
 * +---------------+---------------+-------------------------------+
 * | option        | length / 8    | MAC, 6 bytes ...              |  24
 * +---------------+---------------+-------------------------------+
 * ```
 */
export function decodeNdp(
  bytes: Uint8Array,
  source: AddressBytes,
  destination: AddressBytes,
): NeighborMessage {
  const bad = (what: string): CarillonError => new CarillonError('BAD_NDP', what, { length: bytes.length })
  const r = new Reader(bytes)
  const type = r.u8()
  const code = r.u8()
  const checksum = r.u16()
  const flags = r.u32()
  const target = r.take(16)
  if (type !== ndpTypes.solicitation && type !== ndpTypes.advertisement)
    throw bad(`type ${type} is no neighbour message`)
  if (code !== 0) throw bad(`code ${code} must be 0`)
  if (checksum !== icmp6Checksum(source, destination, bytes)) throw bad('the checksum is wrong')
  if (target[0] === 0xff) throw bad('the target is a multicast address')
  const options = [...r.each(decodeOption)]
  if (type === ndpTypes.solicitation) {
    const probe = source.every(byte => byte === 0)
    if (probe && !isSolicitedNodeGroup(destination)) throw bad('a probe must go to a solicited-node group')
    if (probe && options.some(o => o.option === 'sourceLinkLayer'))
      throw bad('a probe must not name its MAC address')
    return { message: 'solicitation', target, options }
  }
  const [router, solicited, override] = [31, 30, 29].map(bit => ((flags >>> bit) & 1) === 1) as [
    boolean,
    boolean,
    boolean,
  ]
  if (solicited && destination[0] === 0xff)
    throw bad('a multicast advertisement must not be marked as solicited')
  return { message: 'advertisement', router, solicited, override, target, options }
}

/** Writes the ICMPv6 message, with its checksum for this source and destination. Throws `BAD_NDP` for an option that is no multiple of 8 bytes. */
export function encodeNdp(
  message: NeighborMessage,
  source: AddressBytes,
  destination: AddressBytes,
): Uint8Array {
  const w = new Writer(32).u8(ndpTypes[message.message]).u8(0).u16(0)
  if (message.message === 'solicitation') w.u32(0)
  else
    w.u8((message.router ? 0x80 : 0) | (message.solicited ? 0x40 : 0) | (message.override ? 0x20 : 0)).u24(0)
  w.bytes(message.target)
  for (const option of message.options) {
    const [number, body] =
      'mac' in option ? [optionNumbers[option.option], option.mac] : [option.option, option.body]
    if ((body.length + 2) % 8 !== 0 || body.length > 255 * 8 - 2) {
      throw new CarillonError(
        'BAD_NDP',
        `option ${number} with a body of ${body.length} bytes does not fill units of 8`,
      )
    }
    w.u8(number)
      .u8((body.length + 2) / 8)
      .bytes(body)
  }
  const bytes = w.finish()
  const checksum = icmp6Checksum(source, destination, bytes)
  bytes[2] = checksum >>> 8
  bytes[3] = checksum & 0xff
  return bytes
}

/** ff02::1:ffXX:XXXX, the group on which an address is asked for (RFC 4291 section 2.7.1). */
export function solicitedNodeGroup(address: AddressBytes): AddressBytes {
  const group = Uint8Array.of(0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0)
  group.set(address.subarray(13), 13)
  return group
}

/** Whether the address lies in ff02::1:ff00:0/104. */
export function isSolicitedNodeGroup(address: AddressBytes): boolean {
  const group = solicitedNodeGroup(address)
  return address.every((byte, i) => byte === group[i])
}

/** 33:33 and the last four bytes: the MAC address of an IPv6 multicast group (RFC 2464 section 7). */
export function multicastMac(group: AddressBytes): Uint8Array {
  return Uint8Array.of(0x33, 0x33, ...group.subarray(12))
}
