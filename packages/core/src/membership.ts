import type { EventEmitter } from 'eventemitter3'

/** A node as the gossip sees it. Suspects still count as members, as in MetalLB. */
export interface Member {
  readonly name: string
  readonly address: string
  readonly liveness: 'alive' | 'suspect' | 'dead' | 'left'
}

/**
 * How sure a node may be of its own place. `paused`: it was stopped for longer than others take to give up on it, and nobody has
 * confirmed since that it still belongs. `isolated`: it has had company and now hears nobody.
 */
export type MembershipStanding = 'confirmed' | 'paused' | 'isolated'

/** What a membership tells. */
export interface MembershipEvents {
  /** The set of names in `alive()` has changed. */
  'membership:changed': () => void
  'standing:changed': (standing: MembershipStanding) => void
}

/** Who is in the cluster. Gossip implements it; a speaker without one counts every node of its source as alive. */
export interface Membership {
  readonly events: EventEmitter<MembershipEvents>
  /**
   * Called once, when the speaker has done the long work of its start: others are to hear of a node that can answer them. Resolves when
   * there is something to go by.
   */
  start?(): Promise<void>
  members(): readonly Member[]
  /** Names of the members that count as living (alive or suspect); undefined: every node of the manifests does. */
  alive(): ReadonlySet<string> | undefined
  standing(): MembershipStanding
  /**
   * For how many milliseconds, about, nothing had been heard of a member when it was given up; 0 where it said goodbye. Undefined where it
   * is not gone, or nobody knows.
   */
  silentMs?(name: string): number | undefined
}
