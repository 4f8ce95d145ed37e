import type { Advertisement, PeerRoute } from '../speaker/announcer.ts'
import { type BgpClaim, bgpObstacle, canServeFrom, type Route } from './bgp.ts'
import { type BgpPolicy, mergePeerRoutes } from './bgp-policy.ts'
import type { NodeFacts } from './cluster.ts'
import { patchSorted, placeOf } from './sorted-list.ts'

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

const itself = (key: string): string => key

/** What a node announces of a prefix, and how it came to that. */
interface Answer {
  readonly advertisement: BgpAdvertisement | undefined
  /** How many Services of each policy it is announced for. */
  readonly speaking: ReadonlyMap<BgpPolicy, number>
}

/** The plan that another one came from, and the claims that it changed: before, and now. */
interface Origin {
  readonly plan: RoutePlan
  readonly changes: ReadonlyMap<string, readonly [before: BgpClaim | undefined, after: BgpClaim | undefined]>
}

/** Beyond so many changes all Services are looked at anew. */
const fewChanges = 64

/** A prefix, and the Services that it is announced for wherever each of them may be. Replaced, never changed. */
export class RoutePlan {
  readonly #route: Route
  /** By key. */
  readonly #sources: readonly RouteSource[]
  /** What nodes announce of it, where finding out takes a look at several Services. */
  readonly #known = new WeakMap<NodeFacts, Answer>()
  /** An aggregate of thousands of Services changes by one at a time. */
  #origin: Origin | undefined

  private constructor(route: Route, sources: readonly RouteSource[], origin: Origin | undefined) {
    this.#route = route
    this.#sources = sources
    this.#origin = origin
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
    return sources.length === 0 ? undefined : new RoutePlan(route, sources, RoutePlan.#from(before, claims))
  }

  static #from(
    plan: RoutePlan | undefined,
    claims: ReadonlyMap<string, BgpClaim | undefined>,
  ): Origin | undefined {
    if (!plan || claims.size > fewChanges) return undefined
    // It is not gone back any further.
    plan.#origin = undefined
    const changes = [...claims].map(([key, claim]) => [key, [plan.#claimOf(key), claim]] as const)
    return { plan, changes: new Map(changes) }
  }

  #claimOf(key: string): BgpClaim | undefined {
    const there = this.#sources[placeOf(this.#sources, keyOf, key)]
    return there?.key === key ? there.claim : undefined
  }

  get prefix(): string {
    return this.#route.prefix
  }

  /** What a node announces of it; undefined: nothing. Gives `before` when that says the same. */
  on(facts: NodeFacts, before?: BgpAdvertisement): BgpAdvertisement | undefined {
    let answer = this.#known.get(facts)
    if (!answer) {
      answer = this.#amend(facts) ?? this.#look(facts)
      if (this.#sources.length > 1) this.#known.set(facts, answer)
    }
    return keep(before, answer.advertisement)
  }

  #look(facts: NodeFacts): Answer {
    // An aggregate has many Services and few policies, so these are asked once.
    const offers = new Map<BgpPolicy, boolean>()
    const services: string[] = []
    const speaking = new Map<BgpPolicy, number>()
    for (const { key, claim } of this.#sources) {
      const { policy } = claim
      let offered = offers.get(policy)
      if (offered === undefined) {
        offered = this.#offer(policy, facts) !== undefined
        offers.set(policy, offered)
      }
      if (!offered || !canServeFrom(claim, facts)) continue
      services.push(key)
      speaking.set(policy, (speaking.get(policy) ?? 0) + 1)
    }
    return this.#answer(facts, services, speaking)
  }

  /** The answer of the plan that this one came from, with the Services looked at that have changed; undefined where there is none. */
  #amend(facts: NodeFacts): Answer | undefined {
    const origin = this.#origin
    if (!origin) return undefined
    const known = origin.plan.#known.get(facts)
    if (!known) return undefined
    const speaking = new Map(known.speaking)
    const changes = new Map<string, string | undefined>()
    const count = (claim: BgpClaim | undefined, step: 1 | -1): boolean => {
      if (!claim || !canServeFrom(claim, facts) || !this.#offer(claim.policy, facts)) return false
      const sum = (speaking.get(claim.policy) ?? 0) + step
      if (sum === 0) speaking.delete(claim.policy)
      else speaking.set(claim.policy, sum)
      return true
    }
    for (const [key, [before, after]] of origin.changes) {
      const spoke = count(before, -1)
      const speaks = count(after, 1)
      if (spoke !== speaks) changes.set(key, speaks ? key : undefined)
    }
    const { services = [] } = known.advertisement ?? {}
    const amended = changes.size === 0 ? services : patchSorted(services, itself, changes)
    return this.#answer(facts, amended, speaking)
  }

  #answer(facts: NodeFacts, services: readonly string[], speaking: ReadonlyMap<BgpPolicy, number>): Answer {
    const said = new Set([...speaking.keys()].flatMap(policy => [this.#offer(policy, facts) ?? []]))
    const [first] = said
    if (!first) return { advertisement: undefined, speaking }
    const peers = said.size === 1 ? first : mergePeerRoutes(said)
    return { advertisement: { address: this.prefix, services, options: { peers } }, speaking }
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
