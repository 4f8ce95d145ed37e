import { CarillonError, type Reader, type Writer } from '@carillon/core'
import { afis } from './iana.ts'
import type { Prefix } from './message.ts'

/** Octets of an address of each family, by AFI. */
export const addressSizes: ReadonlyMap<number, 4 | 16> = new Map([
  [afis.ipv4, 4],
  [afis.ipv6, 16],
])

/**
 * Reads prefixes until nothing is left (RFC 4271 section 4.3): a length in bits, and as many octets as these need. Bits
 * beyond the length do not count, and come out as zero. Throws `SHORT_READ`, or `BAD_LENGTH` for more bits than an address has.
 */
export function readPrefixes(r: Reader, size: 4 | 16): readonly Prefix[] {
  const prefixes: Prefix[] = []
  while (r.left > 0) {
    const length = r.u8()
    if (length > 8 * size)
      throw new CarillonError('BAD_LENGTH', `a prefix of ${length} bits, where ${8 * size} are possible`, {
        length,
      })
    const octets = (length + 7) >>> 3
    const address = new Uint8Array(size)
    address.set(r.take(octets))
    if ((length & 7) !== 0) {
      const last = octets - 1
      address[last] = (address[last] as number) & (0xff00 >>> (length & 7))
    }
    prefixes.push({ address, length })
  }
  return prefixes
}

/** Writes prefixes, the bits beyond each length as they are. */
export function writePrefixes(w: Writer, prefixes: readonly Prefix[]): void {
  for (const { address, length } of prefixes) w.u8(length).bytes(address.subarray(0, (length + 7) >>> 3))
}
