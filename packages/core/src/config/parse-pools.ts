import { CarillonError } from '../errors.ts'
import type { IPAddressPool } from '../resources/index.ts'
import type { AddressEntry, AddressRange, Pool, ServiceAllocation } from './config.ts'
import { findOverlaps, joinRanges, parseAddressEntry, rangeOf } from './ranges.ts'
import { compileSelectors } from './selector.ts'
import { refuseDuplicates, type Spot } from './spot.ts'

/** A pool before it is known which advertisements select it. */
export type PlainPool = Omit<Pool, 'l2Advertisements' | 'bgpAdvertisements'>

interface PlacedEntry {
  readonly pool: string
  readonly entry: AddressEntry
  readonly range: AddressRange
  /** Order in which entries are read: pools by name, entries as in the spec. */
  readonly order: number
  readonly spot: Spot
}

function parseAllocation(
  {
    priority,
    namespaces,
    namespaceSelectors,
    serviceSelectors,
  }: NonNullable<IPAddressPool['spec']['serviceAllocation']>,
  spot: Spot,
): ServiceAllocation {
  refuseDuplicates(namespaces ?? [], spot.at('namespaces'))
  return {
    priority: priority ?? 0,
    anyNamespace: !namespaces?.length && !namespaceSelectors?.length,
    namespaces: new Set(namespaces),
    namespaceSelectors: compileSelectors(namespaceSelectors, spot.at('namespaceSelectors')),
    serviceSelectors: compileSelectors(serviceSelectors, spot.at('serviceSelectors')),
  }
}

function parseEntry(text: string, spot: Spot): AddressEntry | undefined {
  try {
    return parseAddressEntry(text)
  } catch (error) {
    if (!(error instanceof CarillonError)) throw error
    spot.error(error.message)
    return undefined
  }
}

function refuseOverlaps(entries: readonly PlacedEntry[]): void {
  for (const pair of findOverlaps(entries, ({ range }) => range)) {
    const [earlier, later] = pair[0].order < pair[1].order ? pair : [pair[1], pair[0]]
    const owner = earlier.pool === later.pool ? '' : ` of IPAddressPool "${earlier.pool}"`
    later.spot.error(
      `${later.entry.text} overlaps with ${earlier.entry.text} (${earlier.spot.field})${owner}: an address can be in one entry only`,
    )
  }
}

/** Reads pools, given in name order: addresses, overlaps among all of them, and for whom they are. */
export function parsePools(
  pools: readonly IPAddressPool[],
  spotOf: (pool: IPAddressPool) => Spot,
): readonly PlainPool[] {
  const placed: PlacedEntry[] = []
  const parsed = pools.map((resource): PlainPool => {
    const { name, labels } = resource.metadata
    const { addresses, autoAssign, avoidBuggyIPs, serviceAllocation } = resource.spec
    const spec = spotOf(resource).at('spec')
    if (addresses.length === 0)
      spec.at('addresses').error('is empty: give the pool at least one CIDR or range')
    const entries: AddressEntry[] = []
    const ranges: AddressRange[] = []
    for (const [i, text] of addresses.entries()) {
      const spot = spec.at('addresses').at(i)
      const entry = parseEntry(text, spot)
      if (!entry) continue
      const range = rangeOf(entry)
      entries.push(entry)
      ranges.push(range)
      placed.push({ pool: name, entry, range, order: placed.length, spot })
    }
    return {
      name,
      labels: { ...labels },
      entries,
      ranges: joinRanges(ranges),
      autoAssign,
      avoidBuggyIPs,
      ...(serviceAllocation && {
        serviceAllocation: parseAllocation(serviceAllocation, spec.at('serviceAllocation')),
      }),
    }
  })
  refuseOverlaps(placed)
  return parsed
}
