import type { Allocation, Assignment } from '../allocation/index.ts'
import type { Config } from '../config/config.ts'
import type { Service } from '../resources/index.ts'
import type { Snapshot } from '../source/snapshot.ts'
import { AddressLists, type Move } from './address-lists.ts'
import { type AddressPlan, planAddress, sameInterfaces } from './address-plan.ts'
import { type BgpClaim, bgpClaim, type Route, sameBgpClaim } from './bgp.ts'
import { BgpPools } from './bgp-pools.ts'
import { type Cluster, type ClusterInputs, cluster } from './cluster.ts'
import { type Contest, Contests, contestsKey } from './contests.ts'
import { difference } from './difference.ts'
import { EndpointIndex } from './endpoints.ts'
import { Hasher } from './hash/hasher.ts'
import { type Layer2Claim, Layer2Pools, layer2Claim, sameClaim } from './layer2.ts'
import { Plan, type Scene } from './plan.ts'
import { heldBy, looksSame, type ServiceRecord, sameRecord } from './record.ts'
import { RouteLists } from './route-lists.ts'
import { RoutePlan } from './route-plan.ts'
import { ShardedMap } from './sharded-map.ts'
import { serviceKey } from './verdict.ts'

/** Everything that a plan is a function of. */
export interface PlanInputs extends Omit<ClusterInputs, 'nodes'> {
  readonly snapshot: Snapshot
  readonly config: Config
  readonly allocation: Allocation
  /**
   * Who holds an address and keeps it while it is a candidate, by the first address of a Service: stickiness, which MetalLB's speakers do
   * not know. Every node has to be given the same.
   *
   * @default nobody: the election alone decides
   */
  readonly incumbents?: ReadonlyMap<string, string>
}

function sameNames(a: ReadonlySet<string> | undefined, b: ReadonlySet<string> | undefined): boolean {
  if (!a || !b) return a === b
  if (a.size !== b.size) return false
  for (const name of a) if (!b.has(name)) return false
  return true
}

/** Where the election of a Service takes place. */
interface Seat {
  readonly contests: Contests
  readonly contest: Contest
}

/** A prefix of which the Services are others, or claim other things. */
interface RouteChange {
  readonly route: Route
  readonly claims: Map<string, BgpClaim | undefined>
}

/** What `update` has found to look at again. */
class Agenda {
  readonly services = new Set<string>()
  readonly owners = new Set<string>()
  readonly addresses = new Set<string>()
  readonly elections = new Set<Contests>()
  readonly routes = new Map<string, RouteChange>()

  /** Notes what a Service claims of a prefix from now on; undefined: nothing. */
  claim(route: Route, key: string, claim: BgpClaim | undefined): void {
    let change = this.routes.get(route.prefix)
    if (!change) {
      change = { route, claims: new Map() }
      this.routes.set(route.prefix, change)
    }
    change.claims.set(key, claim)
  }
}

/** The plan for inputs that come alone. */
export function plan(inputs: PlanInputs): Plan {
  return new Planner().update(inputs)
}

/**
 * Computes plans, one after the other, each from the whole of its inputs but looking again only at what
 * differs from the inputs before (by identity). The plan depends on the last inputs alone, never on the way
 * there.
 */
export class Planner {
  readonly #hasher: Hasher
  readonly #endpoints = new EndpointIndex()
  readonly #layer2Pools = new Layer2Pools()
  readonly #bgpPools = new BgpPools()
  readonly #services = new Map<string, Service>()
  readonly #groups = new Map<string, Contests>()
  readonly #seats = new Map<string, Seat>()
  /** Services by address. */
  readonly #holders = new Map<string, readonly string[]>()
  /** The assignments as they were last seen, in their order. */
  #assignedKeys: string[] = []
  #assignments: Assignment[] = []
  #serviceList: readonly Service[] = []
  #clusterInputs: ClusterInputs | undefined
  #cluster: Cluster = new Map()
  #records: ShardedMap<ServiceRecord> = ShardedMap.empty()
  #addresses: ShardedMap<AddressPlan> = ShardedMap.empty()
  #routes: ShardedMap<RoutePlan> = ShardedMap.empty()
  #addressLists: AddressLists = new AddressLists()
  #routeLists: RouteLists = new RouteLists()
  #inputs: PlanInputs | undefined
  #plan: Plan | undefined

