import type {
  Advertisement,
  Clock,
  Interfaces,
  Logger,
  Metrics,
  Plan,
  Service,
  Snapshot,
  Speaker,
  SpeakerEvent,
} from '@carillon/core'
import type { Client, OwnerReference } from '../client/index.ts'
import { aboutService, EventRecorder, eventReasons } from '../events/index.ts'
import type { KubernetesSource } from '../source/index.ts'
import {
  type BgpSession,
  BgpSessionStateWriter,
  ConfigurationStateWriter,
  ServiceBgpStatusWriter,
  type ServiceL2Announcement,
  ServiceL2StatusWriter,
  type WriterStatus,
} from '../writers/index.ts'
import { shownSession } from './shown-session.ts'

/** What is needed to tell Kubernetes of a speaker. */
export interface SpeakerReporterOptions {
  readonly speaker: Speaker
  readonly client: Client
  /** One's own namespace, where the status objects are. */
  readonly namespace: string
  readonly source: KubernetesSource
  readonly clock: Clock
  /** 0 <= x < 1 */
  readonly random: () => number
  readonly log?: Logger
  readonly metrics?: Metrics
  /** The status objects go along with this, the speaker's Pod as a rule. */
  readonly owner?: OwnerReference
}

/** Milliseconds for which plans are gathered: announcing comes first, and of ten thousand Services the tenth plan in a row tells all. */
const gatherMs = 50

/** Milliseconds between looks at the BGP sessions, whose changes of state nobody announces one by one. */
const lookMs = 5000

const wider = (a: Interfaces, b: Interfaces): Interfaces =>
  a === 'all' || b === 'all' ? 'all' : [...new Set([...a, ...b])].sort()

/**
 * Tells Kubernetes what a speaker does: a ServiceL2Status and a ServiceBGPStatus for what it announces, a BGPSessionState for each session, its
 * ConfigurationState, and events of the Services. It follows the speaker and never stands in its way.
 */
