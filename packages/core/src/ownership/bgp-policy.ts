import type { Family } from '../address.ts'
import { compareCommunities } from '../config/community.ts'
import type { BgpAd, LabelMap, Pool } from '../config/config.ts'
import { localPrefConflict } from '../config/conflict.ts'
import { matchesAny } from '../config/selector.ts'
import type { PeerRoute } from '../speaker/announcer.ts'
import type { PeerSet } from './peer-set.ts'
import type { Because } from './verdict.ts'

const byPeer = (a: PeerRoute, b: PeerRoute): number => (a.peer < b.peer ? -1 : a.peer > b.peer ? 1 : 0)

function mergeTwo(a: PeerRoute, b: PeerRoute): PeerRoute {
  return {
    peer: a.peer,
    localPref: Math.max(a.localPref, b.localPref),
    communities: [...new Set([...a.communities, ...b.communities])].sort(compareCommunities),
  }
}

/**
 * What several advertisements tell each peer of one prefix, by peer: all their communities, and the highest
 * local preference. Advertisements of one Service never differ in that (`conflictingAdvertisements`), those of
 * Services that share a prefix may.
 */
export function mergePeerRoutes(lists: Iterable<readonly PeerRoute[]>): readonly PeerRoute[] {
  const merged = new Map<string, PeerRoute>()
  for (const list of lists) {
    for (const route of list) {
      const known = merged.get(route.peer)
      merged.set(route.peer, known ? mergeTwo(known, route) : route)
    }
  }
  return [...merged.values()].sort(byPeer)
}

/** What a policy makes of a node. */
interface Outcome {
  /** Why the advertisements keep the node silent; undefined: they do not. */
  readonly because: Because | undefined
  /** What is told to whom, by family and prefix length; nothing where no peer is to be told. */
  readonly offers: ReadonlyMap<number, readonly PeerRoute[]>
}

const noOffers: Outcome['offers'] = new Map()
const offerKey = (family: Family, length: number): number => family * 1000 + length

const lengthOf = (ad: BgpAd, family: Family): number =>
  family === 4 ? ad.aggregationLength : ad.aggregationLengthV6

/**
 * What the BGP advertisements of a pool mean for the Services of one kind: those that the same ones of them
 * match. Remembers its answers by the identity of a node's labels.
 */
export class BgpPolicy {
  readonly #ads: readonly BgpAd[]
  readonly #matching: readonly BgpAd[]
  readonly #pool: Pick<Pool, 'ranges'>
  readonly #peers: PeerSet
  readonly #outcomes = new WeakMap<LabelMap, Outcome>()

  /**
   * @param ads all advertisements of the pool
   * @param matching those that match the Services
   */
  constructor(ads: readonly BgpAd[], matching: readonly BgpAd[], pool: Pick<Pool, 'ranges'>, peers: PeerSet) {
    this.#ads = ads
    this.#matching = matching
    this.#pool = pool
    this.#peers = peers
  }

  /** The prefix lengths with which addresses of a family are announced, each once. */
  lengths(family: Family): readonly number[] {
    return [...new Set(this.#matching.map(ad => lengthOf(ad, family)))]
  }

  /** Why the advertisements themselves keep a node with these labels silent; undefined: they do not. */
  obstacle(labels: LabelMap | undefined): Because | undefined {
    return labels ? this.#on(labels).because : 'notOwner'
  }

  /** What a node with these labels tells of a prefix of this length, by peer; undefined: nobody is told. */
  offer(labels: LabelMap | undefined, family: Family, length: number): readonly PeerRoute[] | undefined {
    return labels && this.#on(labels).offers.get(offerKey(family, length))
  }

  #on(labels: LabelMap): Outcome {
    let outcome = this.#outcomes.get(labels)
    if (!outcome) {
      outcome = this.#look(labels)
      this.#outcomes.set(labels, outcome)
    }
    return outcome
  }

  #look(labels: LabelMap): Outcome {
    const includes = ({ nodeSelectors }: BgpAd): boolean => matchesAny(nodeSelectors, labels)
    if (!this.#ads.some(includes)) return { because: 'notOwner', offers: noOffers }
    const ads = this.#matching.filter(includes)
    if (ads.length === 0) return { because: 'noMatchingAdvertisement', offers: noOffers }
    const conflict = ads.some((ad, i) =>
      ads.slice(0, i).some(other => localPrefConflict(ad, other, this.#pool, false)),
    )
    if (conflict) return { because: 'conflictingAdvertisements', offers: noOffers }
    return { because: undefined, offers: this.#offers(ads, labels) }
  }

  #offers(ads: readonly BgpAd[], labels: LabelMap): Outcome['offers'] {
    const told = new Map<number, (readonly PeerRoute[])[]>()
    for (const ad of ads) {
      const { localPref, communities } = ad
      for (const family of [4, 6] as const) {
        const routes = this.#peers
          .on(labels)
          .filter(({ name, families }) => families.includes(family) && isTold(ad, name))
          .map(({ name }) => ({ peer: name, localPref, communities }))
        if (routes.length === 0) continue
        const key = offerKey(family, lengthOf(ad, family))
        const others = told.get(key)
        if (others) others.push(routes)
        else told.set(key, [routes])
      }
    }
    return new Map([...told].map(([key, lists]) => [key, mergePeerRoutes(lists)]))
  }
}

const isTold = ({ peers }: BgpAd, peer: string): boolean => peers.length === 0 || peers.includes(peer)