  /** @param hasher shares a compiled kernel between planners */
  constructor(hasher: Hasher = new Hasher()) {
    this.#hasher = hasher
  }

  /** The plan for these inputs; the same object as before when nothing in it is different. */
  update(inputs: PlanInputs): Plan {
    const agenda = new Agenda()
    const before = this.#inputs
    this.#inputs = inputs
    this.#noticeServices(inputs, agenda)
    this.#noticeAssignments(inputs.allocation, agenda)
    this.#endpoints.update(inputs.snapshot.endpointSlices, key => agenda.services.add(key))
    this.#noticeConfig(inputs.config, agenda)
    if (before?.standalone !== inputs.standalone)
      for (const key of this.#services.keys()) agenda.services.add(key)
    this.#noticeCluster(inputs, agenda)
    this.#noticeIncumbents(before, inputs, agenda)

    const drafts = new Map<string, ServiceRecord | undefined>()
    for (const key of agenda.services) drafts.set(key, this.#evaluate(key, inputs, agenda))
    for (const contests of agenda.elections) contests.decide(this.#hasher)

    const changed = new Set<string>()
    this.#settleRecords(drafts, agenda, changed)
    this.#settleAddresses(agenda, changed)
    this.#settleRoutes(agenda)

    const scene: Scene = {
      cluster: this.#cluster,
      records: this.#records,
      addresses: this.#addresses,
      routes: this.#routes,
      addressLists: this.#addressLists,
      routeLists: this.#routeLists,
      pools: inputs.allocation.pools,
    }
    if (!this.#plan?.shows(scene) || changed.size + this.#plan.changed.length > 0) {
      this.#plan = new Plan(scene, [...changed].sort())
    }
    return this.#plan
  }

  #noticeServices({ snapshot }: PlanInputs, agenda: Agenda): void {
    const added: Service[] = []
    const removed = (service: Service): void => {
      const key = serviceKey(service)
      this.#services.delete(key)
      agenda.services.add(key)
    }
    difference(this.#serviceList, snapshot.services, removed, service => added.push(service))
    for (const service of added) {
      const key = serviceKey(service)
      this.#services.set(key, service)
      agenda.services.add(key)
    }
    this.#serviceList = snapshot.services
  }

  // Walks all assignments rather than trust `allocation.changed`, which is relative to an allocation that may
  // not have come by here. Where the order is as before, which it nearly always is, that costs a few
  // nanoseconds each and no memory.
  #noticeAssignments({ services }: Allocation, agenda: Agenda): void {
    const keys = this.#assignedKeys
    const assignments = this.#assignments
    let at = 0
    for (const [key, assignment] of services) {
      if (at < keys.length && keys[at] !== key) {
        this.#noticeReordered(services, agenda)
        return
      }
      if (assignments[at] !== assignment) {
        agenda.services.add(key)
        keys[at] = key
        assignments[at] = assignment
      }
      at++
    }
    for (const key of keys.splice(at)) agenda.services.add(key)
    assignments.length = at
  }

  #noticeReordered(services: Allocation['services'], agenda: Agenda): void {
    const before = new Map(this.#assignedKeys.map((key, i) => [key, this.#assignments[i]]))
    this.#assignedKeys = [...services.keys()]
    this.#assignments = [...services.values()]
    for (const [key, assignment] of services) {
      if (before.get(key) !== assignment) agenda.services.add(key)
      before.delete(key)
    }
    for (const key of before.keys()) agenda.services.add(key)
  }

  #noticeConfig(config: Config, agenda: Agenda): void {
    const pools = new Set<string>()
    this.#layer2Pools.update(config, pool => pools.add(pool))
    this.#bgpPools.update(config, pool => pools.add(pool))
    if (pools.size === 0) return
    for (const { key, assignment } of this.#records.values()) {
      if (assignment.pool !== undefined && pools.has(assignment.pool)) agenda.services.add(key)
    }
  }

  #noticeCluster({ snapshot, alive, held, standalone, ignoreExcludeLb }: PlanInputs, agenda: Agenda): void {
    const last = this.#clusterInputs
    if (
      last?.nodes === snapshot.nodes &&
      sameNames(last.alive, alive) &&
      sameNames(last.held, held) &&
      last.standalone === standalone &&
      last.ignoreExcludeLb === ignoreExcludeLb
    ) {
      return
    }
    // Copies: the sets may be live views of the members.
    const inputs = {
      nodes: snapshot.nodes,
      alive: alive && new Set(alive),
      ...(held ? { held: new Set(held) } : {}),
      standalone,
      ignoreExcludeLb,
    }
    this.#clusterInputs = inputs
    const before = this.#cluster
    const after = cluster(inputs, before)
    if (after === before) return
    this.#cluster = after
    const changed = (contest: Contest): void => {
      for (const key of this.#holders.get(contest.address) ?? []) {
        if (this.#seats.get(key)?.contest === contest) agenda.owners.add(key)
      }
    }
    for (const contests of this.#groups.values()) contests.revise(after, this.#hasher, changed)
    // On a node with other labels the advertisements may name other interfaces.
    const relabelled = new Set<string>()
    for (const [name, facts] of after) if (before.get(name)?.labels !== facts.labels) relabelled.add(name)
    if (relabelled.size === 0) return
    for (const { address, node } of this.#addresses.values()) {
      if (node !== undefined && relabelled.has(node)) agenda.addresses.add(address)
    }
  }

  // Whether an incumbent may stay depends on the cluster, and that is not worth keeping track of for a mode that few use.
  #noticeIncumbents(before: PlanInputs | undefined, { incumbents }: PlanInputs, agenda: Agenda): void {
    const some = (incumbents?.size ?? 0) + (before?.incumbents?.size ?? 0) > 0
    if (some) for (const key of this.#seats.keys()) agenda.owners.add(key)
  }

  /** The incumbent where there is one that may still stand, else whom the election chose. */
  #ownerOf(key: string): string | undefined {
    const seat = this.#seats.get(key)
    if (!seat) return undefined
    const incumbent = this.#inputs?.incumbents?.get(seat.contest.address)
    return incumbent !== undefined && seat.contests.admits(incumbent) ? incumbent : seat.contest.node
  }

  /**
   * Applies the gates to a Service and gives it the seat that follows from them. The owner is still to be
   * filled in.
   */
  #evaluate(key: string, { allocation, standalone }: PlanInputs, agenda: Agenda): ServiceRecord | undefined {
    const service = this.#services.get(key)
    const assignment = allocation.services.get(key)
    if (!service || !assignment) {
      this.#seat(key, undefined, agenda)
      return undefined
    }
    const { state, addresses, pool } = assignment
    const first = state === 'assigned' ? addresses[0] : undefined
    const ads = pool === undefined ? undefined : this.#layer2Pools.of(pool)
    const bgpPool = pool === undefined ? undefined : this.#bgpPools.of(pool)
    const endpoints = this.#endpoints.of(key, standalone)
    const layer2 =
      first !== undefined && ads?.length ? layer2Claim(service, first, ads, endpoints) : undefined
    const bgp = first !== undefined && bgpPool ? bgpClaim(service, addresses, bgpPool, endpoints) : undefined
    this.#seat(key, layer2, agenda)
    return { key, service, assignment, pooled: ads !== undefined, layer2, bgp, owner: undefined }
  }

