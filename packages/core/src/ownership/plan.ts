import type { Allocation, Assignment } from '../allocation/index.ts'
import type { Advertisement, Announcer } from '../speaker/announcer.ts'
import type { AddressPlan } from './address-plan.ts'
import type { Cluster } from './cluster.ts'
import { rank, type Standing } from './election.ts'
import { type Interfaces, layer2Gates, layer2Interfaces, layer2Obstacle, layer2Score } from './layer2.ts'
import type { AdvertisementLists } from './lists.ts'
import { heldBy, type ServiceRecord } from './record.ts'
import type { ShardedMap } from './sharded-map.ts'
import { type Because, reasons, type Verdict, verdictOf } from './verdict.ts'

/** How addresses are announced, as far as plans go. */
export type Protocol = 'layer2'

/** One address of a Service and where it is announced. */
export interface PlannedAnnouncement {
  readonly protocol: 'layer2'
  readonly address: string
  readonly node: string
  readonly interfaces: Interfaces
}

/** Whether a node got past a question; `gate` is the word for one that did not. */
export interface GateOutcome {
  readonly gate: Because
  readonly passed: boolean
}

/** What a plan is made of; all of it immutable. */
export interface Scene {
  readonly cluster: Cluster
  readonly records: ShardedMap<ServiceRecord>
  readonly addresses: ShardedMap<AddressPlan>
  readonly lists: AdvertisementLists
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

  /** The protocols whose advertisements select the pool of the Service. */
  get protocols(): readonly Protocol[] {
    return this.#record.claim ? ['layer2'] : []
  }

  /** Who announces its addresses, by address. */
  get announcements(): readonly PlannedAnnouncement[] {
    if (this.#record.owner === undefined) return []
    return heldBy(this.#record)
      .toSorted()
      .flatMap(address => {
        const { node, advertisement } = this.#scene.addresses.get(address) ?? {}
        if (node === undefined || !advertisement) return []
        return { protocol: 'layer2', address, node, interfaces: advertisement.options.interfaces }
      })
  }

  /** Whether `node` speaks for the Service on layer 2, and why not. */
  verdict(node: string): Verdict {
    return verdictOf(this.#silence(node))
  }

  #silence(node: string): Because | undefined {
    const { assignment, pooled, claim, owner } = this.#record
    if (assignment.state !== 'assigned') return withoutAddress(assignment)
    if (!pooled) return 'ipNotAllowed'
    const facts = this.#scene.cluster.get(node)
    if (!facts) return 'notAlive'
    if (!claim) return facts.alive ? 'noMatchingAdvertisement' : 'notAlive'
    const obstacle = layer2Obstacle(claim, facts)
    if (owner === undefined) return obstacle ?? 'notOwner'
    // The owner of a shared address may be chosen by the election of another Service, so look at the
    // addresses first.
    for (const address of assignment.addresses)
      if (this.#scene.addresses.get(address)?.node === node) return undefined
    return obstacle ?? 'notOwner'
  }

  /**
   * The candidates with score and digest, in the order in which they would take over; empty when no election
   * is held.
   */
  standings(): readonly Standing[] {
    const { claim } = this.#record
    if (!claim || claim.refused) return []
    const candidates = [...this.#scene.cluster.values()]
      .filter(facts => !layer2Obstacle(claim, facts))
      .map(facts => ({ node: facts.name, score: layer2Score(claim, facts) }))
    return rank(claim.first, candidates)
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
   */
  gates(node: string): readonly GateOutcome[] {
    const facts = this.#scene.cluster.get(node)
    const { claim } = this.#record
    if (!facts || !claim) return []
    const outcomes: GateOutcome[] = []
    for (const gate of layer2Gates) {
      const passed = gate.passes(claim, facts)
      outcomes.push({ gate: gate.because, passed })
      if (!passed) return outcomes
    }
    return [...outcomes, { gate: 'notOwner', passed: this.verdict(node).speak }]
  }

  /**
   * Where `node` would announce the Service; no names where no advertisement that matches the Service
   * includes the node.
   */
  interfaces(node: string): Interfaces {
    const facts = this.#scene.cluster.get(node)
    const { claim } = this.#record
    return facts && claim ? layer2Interfaces([claim], facts) : []
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

const nothing: readonly Advertisement[] = []

/** Who announces what, at one moment. Immutable: it stays true to its inputs when newer plans follow. */
export class Plan {
  /** By `namespace/name`, in no particular order. */
  readonly services: ReadonlyMap<string, ServicePlan>
  /** Every assigned address. */
  readonly addresses: ReadonlyMap<string, AddressPlan>
  /**
   * Services of which state, addresses, pool, reason, owner or interfaces differ from the planner's plan
   * before, and those that are gone. Sorted.
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
   * address, the addresses of layer 2; where each node does, nothing that this plan knows of. By address; the
   * list and the entries keep their identity from plan to plan as long as they say the same.
   */
  advertisementsFor(node: string, speakers: Announcer['speakers']): readonly Advertisement[] {
    return speakers === 'one' ? this.#scene.lists.of(node, this.#scene.addresses) : nothing
  }

  /** Whether it is a plan of just this scene. */
  shows(scene: Scene): boolean {
    const mine = this.#scene
    return (
      mine.cluster === scene.cluster &&
      mine.records === scene.records &&
      mine.addresses === scene.addresses &&
      mine.pools === scene.pools
    )
  }
}
