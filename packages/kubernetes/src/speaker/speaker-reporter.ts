import type {
  Advertisement,
  Clock,
  Interfaces,
  Logger,
  Metrics,
  Plan,
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

import { type AnnouncedChange, AnnouncedServices } from './announced-services.ts'
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
  readonly #announced = { layer2: new AnnouncedServices(), bgp: new AnnouncedServices() }
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
    const changes = this.#announced.layer2.follow(list)
    const announced = new Map<string, ServiceL2Announcement | undefined>()
    for (const [key, { by }] of changes) {
      let interfaces: Interfaces | undefined
      for (const { options } of by) {
        const one = options.interfaces as Interfaces
        interfaces = interfaces ? wider(interfaces, one) : one
      }
      const predecessor = this.#predecessors.get(key)
      const after = predecessor === undefined ? {} : { after: [predecessor] }
      announced.set(key, interfaces && { interfaces, ...after })
    }
    for (const key of this.#predecessors.keys()) if (!plan.services.has(key)) this.#predecessors.delete(key)
    this.#layer2.change(announced)
    this.#tellAssigned('layer2', changes)
  }

  #reportBgp(list: readonly Advertisement[]): void {
    const changes = this.#announced.bgp.follow(list)
    const announced = new Map<string, readonly string[]>()
    for (const [key, { by }] of changes) {
      const peers = [...by].flatMap(({ options }) => options.peers as readonly { readonly peer: string }[])
      announced.set(
        key,
        peers.map(({ peer }) => peer),
      )
    }
    this.#bgp.change(announced)
    this.#tellAssigned('bgp', changes)
  }

  #tellAssigned(protocol: 'layer2' | 'bgp', changes: ReadonlyMap<string, AnnouncedChange>): void {
    const keys = [...changes].filter(([, { by, fresh }]) => fresh && by.size > 0).map(([key]) => key)
    const message = `announced from node ${this.#options.speaker.node} by ${protocol}`
    this.#record(keys, 'Normal', eventReasons.nodeAssigned, message)
  }

  readonly #happened = (event: SpeakerEvent): void => {
    const { speaker } = this.#options
    const { type, services = [], from, to, address, message } = event
    if (type === 'ownerChanged' && to === speaker.node && from !== undefined && from !== speaker.node)
      for (const key of services) this.#predecessors.set(key, from)
    if (type === 'announcementFailed' && address !== undefined) {
      const { layer2, bgp } = this.#announced
      const behind = layer2.behind(address).concat(bgp.behind(address))
      const keys = behind.flatMap(one => one.services)
      this.#record(keys, 'Warning', eventReasons.announceFailed, message)
    }
    if (type === 'peerUp' || type === 'peerDown') this.#reportSessions()
  }

  readonly #checked = (): void => this.#state.reconcile(this.#options.speaker.problems)

  #record(keys: readonly string[], type: 'Normal' | 'Warning', reason: string, message: string): void {
    if (keys.length === 0) return
    const wanted = new Set(keys)
    const { services } = this.#options.source.current()
    for (const service of services) {
      const { namespace, name } = service.metadata
      if (wanted.has(`${namespace}/${name}`))
        this.#recorder.record({ about: aboutService(service), type, reason, message })
    }
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
