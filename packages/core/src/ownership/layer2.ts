import type { Config, L2Ad, Pool } from '../config/config.ts'
import { matchesAny } from '../config/selector.ts'
import type { Service } from '../resources/index.ts'
import type { NodeFacts } from './cluster.ts'
import { Reach, totalScore } from './electorate.ts'
import type { Endpoints } from './endpoints.ts'
import type { Gate } from './gate.ts'
import type { Because } from './verdict.ts'

/** Names of interfaces, sorted, or all that the node has. */
export type Interfaces = 'all' | readonly string[]

/** A layer 2 advertisement with what is remembered about it. */
export interface Layer2Ad {
  readonly ad: L2Ad
  readonly reach: Reach
}

/** What layer 2 makes of a Service, before any node is looked at. */
export interface Layer2Claim {
  /** The advertisements of the pool that match the Service. */
  readonly ads: readonly Layer2Ad[]
  /** Why no node at all speaks for it; undefined: an election is held. */
  readonly refused: Because | undefined
  /** The only nodes that may speak (externalTrafficPolicy Local); undefined: no such restriction. */
  readonly locals: ReadonlySet<string> | undefined
  /** The address that the election is about: the first one, also for a pair. */
  readonly first: string
}

function adText(ad: L2Ad): string {
  const selectors = ad.serviceSelectors.map(selector => selector.text)
  return JSON.stringify([ad.name, Reach.textOf(ad), selectors, ad.interfaces])
}

/**
 * The layer 2 advertisements of each pool; what says the same keeps its identity from one configuration to
 * the next.
 */
export class Layer2Pools {
  #config: Config | undefined
  #pools: ReadonlyMap<string, readonly Layer2Ad[]> = new Map()
  #ads: ReadonlyMap<string, Layer2Ad> = new Map()

  /** Takes in a newer configuration and names the pools that are new, gone, or advertised differently. */
  update(config: Config, changed: (pool: string) => void): void {
    if (config === this.#config) return
    const ads = new Map<string, Layer2Ad>()
    const reaches = new Map([...this.#ads.values()].map(({ reach }) => [reach.text, reach]))
    const compile = (ad: L2Ad): Layer2Ad => {
      const text = adText(ad)
      let compiled = ads.get(text) ?? this.#ads.get(text)
      if (!compiled) {
        const reach = reaches.get(Reach.textOf(ad)) ?? new Reach(ad)
        reaches.set(reach.text, reach)
        compiled = { ad, reach }
      }
      ads.set(text, compiled)
      return compiled
    }
    const pools = new Map<string, readonly Layer2Ad[]>()
    for (const pool of config.pools) pools.set(pool.name, this.#compile(pool, compile, changed))
    for (const name of this.#pools.keys()) if (!pools.has(name)) changed(name)
    this.#config = config
    this.#pools = pools
    this.#ads = ads
  }

  #compile(
    pool: Pool,
    compile: (ad: L2Ad) => Layer2Ad,
    changed: (pool: string) => void,
  ): readonly Layer2Ad[] {
    const before = this.#pools.get(pool.name)
    const after = pool.l2Advertisements.map(compile)
    if (before?.length === after.length && before.every((ad, i) => ad === after[i])) return before
    changed(pool.name)
    return after
  }

  /** Undefined: there is no such pool. */
  of(pool: string): readonly Layer2Ad[] | undefined {
    return this.#pools.get(pool)
  }
}

const sharingAnnotations = ['metallb.io/allow-shared-ip', 'metallb.universe.tf/allow-shared-ip']

/** Whether the Service carries the sharing annotation, with whatever value. */
function mayShare({ metadata }: Service): boolean {
  return sharingAnnotations.some(name => Object.hasOwn(metadata.annotations, name))
}

/** The gates of layer 2 that concern the Service as a whole, in MetalLB's order. */
export function layer2Claim(
  service: Service,
  first: string,
  poolAds: readonly Layer2Ad[],
  endpoints: Endpoints,
): Layer2Claim {
  const matches = ({ ad }: Layer2Ad): boolean => matchesAny(ad.serviceSelectors, service.metadata.labels)
  const ads = poolAds.every(matches) ? poolAds : poolAds.filter(matches)
  let refused: Because | undefined
  if (!endpoints.serving) refused = 'noEndpoints'
  else if (mayShare(service) && ads.some(({ ad }) => ad.serviceSelectors.length > 0)) {
    refused = 'sharedIPWithServiceSelector'
  } else if (ads.length === 0) refused = 'noMatchingAdvertisement'
  const local = service.spec.externalTrafficPolicy === 'Local'
  return { ads, refused, locals: local ? endpoints.nodes : undefined, first }
}

/** Whether two claims lead to the same everywhere. */
export function sameClaim(a: Layer2Claim | undefined, b: Layer2Claim | undefined): boolean {
  if (a === b) return true
  if (!a || !b || a.refused !== b.refused || a.first !== b.first || a.ads.length !== b.ads.length)
    return false
  if (!a.ads.every((ad, i) => ad === b.ads[i]) || a.locals?.size !== b.locals?.size) return false
  for (const name of a.locals ?? []) if (!b.locals?.has(name)) return false
  return true
}

/**
 * The gates of layer 2 in the order in which they are asked: the first that a node does not pass is the
 * reason.
 */
export const layer2Gates: readonly Gate<Layer2Claim>[] = [
  { because: 'notAlive', passes: (_, { alive }) => alive },
  { because: 'heldDown', passes: (_, { held }) => !held },
  { because: 'noEndpoints', passes: ({ refused }) => refused !== 'noEndpoints' },
  {
    because: 'sharedIPWithServiceSelector',
    passes: ({ refused }) => refused !== 'sharedIPWithServiceSelector',
  },
  {
    because: 'noMatchingAdvertisement',
    passes: ({ ads }, { labels }) => ads.some(({ reach }) => reach.score(labels) !== undefined),
  },
  { because: 'nodeNetworkUnavailable', passes: (_, { networkUnavailable }) => !networkUnavailable },
  { because: 'nodeLabeledExcludeBalancers', passes: (_, { excluded }) => !excluded },
  { because: 'noLocalEndpoints', passes: ({ locals }, { name }) => locals === undefined || locals.has(name) },
]

/** Why this node cannot be elected for the claim; undefined: it is a candidate. */
export function layer2Obstacle(claim: Layer2Claim, facts: NodeFacts): Because | undefined {
  return layer2Gates.find(gate => !gate.passes(claim, facts))?.because
}

/** The score of a node in the election for the claim. */
export function layer2Score({ ads }: Layer2Claim, { labels }: NodeFacts): number {
  return (
    totalScore(
      ads.map(({ reach }) => reach),
      labels,
    ) ?? 0
  )
}

/**
 * Where the node may speak: what the advertisements that match the Service and include the node name, taken
 * together.
 */
export function layer2Interfaces(claims: readonly Layer2Claim[], { labels }: NodeFacts): Interfaces {
  const names = new Set<string>()
  for (const { ads } of claims) {
    for (const { ad, reach } of ads) {
      if (reach.score(labels) === undefined) continue
      if (ad.interfaces.length === 0) return 'all'
      for (const name of ad.interfaces) names.add(name)
    }
  }
  return [...names].sort()
}
