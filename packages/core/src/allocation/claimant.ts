import type { LabelMap } from '../config/config.ts'
import type { Service } from '../resources/index.ts'
import type { Applicant } from './admission.ts'
import type { Assignment, Reason } from './assignment.ts'
import type { Families } from './families.ts'
import type { Book, Claim } from './ledger.ts'
import type { Request } from './request.ts'
import type { Sharing } from './sharing.ts'

/** What allocation reads in a Service: everything that does not depend on the pools or on other Services. */
export interface Facts {
  /** Present: the Service is not ours. */
  readonly ignored: Reason | undefined
  readonly families: Families
  readonly request: Request
  readonly sharing: Sharing
  /** The addresses that its status names, canonical and distinct. */
  readonly status: readonly string[]
}

/** Where a Service looks for an address when it does not say: pools with rules that admit it, then pools for everybody. */
export type Stages = readonly (readonly Book[])[]

/** One turn of a Service: first to claim again what its status names, later to settle what it still lacks. */
export interface Step {
  readonly claimant: Claimant
  readonly stage: 'adopt' | 'settle'
  /** Lower ones come first: the more addresses in the status, the lower; then requested addresses; then the rest. */
  rank: number
  /** Place in the order of all steps; kept current. */
  index: number
  /** Must run in this update. */
  dirty: boolean
}

/** `namespace/name` */
export const keyOf = ({ metadata }: Service): string => `${metadata.namespace}/${metadata.name}`

/** A Service as the allocator knows it. */
export class Claimant implements Applicant {
  readonly key: string
  readonly name: string
  readonly namespace: string
  service: Service
  facts: Facts
  namespaceLabels: LabelMap | undefined
  /** Where it may look; undefined: to be found out. */
  stages: Stages | undefined = undefined
  /** What it holds, in publishing order. */
  claims: readonly Claim[] = []
  /** Absent when its status names nothing. */
  adopt: Step | undefined
  readonly settle: Step
  readonly #settleAlone: readonly Step[]
  /** Something that it asks for is out of reach: try again when addresses come free. */
  waiting = false
  /** Some of its addresses were chosen for it, so that an earlier one coming free matters (standalone). */
  sought = false
  reason: Reason | undefined = undefined
  assignment: Assignment | undefined = undefined

  constructor(service: Service, facts: Facts, namespaceLabels: LabelMap | undefined) {
    this.key = keyOf(service)
    this.name = service.metadata.name
    this.namespace = service.metadata.namespace
    this.service = service
    this.facts = facts
    this.namespaceLabels = namespaceLabels
    this.settle = { claimant: this, stage: 'settle', rank: this.settleRank, index: 0, dirty: false }
    this.#settleAlone = [this.settle]
    this.adopt = this.nextAdopt()
  }

  get labels(): LabelMap {
    return this.service.metadata.labels
  }

  /** Its turns in the order in which they come. */
  get steps(): readonly Step[] {
    return this.adopt ? [this.adopt, this.settle] : this.#settleAlone
  }

  /** The rank that its facts give to `settle`. */
  get settleRank(): number {
    return this.facts.request.addresses.length > 0 ? 1 : 2
  }

  /** The step that its facts give it for adoption: the present one where that will do. */
  nextAdopt(): Step | undefined {
    const { length } = this.facts.status
    if (length === 0) return undefined
    if (this.adopt?.rank === -length) return this.adopt
    return { claimant: this, stage: 'adopt', rank: -length, index: 0, dirty: false }
  }
}
