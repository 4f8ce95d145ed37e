import type { EventEmitter } from 'eventemitter3'

/** A node as the gossip sees it. Suspects still count as members, as in MetalLB. */
export interface Member {
  readonly name: string
  readonly address: string
  readonly liveness: 'alive' | 'suspect' | 'dead' | 'left'
}

export interface MembershipEvents {
  /** The set of names in `alive()` has changed. */
  'membership:changed': () => void
}

/** Who is in the cluster. Gossip implements it; `everyNode` stands in where there is none. */
export interface Membership {
  readonly events: EventEmitter<MembershipEvents>
  members(): readonly Member[]
  /** Names of the members that count as living (alive or suspect); undefined: every node of the manifests does. */
  alive(): ReadonlySet<string> | undefined
}
