/** A community as numbers: a plain one (RFC 1997) as its 32-bit value, a large one (RFC 8092) as three of them. */
type Numbers = readonly [number] | readonly [number, number, number]

/**
 * Names of the well-known communities, by the IANA registry "BGP Well-known Communities", and `local-as`, which is what
 * routers call `no-export-subconfed`. They can be used in a BGPAdvertisement unless a Community object defines the name
 * otherwise.
 */
export const wellKnownCommunities: ReadonlyMap<string, string> = new Map([
  ['graceful-shutdown', '65535:0'],
  ['accept-own', '65535:1'],
  ['route-filter-translated-v4', '65535:2'],
  ['route-filter-v4', '65535:3'],
  ['route-filter-translated-v6', '65535:4'],
  ['route-filter-v6', '65535:5'],
  ['llgr-stale', '65535:6'],
  ['no-llgr', '65535:7'],
  ['accept-own-nexthop', '65535:8'],
  ['standby-pe', '65535:9'],
  ['blackhole', '65535:666'],
  ['no-export', '65535:65281'],
  ['no-advertise', '65535:65282'],
  ['no-export-subconfed', '65535:65283'],
  ['local-as', '65535:65283'],
  ['no-peer', '65535:65284'],
])

function part(text: string, max: number): number | undefined {
  if (!/^\d{1,20}$/.test(text)) return undefined
  const value = Number(text)
  return value <= max ? value : undefined
}

function numbersOf(text: string): Numbers | undefined {
  const parts = text.split(':')
  if (parts.length === 2) {
    const [high, low] = parts.map(p => part(p, 0xffff)) as [number | undefined, number | undefined]
    return high === undefined || low === undefined ? undefined : [high * 0x10000 + low]
  }
  if (parts.length !== 4 || parts[0] !== 'large') return undefined
  const [a, b, c] = parts.slice(1).map(p => part(p, 0xffffffff))
  return a === undefined || b === undefined || c === undefined ? undefined : [a, b, c]
}

/**
 * The canonical text of a community: `65000:1` or `large:65000:1:2`, without leading zeros. Undefined when the text is
 * neither.
 */
export function canonicalCommunity(text: string): string | undefined {
  const numbers = numbersOf(text)
  if (!numbers) return undefined
  const [first] = numbers
  return numbers.length === 1 ? `${first >>> 16}:${first & 0xffff}` : `large:${numbers.join(':')}`
}

/** Numeric order of canonical texts; a plain community counts as (its 32-bit value, 0, 0). */
export function compareCommunities(a: string, b: string): number {
  const one = numbersOf(a) ?? []
  const other = numbersOf(b) ?? []
  for (let i = 0; i < 3; i++) {
    const difference = (one[i] ?? 0) - (other[i] ?? 0)
    if (difference !== 0) return difference
  }
  return one.length - other.length
}
