import type { Clock } from '../clock.ts'
import type { Plan } from '../ownership/index.ts'
import type { SpeakerEvent } from './history.ts'

interface Ownership {
  readonly owner: string
  readonly since: Date
}

/** Remembers since when each Service's address has had its owner, and tells when it gets another one. */
export class Owners {
  readonly #clock: Clock
  readonly #tell: (event: Omit<SpeakerEvent, 'at'>) => void
  readonly #owners = new Map<string, Ownership>()
  #followed = false

  constructor(clock: Clock, tell: (event: Omit<SpeakerEvent, 'at'>) => void) {
    this.#clock = clock
    this.#tell = tell
  }

  /** Since when the owner that the plan names has been the owner, as this node saw it. */
  since(service: string): Date | undefined {
    return this.#owners.get(service)?.since
  }

  follow(plan: Plan): void {
    // The first plan that we are shown may be the second that was made.
    const changed = this.#followed ? plan.changed : plan.services.keys()
    this.#followed = true
    for (const service of changed) {
      const planned = plan.services.get(service)
      const before = this.#owners.get(service)?.owner
      const owner = planned?.owner
      if (owner === before) continue
      if (owner === undefined) this.#owners.delete(service)
      else this.#owners.set(service, { owner, since: this.#clock.date() })
      const address = planned?.addresses[0]
      this.#tell({
        type: 'ownerChanged',
        message: `${service}${address === undefined ? '' : ` (${address})`}: ${before ?? 'nobody'} -> ${owner ?? 'nobody'}`,
        services: [service],
        ...(address === undefined ? {} : { address }),
        ...(before === undefined ? {} : { from: before }),
        ...(owner === undefined ? {} : { to: owner }),
      })
    }
  }
}
