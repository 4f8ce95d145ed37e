import { Reader, Writer } from '@carillon/core'

/** ICMPv6 types of RFC 4861 section 4. */
export const icmp6Types = { routerSolicitation: 133, routerAdvertisement: 134 } as const

/** Groups of RFC 4291 section 2.7.1: every node of a link, and every router. */
export const groups = { allNodes: 'ff02::1', allRouters: 'ff02::2' } as const

const sourceLinkLayerAddress = 1

function link(w: Writer, mac: Uint8Array): Uint8Array {
  // An interface without an Ethernet address has nothing to say here.
  if (mac.length === 6) w.u8(sourceLinkLayerAddress).u8(1).bytes(mac)
  return w.finish()
}

/**
 * The advertisement that tells a router we are its peer (RFC 4861 section 4.2). Its router lifetime is 0 and it names no prefix: no
 * host takes us for its way out, or makes itself an address. The kernel fills in the checksum.
 *
 * ```text
 *  0   1   2       4     5     6         8           12        16
 * +---+---+-------+-----+-----+---------+-----------+---------+--------
 * |134| 0 | check | hop |flags| lifetime| reachable | retrans | options
 * +---+---+-------+-----+-----+---------+-----------+---------+--------
 * ```
 */
export function routerAdvertisement(mac: Uint8Array): Uint8Array {
  return link(new Writer().u8(icmp6Types.routerAdvertisement).u8(0).u16(0).u32(0).u32(0).u32(0), mac)
}

/** Asks the routers of a link to advertise themselves now (RFC 4861 section 4.1). */
export function routerSolicitation(mac: Uint8Array): Uint8Array {
  return link(new Writer().u8(icmp6Types.routerSolicitation).u8(0).u16(0).u32(0), mac)
}

const heads = new Map<number, number>([
  [icmp6Types.routerSolicitation, 8],
  [icmp6Types.routerAdvertisement, 16],
])

/**
 * Which of the two a message is; undefined for one that is neither, or not valid by RFC 4861 section 6.1 (checksum and hop limit
 * were looked at by whoever received it).
 */
export function routerMessage(message: Uint8Array): 'solicitation' | 'advertisement' | undefined {
  const head = heads.get(message[0] ?? 0)
  if (head === undefined || message.length < head || message[1] !== 0) return undefined
  const r = new Reader(message.subarray(head))
  while (r.left > 0) {
    if (r.left < 2) return undefined
    r.skip(1)
    const length = r.u8()
    if (length === 0 || 8 * length - 2 > r.left) return undefined
    r.skip(8 * length - 2)
  }
  return message[0] === icmp6Types.routerAdvertisement ? 'advertisement' : 'solicitation'
}
