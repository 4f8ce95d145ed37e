import type { Cluster, NodeFacts } from './cluster.ts'
import type { BgpAdvertisement, RoutePlan } from './route-plan.ts'
import { patchSorted, placeOf } from './sorted-list.ts'

interface RouteList {
  readonly facts: NodeFacts
  readonly list: readonly BgpAdvertisement[]
}

const addressOf = ({ address }: BgpAdvertisement): string => address

type Routes = ReadonlyMap<string, RoutePlan>

const none: readonly BgpAdvertisement[] = []

/** The list of a node computed anew, in which what says the same as before is the same object, up to the whole of it. */
function listOf(facts: NodeFacts, routes: Routes, before: readonly BgpAdvertisement[]): RouteList {
  const known = new Map(before.map(one => [one.address, one]))
  const list: BgpAdvertisement[] = []
  for (const route of routes.values()) {
    const one = route.on(facts, known.get(route.prefix))
    if (one) list.push(one)
  }
  list.sort((a, b) => (a.address < b.address ? -1 : 1))
  const same = list.length === before.length && list.every((one, i) => one === before[i])
  return { facts, list: same ? before : list }
}

/** What each node tells its BGP peers, sorted by prefix: computed when asked for, then kept up to date. */
export class RouteLists {
  readonly #lists: Map<string, RouteList>

  constructor(lists: Map<string, RouteList> = new Map()) {
    this.#lists = lists
  }

  /**
   * The lists after the plans of some prefixes are others, and the cluster is this one; what is as before keeps
   * its identity.
   */
  with(touched: Iterable<string>, routes: Routes, cluster: Cluster): RouteLists {
    if (this.#lists.size === 0) return this
    const prefixes = [...touched]
    const lists = new Map<string, RouteList>()
    let same = true
    for (const [node, before] of this.#lists) {
      const facts = cluster.get(node)
      const after =
        facts &&
        (facts === before.facts ? patchList(before, prefixes, routes) : listOf(facts, routes, before.list))
      if (after) lists.set(node, after)
      if (after !== before) same = false
    }
    return same ? this : new RouteLists(lists)
  }

  /** @param routes the routes that these lists belong to */
  of(node: string, routes: Routes, cluster: Cluster): readonly BgpAdvertisement[] {
    const facts = cluster.get(node)
    if (!facts) return none
    let known = this.#lists.get(node)
    if (!known) {
      known = listOf(facts, routes, none)
      this.#lists.set(node, known)
    }
    return known.list
  }
}

function patchList(before: RouteList, prefixes: readonly string[], routes: Routes): RouteList {
  const { facts, list } = before
  const changes = new Map<string, BgpAdvertisement | undefined>()
  for (const prefix of prefixes) {
    const there = list[placeOf(list, addressOf, prefix)]
    const old = there?.address === prefix ? there : undefined
    const route = routes.get(prefix)
    const now = route?.on(facts, old)
    if (now !== old) changes.set(prefix, now)
  }
  return changes.size === 0 ? before : { facts, list: patchSorted(list, addressOf, changes) }
}
