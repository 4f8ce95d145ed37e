import { EventEmitter } from 'eventemitter3'
import type { Member, Membership, MembershipEvents, MembershipStanding } from '../membership.ts'

/** A membership that a test decides on. A member is at its own name and port 7946; suspects live. */
export class MemoryMembership implements Membership {
  readonly events: EventEmitter<MembershipEvents> = new EventEmitter()
  /** What `silentMs` says of everybody. */
  silent: number | undefined
  #liveness: ReadonlyMap<string, Member['liveness']>
  #standing: MembershipStanding = 'confirmed'

  constructor(...alive: readonly string[]) {
    this.#liveness = new Map(alive.map(name => [name, 'alive']))
  }

  /** From now on these are the members, all alive. */
  become(...alive: readonly string[]): void {
    this.#liveness = new Map(alive.map(name => [name, 'alive']))
    this.events.emit('membership:changed')
  }

  /** From now on this member is like that. */
  mark(name: string, liveness: Member['liveness']): void {
    this.#liveness = new Map(this.#liveness).set(name, liveness)
    this.events.emit('membership:changed')
  }

  /** From now on this node is so sure of its own place. */
  stand(standing: MembershipStanding): void {
    this.#standing = standing
    this.events.emit('standing:changed', standing)
  }

  members(): readonly Member[] {
    return [...this.#liveness].map(([name, liveness]) => ({ name, address: `${name}:7946`, liveness }))
  }

  alive(): ReadonlySet<string> {
    const living = [...this.#liveness].filter(([, is]) => is === 'alive' || is === 'suspect')
    return new Set(living.map(([name]) => name))
  }

  standing(): MembershipStanding {
    return this.#standing
  }

  silentMs(): number | undefined {
    return this.silent
  }
}
