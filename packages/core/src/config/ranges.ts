import { type AddressBytes, type Family, familyOf, tryParseAddress } from '../address.ts'
import { CarillonError } from '../errors.ts'
import type { AddressEntry, AddressRange, Cidr } from './config.ts'

const powers = Array.from({ length: 129 }, (_, i) => 1n << BigInt(i))
const power = (exponent: number): bigint => powers[exponent] as bigint

const bitsOf = (family: Family): number => (family === 4 ? 32 : 128)

/** The address as a big-endian number. */
export function addressToNumber(bytes: AddressBytes): bigint {
  let value = 0n
  for (let i = 0; i < bytes.length; i += 4) {
    const word =
      (bytes[i] as number) * 0x1000000 +
      (((bytes[i + 1] as number) << 16) | ((bytes[i + 2] as number) << 8) | (bytes[i + 3] as number))
    value = (value << 32n) | BigInt(word)
  }
  return value
}

/** The inverse of `addressToNumber`: 4 bytes or 16. */
export function numberToAddress(value: bigint, family: Family): AddressBytes {
  const bytes = new Uint8Array(family === 4 ? 4 : 16)
  let left = value
  for (let i = bytes.length - 4; i >= 0; i -= 4) {
    const word = Number(left & 0xffffffffn)
    bytes[i] = word >>> 24
    bytes[i + 1] = word >>> 16
    bytes[i + 2] = word >>> 8
    bytes[i + 3] = word
    left >>= 32n
  }
  return bytes
}

/** The last address of a block. */
export function lastOfCidr({ family, first, prefixLength }: Cidr): bigint {
  return first + power(bitsOf(family) - prefixLength) - 1n
}

/** The fewest CIDRs that cover exactly this range, low to high. */
export function summarise({ family, first, last }: AddressRange): readonly Cidr[] {
  const bits = bitsOf(family)
  const cidrs: Cidr[] = []
  let at = first
  // Blocks grow up to the widest and shrink after it, and `at` is always aligned to the size of the block before: so the
  // search goes on from that size.
  let size = 0
  while (at <= last) {
    while (size < bits && at % power(size + 1) === 0n && at + power(size + 1) - 1n <= last) size++
    while (at + power(size) - 1n > last) size--
    cidrs.push(Object.freeze({ family, first: at, prefixLength: bits - size }))
    at += power(size)
  }
  return Object.freeze(cidrs)
}

const bad = (text: string, message: string): CarillonError =>
  new CarillonError('BAD_RANGE', message, { text })

function parseCidr(text: string): AddressEntry {
  const slash = text.indexOf('/')
  const address = text.slice(0, slash < 0 ? undefined : slash)
  const bytes = tryParseAddress(address)
  if (!bytes) {
    throw bad(
      text,
      `"${text}" is no address block: write a CIDR such as 192.168.1.0/24 or a range such as 192.168.1.10-192.168.1.20`,
    )
  }
  const family = familyOf(bytes)
  const bits = bitsOf(family)
  if (slash < 0) {
    throw bad(text, `"${text}" has no prefix length: write ${text}/${bits} if this one address is meant`)
  }
  const length = text.slice(slash + 1)
  // An IPv4-mapped block is written with the lengths of IPv6 and is an IPv4 block all the same.
  const mapped = family === 4 && address.includes(':')
  const shift = mapped ? 96 : 0
  const prefixLength = /^\d{1,4}$/.test(length) ? Number(length) - shift : Number.NaN
  if (!(prefixLength >= 0 && prefixLength <= bits)) {
    throw bad(text, `"${text}" has a bad prefix length: it must be from ${shift} to ${bits + shift}`)
  }
  const hostBits = BigInt(bits - prefixLength)
  return { text, cidrs: [{ family, first: (addressToNumber(bytes) >> hostBits) << hostBits, prefixLength }] }
}

function parseRange(text: string, dash: number): AddressEntry {
  const [first, last] = [text.slice(0, dash), text.slice(dash + 1)].map(end => {
    const bytes = tryParseAddress(end.trim())
    if (!bytes) throw bad(text, `"${text}" is no address range: "${end.trim()}" is not an IP address`)
    return bytes
  }) as [AddressBytes, AddressBytes]
  const family = familyOf(first)
  if (familyOf(last) !== family) {
    throw bad(text, `"${text}" mixes IPv4 and IPv6: give each family an entry of its own`)
  }
  const range = { family, first: addressToNumber(first), last: addressToNumber(last) }
  if (range.first > range.last) throw bad(text, `"${text}" ends before it starts: swap its ends`)
  return { text, cidrs: summarise(range) }
}

/**
 * Reads one entry of `spec.addresses`: a CIDR, whose host bits do not count, or `first-last`. Throws `BAD_RANGE` with a
 * message that says what to write.
 */
export function parseAddressEntry(text: string): AddressEntry {
  const dash = text.indexOf('-')
  return dash < 0 ? parseCidr(text) : parseRange(text, dash)
}

/** First and last address of an entry. */
export function rangeOf({ cidrs }: AddressEntry): AddressRange {
  const low = cidrs[0] as Cidr
  return { family: low.family, first: low.first, last: lastOfCidr(cidrs.at(-1) as Cidr) }
}

/** Joins ranges that follow one another directly; the order stays. */
export function joinRanges(ranges: readonly AddressRange[]): readonly AddressRange[] {
  const joined: AddressRange[] = []
  for (const range of ranges) {
    const before = joined.at(-1)
    if (before && before.family === range.family && before.last + 1n === range.first) {
      joined[joined.length - 1] = { ...before, last: range.last }
    } else joined.push(range)
  }
  return joined
}

/**
 * Pairs of items whose ranges overlap, in O(n log n): every item that overlaps one which starts before it is paired with
 * the one of those that reaches farthest. There is a pair exactly when any two items overlap.
 */
export function findOverlaps<T>(
  items: readonly T[],
  range: (item: T) => AddressRange,
): readonly (readonly [T, T])[] {
  const sorted = items
    .map((item, order) => ({ item, order, ...range(item) }))
    .sort(
      (a, b) => a.family - b.family || (a.first < b.first ? -1 : a.first > b.first ? 1 : a.order - b.order),
    )
  const pairs: (readonly [T, T])[] = []
  let widest = sorted[0]
  for (const next of sorted.slice(1)) {
    if (widest && widest.family === next.family && next.first <= widest.last) {
      pairs.push([widest.item, next.item])
      if (next.last > widest.last) widest = next
    } else widest = next
  }
  return pairs
}
