import type { Advertisement, PeerRoute } from '../speaker/announcer.ts'
import { type BgpClaim, bgpObstacle, canServeFrom, type Route } from './bgp.ts'
import { type BgpPolicy, mergePeerRoutes } from './bgp-policy.ts'
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
    // An aggregate has many Services and few policies, so these are asked once.
    const offers = new Map<BgpPolicy, readonly PeerRoute[] | undefined>()
    const services: string[] = []
    const said = new Set<readonly PeerRoute[]>()
    for (const { key, claim } of this.#sources) {
      if (!offers.has(claim.policy)) offers.set(claim.policy, this.#offer(claim.policy, facts))
      const offer = offers.get(claim.policy)
      if (!offer || !canServeFrom(claim, facts)) continue
      services.push(key)
      said.add(offer)
    }
    const [first] = said
    if (!first) return undefined
    return {
      address: this.prefix,
      services,
      options: { peers: said.size === 1 ? first : mergePeerRoutes(said) },
    }
  }

  /** What the node tells its peers for Services of this policy that can be served; undefined: nothing. */
  #offer(policy: BgpPolicy, facts: NodeFacts): readonly PeerRoute[] | undefined {
    const { family, length } = this.#route
    const served: BgpClaim = { policy, serving: true, locals: undefined, routes: [this.#route] }
    return bgpObstacle(served, facts) ? undefined : policy.offer(facts.labels, family, length)
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
