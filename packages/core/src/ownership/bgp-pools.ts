import type { BgpAd, Config, LabelMap, Pool } from '../config/config.ts'
import { matchesAny } from '../config/selector.ts'
import { BgpPolicy } from './bgp-policy.ts'
import { PeerSet } from './peer-set.ts'

const texts = (selectors: readonly { readonly text: string }[]): readonly string[] =>
  selectors.map(({ text }) => text)

function textOf({ ranges, bgpAdvertisements }: Pool, peers: PeerSet): string {
  const ads = bgpAdvertisements.map(ad => [
    ad.name,
    texts(ad.nodeSelectors),
    texts(ad.serviceSelectors),
    ad.aggregationLength,
    ad.aggregationLengthV6,
    ad.localPref,
    ad.communities,
    ad.peers,
  ])
  return JSON.stringify([[...new Set(ranges.map(({ family }) => family))], ads, peers.text])
}

/** The BGP advertisements of one pool. */
export class BgpPool {
  /** Pools with equal text announce alike. */
  readonly text: string
  readonly #pool: Pool
  readonly #peers: PeerSet
  readonly #policies = new Map<string, BgpPolicy>()

  constructor(pool: Pool, peers: PeerSet, text: string) {
    this.text = text
    this.#pool = pool
    this.#peers = peers
  }

  /** The policy for Services with these labels; the same object for all that the same advertisements match. */
  policyFor(labels: LabelMap): BgpPolicy {
    const ads = this.#pool.bgpAdvertisements
    const matches = ({ serviceSelectors }: BgpAd): boolean => matchesAny(serviceSelectors, labels)
    const key = ads.map(ad => (matches(ad) ? '+' : '-')).join('')
    let policy = this.#policies.get(key)
    if (!policy) {
      policy = new BgpPolicy(ads, ads.filter(matches), this.#pool, this.#peers)
      this.#policies.set(key, policy)
    }
    return policy
  }
}

/**
 * The pools that BGP advertisements select; what announces alike keeps its identity from one configuration to
 * the next.
 */
export class BgpPools {
  #config: Config | undefined
  #peers: PeerSet = new PeerSet([])
  #pools: ReadonlyMap<string, BgpPool> = new Map()

  /** Takes in a newer configuration and names the pools that are announced differently. */
  update(config: Config, changed: (pool: string) => void): void {
    if (config === this.#config) return
    this.#config = config
    if (PeerSet.textOf(config.peers) !== this.#peers.text) this.#peers = new PeerSet(config.peers)
    const pools = new Map<string, BgpPool>()
    for (const pool of config.pools) {
      if (pool.bgpAdvertisements.length === 0) continue
      const before = this.#pools.get(pool.name)
      const text = textOf(pool, this.#peers)
      if (before?.text === text) pools.set(pool.name, before)
      else {
        pools.set(pool.name, new BgpPool(pool, this.#peers, text))
        changed(pool.name)
      }
    }
    for (const name of this.#pools.keys()) if (!pools.has(name)) changed(name)
    this.#pools = pools
  }

  /** Undefined: no BGP advertisement selects the pool, or there is no such pool. */
  of(pool: string): BgpPool | undefined {
    return this.#pools.get(pool)
  }
}
