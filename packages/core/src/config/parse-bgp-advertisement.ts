import type { Family } from '../address.ts'
import type { BGPAdvertisement } from '../resources/index.ts'
import { canonicalCommunity, compareCommunities, wellKnownCommunities } from './community.ts'
import type { BgpAd, Cidr } from './config.ts'
import { missing } from './missing.ts'
import type { PlainPool } from './parse-pools.ts'
import { type CompiledSelector, compileSelectors } from './selector.ts'
import { refuseDuplicates, type Spot } from './spot.ts'

/** More do not fit beside the other attributes of an update that every peer takes; MetalLB draws the same line. */
const maxCommunities = 63

/** What an advertisement may refer to. */
export interface BgpAdvertisementReferences {
  /** Communities by the name that a Community object gives them; undefined for one whose value is no community. */
  readonly aliases: ReadonlyMap<string, string | undefined>
  /** True when a Community object exists that could not be read, so that an unknown name may be in there. */
  readonly aliasesIncomplete: boolean
  readonly peerNames: ReadonlySet<string>
  /** True for an object that exists and could not be read: nothing is said about references to it. */
  isUnreadable(kind: string, name: string): boolean
}

/** An advertisement whose node selectors can be compared with those of another. */
export type ComparableBgpAd = BgpAd & { readonly nodeSelectors: readonly CompiledSelector[] }

function parseCommunities(
  texts: readonly string[],
  { aliases, aliasesIncomplete }: BgpAdvertisementReferences,
  spot: Spot,
): readonly string[] {
  refuseDuplicates(texts, spot)
  const communities = new Set<string>()
  for (const [i, text] of texts.entries()) {
    const value = aliases.get(text) ?? canonicalCommunity(text) ?? wellKnownCommunities.get(text)
    if (value !== undefined) communities.add(value)
    else if (aliases.has(text)) continue
    else if (text.includes(':')) {
      spot
        .at(i)
        .error(`"${text}" is not a community: write 65000:1 (two numbers up to 65535) or large:65000:1:2`)
    } else if (!aliasesIncomplete) {
      spot
        .at(i)
        .error(
          `${missing('community', text, [...aliases.keys(), ...wellKnownCommunities.keys()])}: define it in a Community object, or write the value, such as 65000:1 or large:65000:1:2`,
        )
    }
  }
  if (communities.size > maxCommunities) {
    spot.error(`has ${communities.size} communities: a route can carry ${maxCommunities}`)
  }
  return [...communities].sort(compareCommunities)
}

/** Reads a BGP advertisement; which pools it selects is read apart (`selectPools`). */
export function parseBgpAdvertisement(
  { metadata, spec }: BGPAdvertisement,
  references: BgpAdvertisementReferences,
  spot: Spot,
): ComparableBgpAd {
  const { aggregationLength, aggregationLengthV6, localPref = 0, peers = [] } = spec
  const checkLength = (
    field: 'aggregationLength' | 'aggregationLengthV6',
    min: number,
    max: number,
  ): void => {
    const length = spec[field]
    if (!(Number.isInteger(length) && length >= min && length <= max)) {
      spot.at(field).error(`${length} is no prefix length here: it must be from ${min} to ${max}`)
    }
  }
  checkLength('aggregationLength', 1, 32)
  checkLength('aggregationLengthV6', 0, 128)
  if (spec.serviceSelectors?.length && (aggregationLength !== 32 || aggregationLengthV6 !== 128)) {
    spot
      .at('serviceSelectors')
      .error(
        'needs aggregationLength 32 and aggregationLengthV6 128, because a wider prefix carries other Services too: remove the lengths, or the selectors',
      )
  }
  if (!(Number.isInteger(localPref) && localPref >= 0 && localPref <= 0xffffffff)) {
    spot.at('localPref').error(`${localPref} is no local preference: it must be from 0 to 4294967295`)
  }
  refuseDuplicates(peers, spot.at('peers'))
  for (const [i, peer] of peers.entries()) {
    if (!references.peerNames.has(peer) && !references.isUnreadable('BGPPeer', peer)) {
      spot
        .at('peers')
        .at(i)
        .warning(`${missing('BGPPeer', peer, references.peerNames)}: create it, or remove the name`)
    }
  }
  return {
    name: metadata.name,
    nodeSelectors: compileSelectors(spec.nodeSelectors, spot.at('nodeSelectors')),
    serviceSelectors: compileSelectors(spec.serviceSelectors, spot.at('serviceSelectors')),
    aggregationLength,
    aggregationLengthV6,
    localPref,
    communities: parseCommunities(spec.communities ?? [], references, spot.at('communities')),
    peers: [...peers],
  }
}

/** Of one family: the entry of a pool whose widest block is the narrowest, and how wide the blocks of all entries are. */
interface Blocks {
  readonly text: string
  readonly narrowest: number
  /** Prefix length of the widest block, for each entry. */
  readonly widest: readonly number[]
}

/** What bounds the aggregates of a pool, for either family of which it has addresses. */
export type PoolBlocks = ReadonlyMap<Family, Blocks>

/** Finds what bounds the aggregates of a pool. */
export function blocksOf(pool: PlainPool): PoolBlocks {
  const found = new Map<Family, { text: string; narrowest: number; widest: number[] }>()
  for (const { text, cidrs } of pool.entries) {
    const { family } = cidrs[0] as Cidr
    const width = Math.min(...cidrs.map(cidr => cidr.prefixLength))
    const blocks = found.get(family)
    if (!blocks) found.set(family, { text, narrowest: width, widest: [width] })
    else {
      blocks.widest.push(width)
      if (width > blocks.narrowest) Object.assign(blocks, { text, narrowest: width })
    }
  }
  return found
}

/**
 * Refuses an aggregate that is wider than the widest block of an address entry, as it would announce addresses that are
 * not the pool's. Of several such entries in a pool the narrowest is named.
 */
export function refuseWideAggregates(ad: BgpAd, pool: string, blocks: PoolBlocks, spot: Spot): void {
  for (const [family, { text, narrowest, widest }] of blocks) {
    const field = family === 4 ? 'aggregationLength' : 'aggregationLengthV6'
    const length = ad[field]
    if (length >= narrowest) continue
    const others = widest.filter(width => length < width).length - 1
    const more = others > 0 ? ` (and than ${others} more of its entries)` : ''
    spot
      .at(field)
      .error(
        `/${length} is wider than ${text} in IPAddressPool "${pool}", whose widest block is a /${narrowest}${more}: use ${narrowest} or more`,
      )
  }
}
