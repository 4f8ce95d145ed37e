import type { Allocation, Assignment } from '../allocation/index.ts'
import type { Advertisement, Announcer } from '../speaker/announcer.ts'
import type { AddressLists } from './address-lists.ts'
import type { AddressPlan, Layer2Advertisement } from './address-plan.ts'
import { bgpGates, bgpObstacle } from './bgp.ts'
import type { Cluster, NodeFacts } from './cluster.ts'
import { rank, type Standing } from './election.ts'
import { ask, type GateOutcome } from './gate.ts'
import { type Interfaces, layer2Gates, layer2Interfaces, layer2Obstacle, layer2Score } from './layer2.ts'
import type { Protocol } from './protocol.ts'
import { heldBy, type ServiceRecord } from './record.ts'
import type { RouteLists } from './route-lists.ts'
import type { BgpAdvertisement, RoutePlan } from './route-plan.ts'
import type { ShardedMap } from './sharded-map.ts'
import { type Because, reasons, type Verdict, verdictOf } from './verdict.ts'

/** One address of a Service and where it is announced on the local segment. */
export interface Layer2Announcement {
  readonly protocol: 'layer2'
  readonly address: string
  readonly node: string
  readonly interfaces: Interfaces
}

/** A prefix that holds addresses of a Service, and one peer that a node tells of it. */
export interface BgpAnnouncement {
  readonly protocol: 'bgp'
  /** `192.168.1.240/32` */
  readonly prefix: string
  readonly node: string
  /** Name of the BGPPeer. */
  readonly peer: string
  /** 0: unset. */
  readonly localPref: number
  /** `65000:1` or `large:1:2:3`, in numeric order. */
  readonly communities: readonly string[]
}

/** Something that is announced for a Service. */
export type PlannedAnnouncement = BgpAnnouncement | Layer2Announcement

/** What a plan is made of; all of it immutable. */
export interface Scene {
  readonly cluster: Cluster
  readonly records: ShardedMap<ServiceRecord>
  readonly addresses: ShardedMap<AddressPlan>
  readonly routes: ShardedMap<RoutePlan>
  readonly addressLists: AddressLists
  readonly routeLists: RouteLists
  readonly pools: Allocation['pools']
}

/** The word for a Service without addresses: the code of its reason where that is such a word. */
function withoutAddress({ state, reason }: Assignment): Because {
  const code: string | undefined = reason?.code
  if (code !== undefined && Object.hasOwn(reasons, code)) return code as Because
  return state === 'ignored' ? 'notLoadBalancer' : 'noIPAllocated'
}

/** What is planned for one Service. Everything that concerns single nodes is computed when asked for. */
export class ServicePlan {
  readonly #scene: Scene
  readonly #record: ServiceRecord

  constructor(scene: Scene, record: ServiceRecord) {
    this.#scene = scene
    this.#record = record
  }

  /** `namespace/name` */
  get key(): string {
    return this.#record.key
  }

  get namespace(): string {
    return this.#record.service.metadata.namespace
  }

  get name(): string {
    return this.#record.service.metadata.name
  }

  get state(): Assignment['state'] {
    return this.#record.assignment.state
  }

  get addresses(): readonly string[] {
    return this.#record.assignment.addresses
  }

  get pool(): string | undefined {
    return this.#record.assignment.pool
  }

  get reason(): Assignment['reason'] {
    return this.#record.assignment.reason
  }

  /**
   * The node elected for the Service on layer 2. It announces all its addresses, save one that is shared with
   * a Service which decides otherwise: see `announcements`.
   */
  get owner(): string | undefined {
    return this.#record.owner
  }

  /** The protocols whose advertisements select the pool of the Service, in alphabetical order. */
  get protocols(): readonly Protocol[] {
    const { bgp, layer2 } = this.#record
    return [...(bgp ? (['bgp'] as const) : []), ...(layer2 ? (['layer2'] as const) : [])]
  }

