import type { Config, LabelMap, Pool } from '../config/config.ts'
import type { Namespace, Service } from '../resources/index.ts'
import { admits } from './admission.ts'
import type { Allocation, Assignment, PoolUsage } from './assignment.ts'
import { assignmentOf, sameAssignment, sameUsage } from './assignment-of.ts'
import { Claimant, keyOf, type Stages, type Step } from './claimant.ts'
import { type Decision, decide, keep, type Market, placesOf } from './decide.ts'
import { differences } from './differences.ts'
import { factsOf } from './facts.ts'
import { type Book, type Claim, Ledger, type Place } from './ledger.ts'
import { byName, Order } from './order.ts'
import { samePools } from './same-pools.ts'
import type { ClassOptions } from './service-class.ts'
import { mayShare, sameSharing } from './sharing.ts'
import type { Shelf } from './shelf.ts'

/** How Services are given addresses. */
export interface AllocatorOptions extends ClassOptions {
  /**
   * Without Kubernetes: families come from the manifests where there are no cluster IPs, and the allocation is a pure
   * function of the manifests, so that every node finds the same, whatever each has seen before.
   * @default false
   */
  readonly standalone?: boolean
}

/** What an allocation depends on. What did not change must be the same object as before; Services have distinct names. */
export interface AllocatorInput {
  readonly services: readonly Service[]
  readonly namespaces: readonly Namespace[]
  readonly config: Pick<Config, 'pools'>
}

const none: readonly Claim[] = []

/** Searches among later claims in one update before all later claims are dropped and made anew: a matter of speed alone. */
const costlySearches = 8

/**
 * Gives addresses of the pools to Services. Each `update` brings the allocation in line with the newest values; it looks
 * again only at what changed and at what that touches. No I/O, no clock, no randomness.
 *
 * With Kubernetes a Service keeps what it holds as long as it may; what the status of a Service names counts when the
 * allocator sees the Service for the first time. Standalone, Services are served in a fixed order, and each decides as if
 * those after it did not exist.
 */
export class Allocator {
  readonly #options: AllocatorOptions
  readonly #standalone: boolean
  readonly #claimants = new Map<string, Claimant>()
  readonly #order = new Order()
  readonly #assignments = new Map<string, Assignment>()
  readonly #market: Market
  #ledger = new Ledger([])
  #open: readonly Book[] = []
  #pinned: readonly Book[] = []
  #openOnly: Stages = [[]]
  #services: readonly Service[] = []
  #namespaces: readonly Namespace[] = []
  #labels = new Map<string, LabelMap>()
  #pools: readonly Pool[] | undefined
  #usage: readonly PoolUsage[] = []

  // What happened so far in the present update.
  /** Steps that must run. */
  readonly #dirty = new Set<Step>()
  #settled = new Set<Claimant>()
  /** Somebody holds more, less or something else. */
  #moved = false
  /** Something can be had that could not be had before: the first number on each shelf. */
  readonly #freed = new Map<Shelf, number>()
  #turn: Step | undefined
  #searches = 0
  /** No step after the present one holds anything. */
  #cleared = false
  /** Those whose sharing key, policy or ports changed. */
  #resharing: Claimant[] = []