export class SpeakerReporter implements AsyncDisposable {
  readonly #options: SpeakerReporterOptions
  readonly #layer2: ServiceL2StatusWriter
  readonly #bgp: ServiceBgpStatusWriter
  readonly #sessions: BgpSessionStateWriter
  readonly #state: ConfigurationStateWriter
  readonly #recorder: EventRecorder
  /** Who held a Service before this node, by key. */
  readonly #predecessors = new Map<string, string>()
  #lists: Readonly<Record<'one' | 'each', readonly Advertisement[]>> = { one: [], each: [] }
  #announced: Readonly<Record<'layer2' | 'bgp', ReadonlySet<string>>> = {
    layer2: new Set(),
    bgp: new Set(),
  }
  #services: { readonly of: Snapshot['services']; readonly byKey: ReadonlyMap<string, Service> } = {
    of: [],
    byKey: new Map(),
  }
  /** The sessions as they are shown. */
  #shown: ReadonlyMap<string, BgpSession> = new Map()
  #cancel: (() => void) | undefined
  #cancelReport: (() => void) | undefined
  #closed = false

  constructor(options: SpeakerReporterOptions) {
    this.#options = options
    const { speaker, client, namespace, clock, random, log, metrics, owner } = options
    const { node } = speaker
    const common = { client, clock, random, ...(log && { log }), ...(metrics && { metrics }) }
    const objects = { ...common, namespace, node, ...(owner && { owner }) }
    this.#layer2 = new ServiceL2StatusWriter(objects)
    this.#bgp = new ServiceBgpStatusWriter(objects)
    this.#sessions = new BgpSessionStateWriter(objects)
    this.#state = new ConfigurationStateWriter({ ...objects, component: { type: 'speaker', node } })
    this.#recorder = new EventRecorder({ ...common, component: 'metallb-speaker', host: node })
  }

  /** Begins to follow the speaker. Call it before the speaker is started. */
  start(): void {
    const { events } = this.#options.speaker
    events.on('plan:changed', this.#planned)
    events.on('speaker:event', this.#happened)
    events.on('configuration:checked', this.#checked)
    this.#look()
  }

  status(): readonly WriterStatus[] {
    return [this.#layer2, this.#bgp, this.#sessions, this.#state, this.#recorder].map(one => one.status())
  }

  /** Resolves when nothing is left to be written. */
  async idle(): Promise<void> {
    const all = [this.#layer2, this.#bgp, this.#sessions, this.#state, this.#recorder]
    await Promise.all(all.map(one => one.idle()))
  }

  /** Stops following and writing; what was written stays until its owner goes. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#cancel?.()
    this.#cancelReport?.()
    const { events } = this.#options.speaker
    events.off('plan:changed', this.#planned)
    events.off('speaker:event', this.#happened)
    events.off('configuration:checked', this.#checked)
    const all = [this.#layer2, this.#bgp, this.#sessions, this.#state, this.#recorder]
    await Promise.allSettled(all.map(one => one[Symbol.asyncDispose]()))
  }

  readonly #planned = (): void => {
    this.#cancelReport ??= this.#options.clock.after(gatherMs, () => {
      this.#cancelReport = undefined
      const { plan } = this.#options.speaker
      if (plan) this.#report(plan)
    })
  }

  #report(plan: Plan): void {
    const { speaker } = this.#options
    const one = plan.advertisementsFor(speaker.node, 'one')
    const each = plan.advertisementsFor(speaker.node, 'each')
    if (one !== this.#lists.one) this.#reportLayer2(plan, one)
    if (each !== this.#lists.each) this.#reportBgp(each)
    this.#lists = { one, each }
    this.#state.reconcile(speaker.problems)
  }

  #reportLayer2(plan: Plan, list: readonly Advertisement[]): void {
    const announced = new Map<string, ServiceL2Announcement>()
    for (const { services, options } of list) {
      for (const key of services) {
        const interfaces = options.interfaces as Interfaces
        const known = announced.get(key)
        const predecessor = this.#predecessors.get(key)
        announced.set(key, {
          interfaces: known ? wider(known.interfaces, interfaces) : interfaces,
          ...(predecessor === undefined ? {} : { after: [predecessor] }),
        })
      }
    }
    for (const key of this.#predecessors.keys()) if (!plan.services.has(key)) this.#predecessors.delete(key)
    this.#layer2.reconcile(announced)
    this.#tellAssigned('layer2', new Set(announced.keys()))
  }

  #reportBgp(list: readonly Advertisement[]): void {
    const announced = new Map<string, Set<string>>()
    for (const { services, options } of list) {
      const peers = options.peers as readonly { readonly peer: string }[]
      for (const key of services) {
        const names = announced.get(key) ?? new Set()
        for (const { peer } of peers) names.add(peer)
        announced.set(key, names)
      }
    }
    this.#bgp.reconcile(announced)
    this.#tellAssigned('bgp', new Set(announced.keys()))
  }

  #tellAssigned(protocol: 'layer2' | 'bgp', keys: ReadonlySet<string>): void {
    const { node } = this.#options.speaker
    const before = this.#announced[protocol]
    this.#announced = { ...this.#announced, [protocol]: keys }
    for (const key of keys) {
      if (!before.has(key))
        this.#record(key, 'Normal', eventReasons.nodeAssigned, `announced from node ${node} by ${protocol}`)
    }
  }

  readonly #happened = (event: SpeakerEvent): void => {
    const { speaker } = this.#options
    const { type, services = [], from, to, address, message } = event
    if (type === 'ownerChanged' && to === speaker.node && from !== undefined && from !== speaker.node)
      for (const key of services) this.#predecessors.set(key, from)
    if (type === 'announcementFailed' && address !== undefined) {
      const behind = this.#lists.one.concat(this.#lists.each).filter(one => one.address === address)
      for (const key of behind.flatMap(one => one.services))
        this.#record(key, 'Warning', eventReasons.announceFailed, message)
    }
    if (type === 'peerUp' || type === 'peerDown') this.#reportSessions()
  }

  readonly #checked = (): void => this.#state.reconcile(this.#options.speaker.problems)

  #record(key: string, type: 'Normal' | 'Warning', reason: string, message: string): void {
    const service = this.#service(key)
    if (service) this.#recorder.record({ about: aboutService(service), type, reason, message })
  }

  #service(key: string): Service | undefined {
    const { services } = this.#options.source.current()
    if (services !== this.#services.of) {
      const byKey = new Map(services.map(one => [`${one.metadata.namespace}/${one.metadata.name}`, one]))
      this.#services = { of: services, byKey }
    }
    return this.#services.byKey.get(key)
  }

  #look(): void {
    if (this.#closed) return
    this.#cancel = this.#options.clock.after(lookMs, () => {
      this.#reportSessions()
      this.#look()
    })
  }

  #reportSessions(): void {
    const { speaker } = this.#options
    const shown = speaker.sessions().map(session => {
      const key = JSON.stringify([session.peer, session.vrf, session.address ?? session.interface])
      return [key, shownSession(session, this.#shown.get(key))] as const
    })
    this.#shown = new Map(shown)
    this.#sessions.reconcile([...this.#shown.values()])
  }
}
