import { Reader, Writer } from '@carillon/core'

/** EtherTypes that this package speaks. */
export const etherTypes = { arp: 0x0806, ipv6: 0x86dd } as const

/** ff:ff:ff:ff:ff:ff: every station on the segment. */
export const broadcastMac: Uint8Array = new Uint8Array(6).fill(0xff)

/** Bytes before the payload of an Ethernet frame. */
export const ETHERNET_HEADER = 14

/** An Ethernet II frame without a VLAN tag. The payload may end in padding. */
export interface EthernetFrame {
  readonly destination: Uint8Array
  readonly source: Uint8Array
  readonly etherType: number
  readonly payload: Uint8Array
}

/**
 * Reads a frame; its fields are views of `bytes`. Throws `SHORT_READ`.
 *
 * ```text
 *  0                   6                   12          14
 * +-------------------+-------------------+-----------+---------~
 * | destination MAC   | source MAC        | EtherType | payload
 * +-------------------+-------------------+-----------+---------~
 * ```
 */
export function decodeEthernet(bytes: Uint8Array): EthernetFrame {
  const r = new Reader(bytes)
  return { destination: r.take(6), source: r.take(6), etherType: r.u16(), payload: r.rest() }
}

/** Writes a frame, without padding: drivers pad as their medium asks. */
export function encodeEthernet(frame: EthernetFrame): Uint8Array {
  const { destination, source, etherType, payload } = frame
  const w = new Writer(ETHERNET_HEADER + payload.length)
  return w.bytes(destination).bytes(source).u16(etherType).bytes(payload).finish()
}