  #seat(key: string, claim: Layer2Claim | undefined, agenda: Agenda): void {
    const before = this.#seats.get(key)
    if (claim && !claim.refused) {
      const reaches = claim.ads.map(({ reach }) => reach)
      const group = contestsKey(reaches, claim.locals)
      let contests = this.#groups.get(group)
      if (!contests) {
        contests = new Contests(reaches, claim.locals, this.#cluster)
        this.#groups.set(group, contests)
      }
      this.#seats.set(key, { contests, contest: contests.enter(claim.first) })
      agenda.elections.add(contests)
    } else this.#seats.delete(key)
    if (!before) return
    before.contests.leave(before.contest)
    if (before.contests.size === 0) this.#groups.delete(before.contests.key)
  }

  #settleRecords(
    drafts: ReadonlyMap<string, ServiceRecord | undefined>,
    agenda: Agenda,
    changed: Set<string>,
  ): void {
    const updates = new Map<string, ServiceRecord | undefined>()
    const settle = (key: string, draft: ServiceRecord | undefined): void => {
      const before = this.#records.get(key)
      const layer2 = sameClaim(before?.layer2, draft?.layer2) ? before?.layer2 : draft?.layer2
      const bgp = sameBgpClaim(before?.bgp, draft?.bgp) ? before?.bgp : draft?.bgp
      const after = draft && { ...draft, layer2, bgp, owner: this.#ownerOf(key) }
      if (sameRecord(before, after)) return
      updates.set(key, after)
      if (before?.bgp !== bgp) {
        for (const route of before?.bgp?.routes ?? []) agenda.claim(route, key, undefined)
        for (const route of bgp?.routes ?? []) agenda.claim(route, key, bgp)
      }
      this.#hold(key, heldBy(before), heldBy(after))
      for (const address of [...heldBy(before), ...heldBy(after)]) agenda.addresses.add(address)
      if (!looksSame(before, after)) changed.add(key)
    }
    for (const [key, draft] of drafts) settle(key, draft)
    for (const key of agenda.owners) if (!drafts.has(key)) settle(key, this.#records.get(key))
    this.#records = this.#records.with(updates)
  }

  /** Keeps `#holders` in step with the addresses of one Service. */
  #hold(key: string, before: readonly string[], after: readonly string[]): void {
    for (const address of before) {
      if (after.includes(address)) continue
      const rest = (this.#holders.get(address) ?? []).filter(other => other !== key)
      if (rest.length > 0) this.#holders.set(address, rest)
      else this.#holders.delete(address)
    }
    for (const address of after) {
      if (before.includes(address)) continue
      this.#holders.set(address, [...(this.#holders.get(address) ?? []), key].sort())
    }
  }

  #settleAddresses(agenda: Agenda, changed: Set<string>): void {
    const updates = new Map<string, AddressPlan | undefined>()
    const moves: Move[] = []
    for (const address of agenda.addresses) {
      const before = this.#addresses.get(address)
      const holders = (this.#holders.get(address) ?? []).flatMap(key => this.#records.get(key) ?? [])
      const after = planAddress(address, holders, this.#cluster, before)
      if (after === before) continue
      updates.set(address, after)
      if (before?.advertisement === after?.advertisement && before?.node === after?.node) continue
      moves.push({ address, from: before?.node, to: after?.node, advertisement: after?.advertisement })
      const moved = before?.node !== after?.node
      if (!moved && sameInterfaces(before, after)) continue
      for (const key of [...(before?.services ?? []), ...(after?.services ?? [])]) changed.add(key)
    }
    this.#addresses = this.#addresses.with(updates)
    this.#addressLists = this.#addressLists.with(moves)
  }

  #settleRoutes(agenda: Agenda): void {
    const updates = new Map<string, RoutePlan | undefined>()
    for (const [prefix, { route, claims }] of agenda.routes)
      updates.set(prefix, RoutePlan.change(this.#routes.get(prefix), route, claims))
    this.#routes = this.#routes.with(updates)
    this.#routeLists = this.#routeLists.with(updates.keys(), this.#routes, this.#cluster)
  }
}