  /** What is announced for it: by protocol, address or prefix, node, peer. */
  get announcements(): readonly PlannedAnnouncement[] {
    return this.announcementsBy([...this.#scene.cluster.keys()].sort())
  }

  /**
   * As `announcements`, where of what BGP announces only that of these nodes, given in order, is looked at: a
   * large cluster has many.
   */
  announcementsBy(nodes: readonly string[]): readonly PlannedAnnouncement[] {
    return [...this.#bgpAnnouncements(nodes), ...this.#layer2Announcements()]
  }

  #bgpAnnouncements(nodes: readonly string[]): readonly BgpAnnouncement[] {
    const { bgp } = this.#record
    if (!bgp) return []
    const speaking = nodes
      .flatMap(node => this.#scene.cluster.get(node) ?? [])
      .filter(facts => bgpObstacle(bgp, facts) === undefined)
    if (speaking.length === 0) return []
    const routes = bgp.routes.toSorted((a, b) => (a.prefix < b.prefix ? -1 : 1))
    return routes.flatMap(({ prefix, family, length }) => {
      const route = this.#scene.routes.get(prefix)
      if (!route) return []
      return speaking.flatMap(facts => {
        // Another Service with a part in the prefix may tell peers that this one does not, or more to the same.
        const own = new Set(bgp.policy.offer(facts.labels, family, length)?.map(({ peer }) => peer))
        const peers = own.size === 0 ? [] : (route.on(facts)?.options.peers ?? [])
        return peers
          .filter(({ peer }) => own.has(peer))
          .map(({ peer, localPref, communities }): BgpAnnouncement => {
            return { protocol: 'bgp', prefix, node: facts.name, peer, localPref, communities }
          })
      })
    })
  }

  #layer2Announcements(): readonly Layer2Announcement[] {
    if (this.#record.owner === undefined) return []
    return heldBy(this.#record)
      .toSorted()
      .flatMap(address => {
        const { node, advertisement } = this.#scene.addresses.get(address) ?? {}
        if (node === undefined || !advertisement) return []
        return { protocol: 'layer2', address, node, interfaces: advertisement.options.interfaces }
      })
  }

  /**
   * Whether `node` speaks for the Service, and why not.
   *
   * @param protocol @default 'layer2'
   */
  verdict(node: string, protocol: Protocol = 'layer2'): Verdict {
    return verdictOf(this.#silence(node, protocol))
  }

  #silence(node: string, protocol: Protocol): Because | undefined {
    const { assignment, pooled } = this.#record
    if (assignment.state !== 'assigned') return withoutAddress(assignment)
    if (!pooled) return 'ipNotAllowed'
    const facts = this.#scene.cluster.get(node)
    if (!facts) return 'notAlive'
    if (!this.#record[protocol]) return facts.alive ? 'noMatchingAdvertisement' : 'notAlive'
    return protocol === 'bgp' ? this.#bgpSilence(facts) : this.#layer2Silence(facts)
  }

  #bgpSilence(facts: NodeFacts): Because | undefined {
    const { bgp } = this.#record
    return bgp && bgpObstacle(bgp, facts)
  }

  #layer2Silence(facts: NodeFacts): Because | undefined {
    const { assignment, layer2, owner } = this.#record
    const obstacle = layer2 && layer2Obstacle(layer2, facts)
    if (owner === undefined) return obstacle ?? 'notOwner'
    // The owner of a shared address may be chosen by the election of another Service, so look at the
    // addresses first.
    for (const address of assignment.addresses)
      if (this.#scene.addresses.get(address)?.node === facts.name) return undefined
    return obstacle ?? 'notOwner'
  }

  /**
   * The candidates with score and digest, in the order in which they would take over; empty when no election
   * is held.
   */
  standings(): readonly Standing[] {
    const { layer2 } = this.#record
    if (!layer2 || layer2.refused) return []
    const candidates = [...this.#scene.cluster.values()]
      .filter(facts => !layer2Obstacle(layer2, facts))
      .map(facts => ({ node: facts.name, score: layer2Score(layer2, facts) }))
    return rank(layer2.first, candidates)
  }

  /** Names of the candidates in the order in which they would take over, the owner first. */
  succession(): readonly string[] {
    const names = this.standings().map(({ node }) => node)
    const { owner } = this.#record
    // An incumbent keeps the address whatever its rank.
    return owner === undefined || names[0] === owner
      ? names
      : [owner, ...names.filter(name => name !== owner)]
  }

  /**
   * The questions asked of a node in their order, up to the first that it does not pass; empty when none are
   * asked.
   *
   * @param protocol @default 'layer2'
   */
  gates(node: string, protocol: Protocol = 'layer2'): readonly GateOutcome[] {
    const facts = this.#scene.cluster.get(node)
    const { bgp, layer2 } = this.#record
    if (!facts) return []
    if (protocol === 'bgp') return bgp ? ask(bgpGates, bgp, facts) : []
    if (!layer2) return []
    const outcomes = ask(layer2Gates, layer2, facts)
    if (outcomes.some(({ passed }) => !passed)) return outcomes
    return [...outcomes, { gate: 'notOwner', passed: this.verdict(node).speak }]
  }

  /**
   * Where `node` would announce the Service; no names where no advertisement that matches the Service
   * includes the node.
   */
  interfaces(node: string): Interfaces {
    const facts = this.#scene.cluster.get(node)
    const { layer2 } = this.#record
    return facts && layer2 ? layer2Interfaces([layer2], facts) : []
  }
}

/** The Services of a scene, each wrapped when it is first looked at. */
class ServiceView implements ReadonlyMap<string, ServicePlan> {
  readonly #scene: Scene
  readonly #seen = new Map<string, ServicePlan>()

  constructor(scene: Scene) {
    this.#scene = scene
  }

  get size(): number {
    return this.#scene.records.size
  }

  has(key: string): boolean {
    return this.#scene.records.has(key)
  }

  get(key: string): ServicePlan | undefined {
    const record = this.#scene.records.get(key)
    return record && this.#wrap(record)
  }

  #wrap(record: ServiceRecord): ServicePlan {
    let service = this.#seen.get(record.key)
    if (!service) {
      service = new ServicePlan(this.#scene, record)
      this.#seen.set(record.key, service)
    }
    return service
  }

  forEach(visit: (value: ServicePlan, key: string, map: ReadonlyMap<string, ServicePlan>) => void): void {
    for (const [key, value] of this) visit(value, key, this)
  }

  *entries(): MapIterator<[string, ServicePlan]> {
    for (const [key, record] of this.#scene.records) yield [key, this.#wrap(record)]
  }

  keys(): MapIterator<string> {
    return this.#scene.records.keys()
  }

  *values(): MapIterator<ServicePlan> {
    for (const record of this.#scene.records.values()) yield this.#wrap(record)
  }

  [Symbol.iterator](): MapIterator<[string, ServicePlan]> {
    return this.entries()
  }
}

/** Who announces what, at one moment. Immutable: it stays true to its inputs when newer plans follow. */
export class Plan {
  /** By `namespace/name`, in no particular order. */
  readonly services: ReadonlyMap<string, ServicePlan>
  /** Every assigned address. */
  readonly addresses: ReadonlyMap<string, AddressPlan>
  /**
   * Services of which state, addresses, pool, reason, owner, interfaces or what BGP makes of them differ from
   * the planner's plan before, and those that are gone. Sorted. That other nodes may announce them by BGP is not
   * looked at: it concerns those nodes alone.
   */
  readonly changed: readonly string[]
  readonly #scene: Scene

  constructor(scene: Scene, changed: readonly string[]) {
    this.services = new ServiceView(scene)
    this.addresses = scene.addresses
    this.changed = changed
    this.#scene = scene
  }

  /** Every known node: Node objects and members. */
  get nodes(): Cluster {
    return this.#scene.cluster
  }

  get pools(): Allocation['pools'] {
    return this.#scene.pools
  }

  /**
   * What a node announces through announcers that speak as `speakers` says: where one node speaks for an
   * address, the addresses of layer 2; where each node does, the prefixes of BGP. By address or prefix; the
   * list and the entries keep their identity from plan to plan as long as they say the same.
   */
  advertisementsFor(node: string, speakers: 'one'): readonly Layer2Advertisement[]
  advertisementsFor(node: string, speakers: 'each'): readonly BgpAdvertisement[]
  advertisementsFor(node: string, speakers: Announcer['speakers']): readonly Advertisement[]
  advertisementsFor(node: string, speakers: Announcer['speakers']): readonly Advertisement[] {
    const { addresses, addressLists, routes, routeLists, cluster } = this.#scene
    return speakers === 'one' ? addressLists.of(node, addresses) : routeLists.of(node, routes, cluster)
  }

  /** Whether it is a plan of just this scene. */
  shows(scene: Scene): boolean {
    const mine = this.#scene
    return (
      mine.cluster === scene.cluster &&
      mine.records === scene.records &&
      mine.addresses === scene.addresses &&
      mine.routes === scene.routes &&
      mine.pools === scene.pools
    )
  }
}
