import type { Clock } from '../clock.ts'
import type { Because, Plan, ServicePlan } from '../ownership/index.ts'
import type { SpeakerEvent } from './history.ts'

interface Ownership {
  readonly owner: string
  readonly since: Date
}

/** Why the node that spoke for a Service does so no more. */
function because(planned: ServicePlan | undefined, before: string | undefined): Because | undefined {
  if (!planned || before === undefined) return undefined
  const verdict = planned.verdict(before)
  return verdict.speak ? undefined : verdict.because
}

/** Remembers since when each Service's address has had its owner, and tells when it gets another one. */
export class Owners {
  readonly #clock: Clock
  readonly #tell: (event: Omit<SpeakerEvent, 'at'>) => void
  readonly #silentMs: (node: string) => number | undefined
  readonly #owners = new Map<string, Ownership>()
  #followed = false

  /** @param silentMs for how long a node that is gone had been silent; see `Membership` */
  constructor(
    clock: Clock,
    tell: (event: Omit<SpeakerEvent, 'at'>) => void,
    silentMs: (node: string) => number | undefined = () => undefined,
  ) {
    this.#clock = clock
    this.#tell = tell
    this.#silentMs = silentMs
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
      const why = because(planned, before)
      const gapMs = why === 'notAlive' && before !== undefined ? this.#silentMs(before) : undefined
      this.#tell({
        type: 'ownerChanged',
        message: `${service}${address === undefined ? '' : ` (${address})`}: ${before ?? 'nobody'} -> ${owner ?? 'nobody'}`,
        services: [service],
        ...(address === undefined ? {} : { address }),
        ...(before === undefined ? {} : { from: before }),
        ...(owner === undefined ? {} : { to: owner }),
        ...(why === undefined ? {} : { because: why }),
        ...(gapMs === undefined ? {} : { gapMs }),
      })
    }
  }
}
