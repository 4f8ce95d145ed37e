import { formatMac } from '../address.ts'
import type { Problem } from '../config/problem.ts'
import type { Member } from '../membership.ts'
import type { Link } from '../network.ts'
import { describePlan, type Plan, type PlanDocument } from '../ownership/index.ts'
import type { SpeakerEvent } from './history.ts'
import type { Owners } from './owners.ts'
import type { Stage } from './stage.ts'

/** What a speaker says of itself and of the cluster; `carillon status --json`, `/api/v1/status`. Dates are ISO 8601. */
export interface SpeakerStatus {
  readonly node: string
  readonly version: string
  readonly startedAt: string
  readonly now: string
  /** `loading` and `invalid`: nothing is announced; `stale`: the last valid configuration is in force, the newer one is invalid. */
  readonly configuration: 'loading' | 'valid' | 'stale' | 'invalid'
  readonly members: readonly Member[]
  readonly services: readonly ServiceStatus[]
  readonly pools: PlanDocument['pools']
  readonly problems: readonly Problem[]
  readonly interfaces: readonly InterfaceStatus[]
  readonly announcers: readonly AnnouncerStatus[]
  /** Oldest first. */
  readonly events: readonly SpeakerEvent[]
}

/** A Service as the plan shows it, and who holds it since when. */
export type ServiceStatus = PlanDocument['services'][number] & {
  /** The elected node; null when nobody is. */
  readonly owner: string | null
  /** Since when, as this node saw it. */
  readonly since: string | null
  /** The owner, and who follows when it goes, in order. */
  readonly succession: readonly string[]
}

export interface InterfaceStatus {
  readonly name: string
  readonly mac: string
  readonly up: boolean
  readonly carrier: boolean
  readonly addresses: readonly string[]
}

export interface AnnouncerStatus {
  readonly name: string
  /** Why it does not work as a whole; null when it does. */
  readonly failure: string | null
  readonly status: readonly {
    readonly address: string
    readonly state: 'pending' | 'announced' | 'failed'
    readonly via: readonly string[]
    readonly error: { readonly code: string; readonly message: string } | null
  }[]
}

/** The parts that a status is made of. */
export interface StatusParts {
  readonly node: string
  readonly version: string
  readonly startedAt: Date
  readonly now: Date
  readonly members: readonly Member[] | undefined
  readonly alive: ReadonlySet<string> | undefined
  readonly links: readonly Link[]
  readonly stages: readonly Stage[]
  readonly plan: Plan | undefined
  readonly problems: readonly Problem[]
  readonly owners: Owners
  readonly events: readonly SpeakerEvent[]
}

/** Without a membership every node that the plan counts on is shown as alive; its address is not known. */
const assumed = (alive: ReadonlySet<string> | undefined): readonly Member[] =>
  [...(alive ?? [])].sort().map(name => ({ name, address: '', liveness: 'alive' }))

function configurationOf({ plan, problems }: StatusParts): SpeakerStatus['configuration'] {
  const broken = problems.some(problem => problem.severity === 'error')
  if (plan) return broken ? 'stale' : 'valid'
  return broken ? 'invalid' : 'loading'
}

/** Puts the status together. Pure. */
export function describeSpeaker(parts: StatusParts): SpeakerStatus {
  const { node, version, startedAt, now, members, alive, links, stages, plan, problems, owners, events } =
    parts
  const document = plan ? describePlan(plan, problems) : { services: [], pools: [], problems }
  return {
    node,
    version,
    startedAt: startedAt.toISOString(),
    now: now.toISOString(),
    configuration: configurationOf(parts),
    members: members ?? assumed(alive),
    services: document.services.map(service => {
      const key = `${service.namespace}/${service.name}`
      const planned = plan?.services.get(key)
      return {
        ...service,
        owner: planned?.owner ?? null,
        since: owners.since(key)?.toISOString() ?? null,
        succession: planned?.succession() ?? [],
      }
    }),
    pools: document.pools,
    problems,
    interfaces: links.map(link => ({
      name: link.name,
      mac: formatMac(link.mac),
      up: link.up,
      carrier: link.carrier,
      addresses: link.addresses.map(({ address, prefixLength }) => `${address}/${prefixLength}`),
    })),
    announcers: stages.map(stage => ({
      name: stage.announcer.name,
      failure: stage.failure ?? null,
      status: stage.status().map(({ address, state, via, error }) => ({
        address,
        state,
        via,
        error: error ? { code: error.code, message: error.message } : null,
      })),
    })),
    events,
  }
}