  constructor(options: AllocatorOptions = {}) {
    this.#options = options
    this.#standalone = options.standalone ?? false
    const allocator = this
    this.#market = {
      mayMove: !this.#standalone,
      get ledger() {
        return allocator.#ledger
      },
      stages: claimant => this.#stagesOf(claimant),
      blocker: (address, claimant) => this.#blocker(address, claimant),
      firstFit: (shelf, claimant) => this.#firstFit(shelf, claimant),
    }
  }

  /** Brings the allocation in line with these values and tells what changed. */
  update({ services, namespaces, config }: AllocatorInput): Allocation {
    this.#settled = new Set()
    this.#moved = false
    this.#freed.clear()
    this.#searches = 0
    this.#cleared = false
    this.#resharing = []
    this.#followNamespaces(namespaces)
    const removed = this.#followServices(services)
    this.#followPools(config.pools)
    if (this.#standalone) this.#replay()
    else this.#serve()
    return this.#publish(removed)
  }

  /** A Service of the last update, by `namespace/name`. */
  service(key: string): Service | undefined {
    return this.#claimants.get(key)?.service
  }

  // Following the input

  #followServices(services: readonly Service[]): readonly Claimant[] {
    const { out, into } = differences(this.#services, services)
    this.#services = services
    if (out.length + into.length === 0) return []
    const gone = new Set<Claimant>()
    for (const service of out) {
      const claimant = this.#claimants.get(keyOf(service))
      if (claimant?.service === service) gone.add(claimant)
    }
    const stepsOut: Step[] = []
    const stepsIn: Step[] = []
    for (const service of into) {
      const known = this.#claimants.get(keyOf(service))
      if (known) {
        gone.delete(known)
        this.#replace(known, service, stepsOut, stepsIn)
      } else this.#create(service, stepsIn)
    }
    for (const claimant of gone) {
      this.#claimants.delete(claimant.key)
      for (const claim of claimant.claims) this.#release(claim)
      for (const step of claimant.steps) {
        this.#clean(step)
        stepsOut.push(step)
      }
    }
    this.#order.change(stepsOut, stepsIn)
    return [...gone]
  }

  #create(service: Service, stepsIn: Step[]): void {
    const facts = factsOf(service, this.#options, this.#standalone)
    const claimant = new Claimant(service, facts, this.#labels.get(service.metadata.namespace))
    this.#claimants.set(claimant.key, claimant)
    if (claimant.adopt) stepsIn.push(claimant.adopt)
    stepsIn.push(claimant.settle)
    for (const step of claimant.steps) this.#soil(step)
  }

  #replace(claimant: Claimant, service: Service, stepsOut: Step[], stepsIn: Step[]): void {
    const { sharing } = claimant.facts
    claimant.service = service
    claimant.stages = undefined
    claimant.facts = factsOf(service, this.#options, this.#standalone)
    if (!sameSharing(sharing, claimant.facts.sharing)) this.#resharing.push(claimant)
    const adopt = claimant.nextAdopt()
    if (adopt !== claimant.adopt) {
      if (claimant.adopt) this.#displace(claimant.adopt, stepsOut)
      claimant.adopt = adopt
      if (adopt) stepsIn.push(adopt)
    }
    if (claimant.settleRank !== claimant.settle.rank) {
      this.#displace(claimant.settle, stepsOut)
      claimant.settle.rank = claimant.settleRank
      stepsIn.push(claimant.settle)
    }
    for (const step of claimant.steps) this.#soil(step)
  }

  /** Takes a step out of the order. Where the order decides who gets what, its claims go too. */
  #displace(step: Step, stepsOut: Step[]): void {
    this.#clean(step)
    stepsOut.push(step)
    if (!this.#standalone) return
    for (const claim of step.claimant.claims.filter(claim => claim.step === step)) this.#release(claim)
  }

  #followNamespaces(namespaces: readonly Namespace[]): void {
    if (namespaces === this.#namespaces) return
    const { out, into } = differences(this.#namespaces, namespaces)
    this.#namespaces = namespaces
    const changed = new Set<string>()
    for (const { metadata } of out) {
      this.#labels.delete(metadata.name)
      changed.add(metadata.name)
    }
    for (const { metadata } of into) {
      // Kubernetes puts this label on every Namespace; a manifest need not spell it out.
      this.#labels.set(metadata.name, { 'kubernetes.io/metadata.name': metadata.name, ...metadata.labels })
      changed.add(metadata.name)
    }
    if (changed.size === 0) return
    for (const claimant of this.#claimants.values()) {
      if (!changed.has(claimant.namespace)) continue
      claimant.namespaceLabels = this.#labels.get(claimant.namespace)
      if (this.#pools?.every(({ serviceAllocation }) => !serviceAllocation)) continue
      claimant.stages = undefined
      for (const step of claimant.steps) this.#soil(step)
    }
  }

  #followPools(pools: readonly Pool[]): void {
    const before = this.#pools
    this.#pools = pools
    if (before && samePools(before, pools)) return
    this.#ledger = new Ledger(pools)
    const automatic = this.#ledger.books.filter(({ pool }) => pool.autoAssign)
    this.#open = automatic.filter(({ pool }) => !pool.serviceAllocation)
    this.#pinned = automatic
      .filter(({ pool }) => pool.serviceAllocation)
      .sort((a, b) => priorityOf(a) - priorityOf(b))
    this.#openOnly = [this.#open]
    this.#freed.clear()
    for (const { claimant, stage } of this.#order.steps) {
      if (stage !== 'settle') continue
      claimant.stages = undefined
      this.#carryOver(claimant)
    }
    for (const step of this.#order.steps) this.#soil(step)
    if (this.#standalone) this.#cleared = true
    this.#moved = true
  }

  /** What is held stays held where a pool of the new configuration has it; whether it may is asked when its turn comes. */
  #carryOver(claimant: Claimant): void {
    const held = this.#standalone ? [] : claimant.claims
    claimant.claims = held.flatMap(({ slot, step, sharing }) => {
      const [place] = placesOf([slot.address], this.#ledger)
      return place ? [this.#ledger.claim(claimant, step, place, sharing)] : []
    })
  }

  // Running the steps

  #soil(step: Step): void {
    step.dirty = true
    this.#dirty.add(step)
  }

  #clean(step: Step): void {
    step.dirty = false
    this.#dirty.delete(step)
  }

  /** Where the first step that must run stands. */
  #firstDirty(): number {
    let first = this.#order.steps.length
    for (const { index } of this.#dirty) if (index < first) first = index
    return first
  }

  /** With Kubernetes: whoever changed is served, and whoever waits is tried again for as long as something comes free. */
  #serve(): void {
    for (const claimant of this.#resharing) this.#restate(claimant)
    const { steps } = this.#order
    do {
      const retry = this.#freed.size > 0
      this.#freed.clear()
      for (let i = retry ? 0 : this.#firstDirty(); i < steps.length; i++) {
        const step = steps[i] as Step
        if (step.dirty) this.#run(step)
        else if (retry || this.#freed.size > 0) {
          if (step.stage === 'settle' && step.claimant.waiting && !this.#hopeless(step.claimant))
            this.#run(step)
        } else if (this.#dirty.size === 0) break
      }
    } while (this.#freed.size > 0)
  }

  /**
   * Where all holders of an address agree as they are now, the new keys and ports hold from now on, whichever of them is
   * served first: two Services that change their key together stay together.
   */
  #restate({ claims }: Claimant): void {
    for (const { slot } of claims) {
      const holders = slot.claims.map(({ holder }) => holder)
      const agree = holders.every((one, i) =>
        holders.every((other, j) => j <= i || mayShare(one.facts.sharing, other.facts.sharing)),
      )
      if (!agree) continue
      for (const claim of [...slot.claims]) {
        const { holder, step } = claim
        this.#ledger.release(claim)
        const again = this.#ledger.claim(holder, step, slot, holder.facts.sharing)
        holder.claims = holder.claims.map(one => (one === claim ? again : one))
        this.#markFreed(again)
      }
    }
  }

  /** Standalone: one pass in order. What a step gives or takes can only matter to the steps after it. */
  #replay(): void {
    const { steps } = this.#order
    for (let i = this.#moved ? 0 : this.#firstDirty(); i < steps.length; i++) {
      const step = steps[i] as Step
      if (!step.dirty) {
        if (this.#dirty.size === 0 && !this.#moved) break
        if (!this.#moved || !this.#affected(step)) continue
      }
      this.#run(step)
    }
  }

  #run(step: Step): void {
    this.#clean(step)
    this.#turn = step
    const { claimant, stage } = step
    const mine = this.#standalone ? this.#layDown(step) : none
    if (stage === 'adopt') {
      this.#runAdopt(step)
      this.#soil(claimant.settle)
    } else this.#runSettle(step)
    for (const claim of mine) {
      const same = claimant.claims.find(({ slot }) => slot.address === claim.slot.address)
      if (!same || !sameSharing(same.sharing, claim.sharing)) this.#markFreed(claim)
    }
    const gained = claimant.claims.some(
      ({ step: made, slot }) => made === step && !mine.some(was => was.slot.address === slot.address),
    )
    if (gained) this.#moved = true
    this.#turn = undefined
  }

  #runAdopt(step: Step): void {
    const { claimant } = step
    const { facts } = claimant
    // Standalone the step stands before whatever the Service settled for later.
    if (this.#standalone) for (const claim of claimant.claims) this.#release(claim)
    if (claimant.claims.length > 0 || facts.ignored) return
    if ('refused' in facts.families && !facts.families.keeps) return
    const kept = keep(claimant, placesOf(facts.status, this.#ledger), this.#market)
    // Standalone nothing may be given up later that somebody before has counted on, so a request comes first.
    if (this.#standalone && disagrees(claimant, kept)) return
    this.#hold(step, kept)
  }

  #runSettle(step: Step): void {
    const { claimant } = step
    const held = claimant.claims.map(({ slot }) => slot)
    const fallback = this.#standalone && held.length === 0 && !claimant.facts.ignored
    const decision = decide(
      claimant,
      fallback ? placesOf(claimant.facts.status, this.#ledger) : held,
      this.#market,
    )
    this.#hold(step, decision.places)
    this.#note(claimant, decision)
  }

  #note(claimant: Claimant, { reason, waiting, sought }: Decision): void {
    claimant.reason = reason
    claimant.waiting = waiting && !claimant.facts.ignored
    claimant.sought = sought
    this.#settled.add(claimant)
  }

  /** Makes the Service hold exactly these places. */
  #hold(step: Step, places: readonly Place[]): void {
    const { claimant } = step
    const { sharing } = claimant.facts
    const stays = (claim: Claim): boolean =>
      sameSharing(claim.sharing, sharing) && places.some(({ address }) => address === claim.slot.address)
    for (const claim of claimant.claims) if (!stays(claim)) this.#release(claim)
    const before = claimant.claims
    claimant.claims = places.map(place => {
      const had = before.find(({ slot }) => slot.address === place.address)
      if (had) return had
      if (this.#standalone) this.#evict(place, claimant)
      return this.#ledger.claim(claimant, step, place, sharing)
    })
  }

  #release(claim: Claim): void {
    const { holder } = claim
    holder.claims = holder.claims.filter(one => one !== claim)
    this.#ledger.release(claim)
    this.#markFreed(claim)
  }

  #markFreed({ slot }: Claim): void {
    this.#moved = true
    this.#freed.set(slot.shelf, Math.min(this.#freed.get(slot.shelf) ?? slot.position, slot.position))
  }

  // Standalone: those who come later do not exist yet

  /** Takes back what the step held, without telling anybody: it will most likely take the same again. */
  #layDown(step: Step): readonly Claim[] {
    const { claimant } = step
    const mine = claimant.claims.filter(claim => claim.step === step)
    if (mine.length === 0) return mine
    claimant.claims = claimant.claims.filter(claim => claim.step !== step)
    for (const claim of mine) this.#ledger.release(claim)
    return mine
  }

  /** Whether what happened before this step in the present update can change its result. */
  #affected({ stage, claimant }: Step): boolean {
    const { facts, waiting, sought, claims } = claimant
    if (facts.status.length > 0 && !facts.ignored) {
      let adopted = 0
      for (const { step } of claims) if (step.stage === 'adopt') adopted++
      if (stage === 'adopt') return adopted < facts.status.length
      // What its status names and others had may be there for it now.
      if (adopted === 0 || adopted < claims.length) return true
    }
    if (waiting) {
      const { families, request } = facts
      const exact = request.addresses.length > 0 || ('wanted' in families && families.wanted.mode === 'both')
      return exact || this.#freed.size > 0
    }
    if (!sought || this.#freed.size === 0) return false
    const stages = this.#stagesOf(claimant)
    for (const [shelf, position] of this.#freed) if (earlier(shelf, position, claimant, stages)) return true
    return false
  }

  #evict(place: Place, claimant: Claimant): void {
    for (const claim of [...this.#ledger.claimsOn(place.address)]) {
      if (claim.holder === claimant || mayShare(claim.sharing, claimant.facts.sharing)) continue
      this.#release(claim)
      this.#soil(claim.step)
      this.#soil(claim.holder.settle)
    }
  }

  // The market

  #stagesOf(claimant: Claimant): Stages {
    if (claimant.stages) return claimant.stages
    const pinned = this.#pinned.filter(({ pool }) => admits(pool, claimant))
    claimant.stages = pinned.length === 0 ? this.#openOnly : [pinned, this.#open]
    return claimant.stages
  }

  #counts(claim: Claim): boolean {
    return !this.#standalone || claim.step.index < (this.#turn as Step).index
  }

  #blocker(address: string, claimant: Claimant): Claim | undefined {
    let first: Claim | undefined
    for (const claim of this.#ledger.claimsOn(address)) {
      if (claim.holder === claimant || !this.#counts(claim)) continue
      if (mayShare(claim.sharing, claimant.facts.sharing)) continue
      if (!first || claim.step.index < first.step.index) first = claim
    }
    return first
  }

  #firstFit(shelf: Shelf, claimant: Claimant): number | undefined {
    const fit = shelf.firstFit(claimant.facts.sharing)
    if (!this.#standalone || this.#cleared) return fit
    if (++this.#searches > costlySearches) {
      this.#clearLater()
      return shelf.firstFit(claimant.facts.sharing)
    }
    return this.#firstAmongLater(shelf, claimant, fit)
  }

  /** `fit`, or an address before it that only later steps hold. */
  #firstAmongLater(shelf: Shelf, claimant: Claimant, fit: number | undefined): number | undefined {
    const { steps } = this.#order
    let best = fit
    for (let i = (this.#turn as Step).index + 1; i < steps.length; i++) {
      const step = steps[i] as Step
      const { claims } = step.claimant
      // By index: this runs once for every later step.
      for (let j = 0; j < claims.length; j++) {
        const { slot, step: made } = claims[j] as Claim
        if (slot.shelf !== shelf || made !== step || slot.position >= (best ?? Number.POSITIVE_INFINITY))
          continue
        if (!this.#blocker(slot.address, claimant)) best = slot.position
      }
    }
    return best
  }

  /** When many steps are to change, all later ones start from nothing: they come out the same, and searches are short. */
  #clearLater(): void {
    const { steps } = this.#order
    for (let i = (this.#turn as Step).index + 1; i < steps.length; i++) {
      const step = steps[i] as Step
      for (const claim of step.claimant.claims) if (claim.step === step) this.#release(claim)
      this.#soil(step)
    }
    this.#cleared = true
  }

  /** With Kubernetes: a quick look whether trying again can be of any use. */
  #hopeless({ claims, facts, stages }: Claimant): boolean {
    const { families, request, sharing } = facts
    if (!('wanted' in families)) return true
    if (!stages || request.addresses.length > 0 || request.pool !== undefined || sharing.group !== '')
      return false
    const { wanted } = families
    const [claim] = claims
    if (claim) {
      if (wanted.mode !== 'prefer') return false
      return claim.slot.book[claim.slot.shelf.family === 4 ? 6 : 4]?.full ?? true
    }
    const spent = (book: Book, family: 4 | 6): boolean => book[family]?.full ?? true
    switch (wanted.mode) {
      case 'one':
        return stages.every(books => books.every(book => spent(book, wanted.family)))
      case 'both':
        return stages.every(books => books.every(book => spent(book, 4) || spent(book, 6)))
      default:
        return stages.every(books => books.every(book => spent(book, 4) && spent(book, 6)))
    }
  }

  // The result

  #publish(removed: readonly Claimant[]): Allocation {
    const changed: Claimant[] = []
    for (const claimant of this.#settled) {
      const assignment = assignmentOf(claimant)
      if (claimant.assignment && sameAssignment(claimant.assignment, assignment)) continue
      claimant.assignment = assignment
      this.#assignments.set(claimant.key, assignment)
      changed.push(claimant)
    }
    for (const claimant of removed) if (this.#assignments.delete(claimant.key)) changed.push(claimant)
    if (this.#moved) {
      const usage = this.#ledger.usage()
      if (!sameUsage(usage, this.#usage)) this.#usage = usage
    }
    return {
      services: this.#assignments,
      changed: changed.sort(byName).map(({ key }) => key),
      pools: this.#usage,
    }
  }
}

/** Lower first; 0 means none and comes last. */
const priorityOf = ({ pool }: Book): number => pool.serviceAllocation?.priority || Number.MAX_SAFE_INTEGER

/** Whether a Service asks for something else than what its status names. */
function disagrees({ facts: { request } }: Claimant, kept: readonly Place[]): boolean {
  if (request.malformed !== undefined) return false
  if (request.addresses.length > 0) return kept.some(({ address }) => !request.addresses.includes(address))
  return request.pool !== undefined && kept.some(({ book }) => book.pool.name !== request.pool)
}

/** Whether an address at `position` of the shelf comes before what the Service has, where the Service looks. */
function earlier(shelf: Shelf, position: number, claimant: Claimant, stages: Stages): boolean {
  const has = claimant.claims[0]?.slot.book
  const onShelf = claimant.claims.find(({ slot }) => slot.shelf === shelf)
  if (onShelf) return position < onShelf.slot.position
  if (claimant.facts.request.pool !== undefined) return false
  for (const books of stages) {
    for (const book of books) {
      if (book === has) return false
      if (book[shelf.family] === shelf) return true
    }
  }
  return false
}
