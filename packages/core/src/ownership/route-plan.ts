import type { Advertisement, PeerRoute } from '../speaker/announcer.ts'
import { type BgpClaim, bgpObstacle, type Route } from './bgp.ts'
import { mergePeerRoutes } from './bgp-policy.ts'
import type { NodeFacts } from './cluster.ts'
import { patchSorted } from './sorted-list.ts'

/** An advertisement for announcers that speak to routers; `address` is a prefix, such as `192.168.1.240/32`. */
export interface BgpAdvertisement extends Advertisement {
  readonly options: { readonly peers: readonly PeerRoute[] }
}

/** A Service on whose behalf a prefix is announced. */
interface RouteSource {
  readonly key: string
  readonly claim: BgpClaim
}

const keyOf = ({ key }: RouteSource): string => key

/** A prefix, and the Services that it is announced for wherever each of them may be. Replaced, never changed. */
export class RoutePlan {
  readonly #route: Route
  /** By key. */
  readonly #sources: readonly RouteSource[]
  /** What nodes announce of it (null: nothing), where finding out takes a look at several Services. */
  readonly #known = new WeakMap<NodeFacts, BgpAdvertisement | null>()

  private constructor(route: Route, sources: readonly RouteSource[]) {
    this.#route = route
    this.#sources = sources
  }

  /** The plan after the claims of some Services, by key, are others or gone; undefined when none is left. */
  static change(
    before: RoutePlan | undefined,
    route: Route,
    claims: ReadonlyMap<string, BgpClaim | undefined>,
  ): RoutePlan | undefined {
    const changes = new Map<string, RouteSource | undefined>()
    for (const [key, claim] of claims) changes.set(key, claim && { key, claim })
    const sources = patchSorted(before ? before.#sources : [], keyOf, changes)
    return sources.length === 0 ? undefined : new RoutePlan(route, sources)
  }

  get prefix(): string {
    return this.#route.prefix
  }

  /** What a node announces of it; undefined: nothing. Gives `before` when that says the same. */
  on(facts: NodeFacts, before?: BgpAdvertisement): BgpAdvertisement | undefined {
    const known = this.#known.get(facts)
    const after = known === undefined ? this.#look(facts) : known
    if (known === undefined && this.#sources.length > 1) this.#known.set(facts, after ?? null)
    return keep(before, after ?? undefined)
  }

  #look(facts: NodeFacts): BgpAdvertisement | undefined {
    const { prefix, family, length } = this.#route
    const services: string[] = []
    const offers = new Set<readonly PeerRoute[]>()
    for (const { key, claim } of this.#sources) {
      const offer = claim.policy.offer(facts.labels, family, length)
      if (!offer || bgpObstacle(claim, facts) !== undefined) continue
      services.push(key)
      offers.add(offer)
    }
    const [first] = offers
    if (!first) return undefined
    return {
      address: prefix,
      services,
      options: { peers: offers.size === 1 ? first : mergePeerRoutes(offers) },
    }
  }
}

function samePeers(a: readonly PeerRoute[], b: readonly PeerRoute[]): boolean {
  if (a === b) return true
  return (
    a.length === b.length &&
    a.every((one, i) => {
      const other = b[i] as PeerRoute
      return (
        one.peer === other.peer &&
        one.localPref === other.localPref &&
        sameTexts(one.communities, other.communities)
      )
    })
  )
}

const sameTexts = (a: readonly string[], b: readonly string[]): boolean =>
  a === b || (a.length === b.length && a.every((text, i) => text === b[i]))

function keep(
  before: BgpAdvertisement | undefined,
  after: BgpAdvertisement | undefined,
): BgpAdvertisement | undefined {
  if (!before || !after) return after
  const same =
    samePeers(before.options.peers, after.options.peers) && sameTexts(before.services, after.services)
  return same ? before : after
}
