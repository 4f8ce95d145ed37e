import type { AddressBytes, BpfInstruction } from '@carillon/core'
import { BpfWriter, type Target } from './bpf.ts'
import { mergeNearest, type Range, toRanges } from './ranges.ts'
import { ICMPV6 } from './wire/icmp6.ts'
import { ndpTypes } from './wire/ndp.ts'

/**
 * The longest filter that is made. While one filter replaces another, the kernel charges both to the socket's option memory
 * (net.core.optmem_max, 20 KiB before Linux 6.9) at about 8 bytes an instruction; this leaves room in the smallest.
 */
export const MAX_INSTRUCTIONS = 1000

// Each range costs two comparisons in each tree; the rest is loads, returns and stepping stones for long jumps.
const MAX_ARP_RANGES = 235
const MAX_NDP_RANGES = 470

const SIZE = 2 ** 32

/** Unsigned 32-bit number in network order at `at`. */
const word = (bytes: Uint8Array, at: number): number =>
  (((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)) >>>
  0

/** Loads the word at `offset` and goes to `hit` when it lies in one of the ranges (in order, at least one), else to `miss`. */
function searchRanges(
  w: BpfWriter,
  offset: number,
  ranges: readonly Range[],
  hit: Target,
  miss: Target,
): number {
  // Counted from the first range on, numbers stay below 2^31 for any real pool, and the kernel's translation of a
  // comparison with a number above needs two more instructions. What lies before the first range wraps around to the top.
  const base = (ranges[0] as Range).first
  const bounds = ranges.flatMap(({ first, last }) => [first - base, last + 1 - base]).slice(1)
  if (bounds.at(-1) === SIZE) bounds.pop()
  // Membership changes at each bound: inside before the first, outside after it, and so on.
  const search = (from: number, to: number): Target => {
    if (from === to) return from % 2 === 0 ? hit : miss
    const middle = (from + to) >>> 1
    const above = search(middle + 1, to)
    const below = search(from, middle)
    return w.atLeast(bounds[middle] as number, above, below)
  }
  const found = search(0, bounds.length)
  return w.load(4, offset, w.subtract(base, found))
}

/**
 * A packet filter for EtherType ARP that passes, without a VLAN tag: requests for one of `addresses`, and packets of either
 * operation whose sender claims one. With many scattered addresses it passes some more, never less.
 */
export function arpFilter(addresses: readonly AddressBytes[]): readonly BpfInstruction[] {
  const w = new BpfWriter()
  if (addresses.length === 0) return rejectAll
  const ranges = mergeNearest(toRanges(addresses.map(address => word(address, 0))), MAX_ARP_RANGES)
  const claims = searchRanges(w, 28, ranges, 'accept', 'reject')
  const asks = searchRanges(w, 38, ranges, 'accept', claims)
  const operation = w.load(2, 20, w.equal(1, asks, w.equal(2, claims, 'reject')))
  const lengths = w.load(2, 18, w.equal(0x0604, operation, 'reject'))
  const kind = w.load(4, 14, w.equal(0x00010800, lengths, 'reject'))
  w.untagged(kind)
  return w.finish()
}

/**
 * A packet filter for EtherType IPv6 that passes, without a VLAN tag: neighbour solicitations and advertisements whose target
 * is one of `addresses`. With many scattered addresses it passes some more, never less.
 */
export function ndpFilter(addresses: readonly AddressBytes[]): readonly BpfInstruction[] {
  if (addresses.length === 0) return rejectAll
  const lastWords = toRanges(addresses.map(address => word(address, 12)))
  if (lastWords.length <= MAX_NDP_RANGES) {
    const exact = ndpProgram(w => searchTargets(w, addresses, 0))
    if (exact.length <= MAX_INSTRUCTIONS) return exact
  }
  // The last word alone tells targets apart nearly as well, unless someone chooses addresses to collide.
  const ranges = mergeNearest(lastWords, MAX_NDP_RANGES)
  return ndpProgram(w => searchRanges(w, TARGET + 12, ranges, 'accept', 'reject'))
}

/** Where the target of a neighbour message begins: 14 bytes Ethernet, 40 bytes IPv6, 8 bytes ICMPv6. */
const TARGET = 62

function ndpProgram(searchTarget: (w: BpfWriter) => number): readonly BpfInstruction[] {
  const w = new BpfWriter()
  const target = searchTarget(w)
  const advertisement = w.equal(ndpTypes.advertisement, target, 'reject')
  const type = w.load(1, 54, w.equal(ndpTypes.solicitation, target, advertisement))
  const nextHeader = w.load(1, 20, w.equal(ICMPV6, type, 'reject'))
  w.untagged(nextHeader)
  return w.finish()
}

/** The words of the target from `index` on, one after the other: by equality, and the last one by ranges. */
function searchTargets(w: BpfWriter, addresses: readonly AddressBytes[], index: number): number {
  const offset = TARGET + 4 * index
  if (index === 3) {
    return searchRanges(w, offset, toRanges(addresses.map(address => word(address, 12))), 'accept', 'reject')
  }
  const byWord = new Map<number, AddressBytes[]>()
  for (const address of addresses) {
    const value = word(address, 4 * index)
    const members = byWord.get(value)
    if (members) members.push(address)
    else byWord.set(value, [address])
  }
  const groups = [...byWord].sort(([a], [b]) => a - b)
  const search = (from: number, to: number): number => {
    const middle = (from + to) >>> 1
    const [value, members] = groups[middle] as [number, AddressBytes[]]
    if (to - from === 1) return w.equal(value, searchTargets(w, members, index + 1), 'reject')
    const above = search(middle, to)
    const below = search(from, middle)
    return w.atLeast(value, above, below)
  }
  const found = search(0, groups.length)
  return w.load(4, offset, found)
}

const rejectAll: readonly BpfInstruction[] = [{ code: 0x06, jt: 0, jf: 0, k: 0 }]
