import type { AddressBytes } from '@carillon/core'

/** The IPv6 next header of ICMPv6. */
export const ICMPV6 = 58

/** Sum of the 16-bit words of `bytes[from, to)`; an odd last byte counts as the upper half of a word. Not folded. */
export function sumWords(bytes: Uint8Array, from: number, to: number): number {
  let sum = 0
  let at = from
  for (; at + 1 < to; at += 2) sum += ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
  return at < to ? sum + ((bytes[at] as number) << 8) : sum
}

/** Folds a sum of words to 16 bits with end-around carry (RFC 1071). 0xffff over a whole packet: its checksum is right. */
export function fold(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16)
  return (once & 0xffff) + (once >>> 16)
}

/** The ICMPv6 checksum (RFC 4443 section 2.3) of a message whose own checksum field is taken as zero. */
export function icmp6Checksum(source: AddressBytes, destination: AddressBytes, message: Uint8Array): number {
  const { length } = message
  const pseudo =
    sumWords(source, 0, 16) + sumWords(destination, 0, 16) + (length >>> 16) + (length & 0xffff) + ICMPV6
  return ~fold(pseudo + sumWords(message, 0, Math.min(2, length)) + sumWords(message, 4, length)) & 0xffff
}
