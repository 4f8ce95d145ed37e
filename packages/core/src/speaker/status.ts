import { canonicalAddress, formatMac } from '../address.ts'
import type { Problem } from '../config/problem.ts'
import type { Member } from '../membership.ts'
import type { Link } from '../network.ts'
import { describeService, type Plan, type PlanDocument, type ServicePlan } from '../ownership/index.ts'
import type { SpeakerEvent } from './history.ts'
import type { Owners } from './owners.ts'
import { describeSession, type SessionDocument } from './session-status.ts'
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
  /** Of all announcers, by announcer and peer. */
  readonly sessions: readonly SessionDocument[]
  /** Oldest first. */
  readonly events: readonly SpeakerEvent[]
}

/** The status without Services and without what announcers say of single addresses. */
export type SpeakerOverview = Omit<SpeakerStatus, 'services' | 'announcers'>

/** A Service as the plan shows it, and who holds it since when. */
export type ServiceStatus = PlanDocument['services'][number] & {
  /** The elected node; null when nobody is. */
  readonly owner: string | null
  /** Since when, as this node saw it. */
  readonly since: string | null
  /** The owner, and who follows when it goes, in order; only the owner in the status of a large cluster as a whole. */
  readonly succession: readonly string[]
}

/** A network interface in the status of a speaker. */
export interface InterfaceStatus {
  readonly name: string
  readonly mac: string
  readonly up: boolean
  readonly carrier: boolean
  readonly addresses: readonly string[]
}

/** An announcer in the status of a speaker. */
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
  /** Only the Services that this means: `namespace/name`, or an address. */
  readonly of: string | undefined
}

/**
 * Services times nodes up to which every node's verdict on every Service is listed. Beyond it a status of everything would take seconds
 * to compute, in which nothing else happens; of a single Service it is always whole.
 */
const wholeUpTo = 20_000

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** The Services that are asked for, by namespace and name. */
function select(plan: Plan, of: string | undefined): readonly ServicePlan[] {
  if (of === undefined) {
    return [...plan.services.values()].sort(
      (a, b) => order(a.namespace, b.namespace) || order(a.name, b.name),
    )
  }
  const address = canonicalAddress(of)
  const keys = address === undefined ? [of] : (plan.addresses.get(address)?.services ?? [])
  return keys.flatMap(key => plan.services.get(key) ?? [])
}

function servicesOf({ plan, owners, node, of }: StatusParts): readonly ServiceStatus[] {
  if (!plan) return []
  const selected = select(plan, of)
  const all = [...plan.nodes.keys()].sort(order)
  const whole = of !== undefined || selected.length * all.length <= wholeUpTo
  const nodes = whole ? all : [node]
  return selected.map(service => {
    const { owner } = service
    return {
      ...describeService(service, nodes),
      owner: owner ?? null,
      since: owners.since(service.key)?.toISOString() ?? null,
      succession: whole ? service.succession() : owner === undefined ? [] : [owner],
    }
  })
}

/** Without a membership every node that the plan counts on is shown as alive; its address is not known. */
const assumed = (alive: ReadonlySet<string> | undefined): readonly Member[] =>
  [...(alive ?? [])].sort().map(name => ({ name, address: '', liveness: 'alive' }))

/** How the configuration stands. */
export function configurationOf({
  plan,
  problems,
}: Pick<StatusParts, 'plan' | 'problems'>): SpeakerStatus['configuration'] {
  const broken = problems.some(problem => problem.severity === 'error')
  if (plan) return broken ? 'stale' : 'valid'
  return broken ? 'invalid' : 'loading'
}

/** Puts together what does not grow with the number of addresses. Pure. */
export function describeOverview(parts: StatusParts): SpeakerOverview {
  const { node, version, startedAt, now, members, alive, links, stages, plan, problems, events } = parts
  return {
    node,
    version,
    startedAt: startedAt.toISOString(),
    now: now.toISOString(),
    configuration: configurationOf(parts),
    members: members ?? assumed(alive),
    pools: plan?.pools ?? [],
    problems,
    interfaces: links.map(link => ({
      name: link.name,
      mac: formatMac(link.mac),
      up: link.up,
      carrier: link.carrier,
      addresses: link.addresses.map(({ address, prefixLength }) => `${address}/${prefixLength}`),
    })),
    sessions: stages.flatMap(stage =>
      stage.sessions().map(session => describeSession(stage.announcer.name, session)),
    ),
    events,
  }
}

/** Puts the whole status together. Pure. */
export function describeSpeaker(parts: StatusParts): SpeakerStatus {
  const { node, version, startedAt, now, configuration, members, pools, problems, interfaces, ...rest } =
    describeOverview(parts)
  const head = { node, version, startedAt, now, configuration, members }
  const announcers = parts.stages.map(stage => ({
    name: stage.announcer.name,
    failure: stage.failure ?? null,
    status: stage.status().map(({ address, state, via, error }) => ({
      address,
      state,
      via,
      error: error ? { code: error.code, message: error.message } : null,
    })),
  }))
  return { ...head, services: servicesOf(parts), pools, problems, interfaces, announcers, ...rest }
}
