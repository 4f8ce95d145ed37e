import { EventEmitter } from 'eventemitter3'
import { Adopter, type Allocation, Allocator, type AllocatorInput } from '../allocation/index.ts'
import type { Blackboard } from '../blackboard.ts'
import type { Clock } from '../clock.ts'
import type { Config, LabelMap } from '../config/config.ts'
import { ConfigParser, type Problem } from '../config/index.ts'
import type { CarillonError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Membership, MembershipStanding } from '../membership.ts'
import type { Metrics } from '../metrics.ts'
import type { Links, Network } from '../network.ts'
import { healthyNodes, type Plan, type PlanInputs, Planner } from '../ownership/index.ts'
import type { Source } from '../source/source.ts'
import type { Advertisement, Announcer, AnnouncerFactory } from './announcer.ts'
import { type Claim, Claims, decodeClaims, encodeClaims } from './claims.ts'
import { History, type SpeakerEvent } from './history.ts'
import { HoldDown } from './hold-down.ts'
import { Instruments } from './instruments.ts'
import { Owners } from './owners.ts'
import type { SessionStatus } from './session-status.ts'
import { Stage } from './stage.ts'
import {
  configurationOf,
  describeOverview,
  describeSpeaker,
  type SpeakerOverview,
  type SpeakerStatus,
  type StatusParts,
} from './status.ts'
import { Story } from './story.ts'

/** What a speaker is made of. */
export interface SpeakerOptions {
  /** Name of this node: what Kubernetes calls it, what the others elect it by. */
  readonly node: string
  readonly source: Source
  /** Without one every node of the source counts as alive, and so does this one. */
  readonly membership?: Membership
  readonly announcers: readonly AnnouncerFactory[]
  readonly clock: Clock
  readonly network: Network
  readonly log: Logger
  readonly metrics: Metrics
  /** 0 <= x < 1 */
  readonly random: () => number
  /** Shown in the status. */
  readonly version: string
  /**
   * No Kubernetes around: cluster IPs, EndpointSlices and Node objects may be missing.
   * @default false
   */
  readonly standalone?: boolean
  /**
   * Where addresses come from. `allocate`: this speaker gives them to Services itself. `adopt`: it takes what the status of each Service
   * names, since a controller allocates.
   * @default 'allocate'
   */
  readonly assignments?: 'allocate' | 'adopt'
  /** Serve Services of this class; absent: those without a class. */
  readonly loadBalancerClass?: string
  /**
   * With `loadBalancerClass`: serve Services without a class as well.
   * @default false
   */
  readonly alsoUnclassed?: boolean
  /**
   * Announce also from nodes labelled `node.kubernetes.io/exclude-from-external-load-balancers`.
   * @default false
   */
  readonly ignoreExcludeLb?: boolean
  /**
   * What to do when this node has had company and now hears nobody: it may be alone in the world, or cut off from clients, too.
   * `announce`, as MetalLB does: it takes every address. `silent`: it gives up what it has until it hears somebody.
   * @default 'announce'
   */
  readonly whenIsolated?: 'announce' | 'silent'
  /**
   * Milliseconds that a node which comes (back) to the cluster waits before it may be elected; has to be the same on every node.
   * @default 0
   */
  readonly holdDownMs?: number
  /**
   * Makes ownership sticky: who holds an address keeps it while it may stand, whatever the election says. All nodes of a cluster have to
   * be given one; MetalLB's speakers do not know it.
   * @default none: the election alone decides
   */
  readonly sticky?: Blackboard
}

/** What a speaker tells. */
export interface SpeakerEvents {
  /** Something that people want to know of has happened. */
  'speaker:event': (event: SpeakerEvent) => void
  /** There is a newer plan. */
  'plan:changed': (plan: Plan) => void
  /** What the source holds is invalid (the last valid configuration stays in force), or is valid again (no problems). */
  'configuration:checked': (problems: readonly Problem[]) => void
}

const nothing: readonly Advertisement[] = []

const unlabelled: LabelMap = {}

/** Claims that go into one message. */
const claimsAtOnce = 12

/** Milliseconds after which a node that has met nobody claims addresses all the same. */
const companyMs = 3000

/**
 * The loop: the newest snapshot, configuration and membership give the plan, the plan gives each announcer its whole desired set.
 * Every change replays it. An invalid configuration leaves the last valid one in force; an announcer that fails leaves the others
 * alone.
 */
export class Speaker implements AsyncDisposable {
  readonly events: EventEmitter<SpeakerEvents> = new EventEmitter()
  readonly node: string
  readonly #options: SpeakerOptions
  readonly #log: Logger
  readonly #parser = new ConfigParser()
  readonly #allocator: { update(input: AllocatorInput): Allocation }
  readonly #planner = new Planner()
  readonly #stages: readonly Stage[]
  readonly #history = new History()
  readonly #instruments: Instruments
  readonly #owners: Owners
  readonly #startedAt: Date
  readonly #story: Story
  #config: Config | undefined
  #plan: Plan | undefined
  #problems: readonly Problem[] = []
  #refused = ''
  #links: Links | undefined
  readonly #holdDown: HoldDown
  readonly #claims: Claims | undefined
  #cancel: (() => void) | undefined
  #cancelHold: (() => void) | undefined
  #cancelClaim: (() => void) | undefined
  #silent: MembershipStanding | undefined
  #started = false
  #retired = false
  #closed = false

  constructor(options: SpeakerOptions) {
    this.#options = options
    this.node = options.node
    this.#log = options.log
    this.#startedAt = options.clock.date()
    const seed = `${options.node} ${this.#startedAt.getTime()}`
    this.#story = new Story(options.clock, options.log, seed)
    this.#holdDown = new HoldDown(options.node, options.holdDownMs ?? 0)
    this.#claims = options.sticky && this.#shareClaims(options.sticky)
    const { loadBalancerClass, alsoUnclassed = false, standalone = false } = options
    const ours = { ...(loadBalancerClass === undefined ? {} : { loadBalancerClass }), alsoUnclassed }
    this.#allocator =
      options.assignments === 'adopt' ? new Adopter(ours) : new Allocator({ ...ours, standalone })
    this.#instruments = new Instruments(options.metrics, options.node)
    this.#owners = new Owners(
      options.clock,
      event => this.#tell(event),
      name => options.membership?.silentMs?.(name),
    )
    const { node, clock, network, log, metrics, random } = options
    this.#stages = options.announcers.map(factory => {
      const announcer = factory({
        node,
        clock,
        network,
        log: log.child({ component: 'announcer' }),
        metrics,
        random,
      })
      return new Stage(announcer, {
        clock,
        log: log.child({ announcer: announcer.name }),
        tell: event => this.#tell(event),
        said: (address, able) => this.#story.said(announcer.name, address, able),
      })
    })
  }

  #shareClaims(blackboard: Blackboard): Claims {
    const claims = new Claims()
    blackboard.known(() => encodeClaims(claims.all()))
    blackboard.heard(message => {
      if (claims.merge(decodeClaims(message))) this.#soon()
    })
    return claims
  }

  /** Tells everybody which addresses this node holds now. Not before it has met somebody, who may know better. */
  #claim(plan: Plan): void {
    const { sticky, clock, membership } = this.#options
    if (!this.#claims || !sticky) return
    const company = membership === undefined || membership.members().length > 1
    if (!company && clock.date().getTime() - this.#startedAt.getTime() < companyMs) {
      this.#cancelClaim?.()
      this.#cancelClaim = clock.after(companyMs, this.#soon)
      return
    }
    const made: readonly Claim[] = this.#claims.follow(plan.addresses, this.node, clock.date().getTime())
    for (let at = 0; at < made.length; at += claimsAtOnce)
      sticky.tell(encodeClaims(made.slice(at, at + claimsAtOnce)))
  }

  /** Resolves once the first plan has been made and handed to the announcers, or the source's configuration was found invalid. */
  async start(): Promise<void> {
    const { source, membership, network } = this.#options
    source.events.on('snapshot:changed', this.#soon)
    source.events.on('source:failed', this.#sourceFailed)
    membership?.events.on('membership:changed', this.#soon)
    membership?.events.on('standing:changed', this.#standingChanged)
    await Promise.all([source.start(), this.#openLinks(network), ...this.#stages.map(stage => stage.start())])
    this.#warmUp()
    await membership?.start?.()
    this.#started = true
    this.#tell({ type: 'started', message: `speaker of ${this.node} started` })
    this.replan()
  }

  /** Interfaces are for the status only: without them everything else goes on. */
  async #openLinks(network: Network): Promise<void> {
    try {
      const links = await network.links()
      if (this.#closed) await links[Symbol.asyncDispose]()
      else this.#links = links
    } catch (error) {
      this.#log.warn({ err: error }, 'interfaces cannot be listed in the status')
    }
  }

  /** The plan in force; undefined before there was a valid configuration. */
  get plan(): Plan | undefined {
    return this.#plan
  }

  /** When this speaker was made. */
  get startedAt(): Date {
    return this.#startedAt
  }

  /** What is wrong with what the source holds now. */
  get problems(): readonly Problem[] {
    return this.#problems
  }

  /** How the configuration stands; see `SpeakerStatus`. */
  get configuration(): SpeakerStatus['configuration'] {
    return configurationOf({ plan: this.#plan, problems: this.#problems })
  }

  /** True once a valid configuration is in force and every announcer has started. */
  get ready(): boolean {
    return this.#plan !== undefined && this.#stages.every(stage => stage.started)
  }

  /** The announcers that do not work as a whole, and why: a missing capability, for one. */
  failures(): readonly { readonly name: string; readonly failure: string }[] {
    return this.#stages.flatMap(({ announcer, failure }) =>
      failure === undefined ? [] : [{ name: announcer.name, failure }],
    )
  }

  /** The sessions that its announcers have with neighbours. */
  sessions(): readonly SessionStatus[] {
    return this.#stages.flatMap(stage => stage.sessions())
  }

  get announcers(): readonly Announcer[] {
    return this.#stages.map(stage => stage.announcer)
  }

  /**
   * Everything that people and programs ask a speaker for.
   *
   * @param of only the Services that this means: `namespace/name`, or an address
   */
  status(of?: string): SpeakerStatus {
    return describeSpeaker(this.#parts(of))
  }

  /** The status without what grows with the number of addresses: cheap enough to be asked for every second. */
  overview(): SpeakerOverview {
    return describeOverview(this.#parts(undefined))
  }

  /** Since when a Service, by `namespace/name`, has had its present owner, as this node saw it. */
  ownedSince(service: string): Date | undefined {
    return this.#owners.since(service)
  }

  #parts(of: string | undefined): StatusParts {
    const { version, membership, clock } = this.#options
    return {
      node: this.node,
      version,
      startedAt: this.#startedAt,
      now: clock.date(),
      // Where the membership does not count, every node of the source does.
      members: membership?.alive() ? membership.members() : undefined,
      alive: this.#alive(),
      links: this.#links?.current() ?? [],
      stages: this.#stages,
      plan: this.#plan,
      problems: this.#problems,
      owners: this.#owners,
      events: this.#history.list(),
      of,
    }
  }

  readonly #soon = (): void => {
    if (this.#closed || this.#cancel) return
    this.#story.notice()
    // A burst of changes costs one replay.
    this.#cancel = this.#options.clock.after(0, () => {
      this.#cancel = undefined
      this.replan()
    })
  }

  readonly #sourceFailed = (error: CarillonError): void => {
    this.#log.error(
      { code: error.code, ...error.details },
      'the source is out of reach: what is announced stays announced',
    )
    this.#tell({ type: 'sourceFailed', message: error.message })
  }

  /** At once, not soon: a node that may have lost its addresses to another must not answer for them a moment longer. */
  readonly #standingChanged = (): void => this.replan()

  /** Why this node must not answer for an address, which another node may have by now; undefined when it may. */
  #mustBeSilent(): MembershipStanding | undefined {
    const standing = this.#options.membership?.standing() ?? 'confirmed'
    const isolated = standing === 'isolated' && this.#options.whenIsolated === 'silent'
    return standing === 'paused' || isolated ? standing : undefined
  }

  #alive(): ReadonlySet<string> | undefined {
    const { membership, standalone, source } = this.#options
    const alive = membership?.alive()
    if (alive) return alive
    const { nodes } = source.current()
    // Nobody watches the others: what Kubernetes says of its nodes is the best there is.
    return standalone ? new Set([this.node, ...nodes.map(node => node.metadata.name)]) : healthyNodes(nodes)
  }

  /** Who is there, and who of them is not to be elected yet. */
  #company(): Pick<PlanInputs, 'alive' | 'held'> {
    const { membership, clock } = this.#options
    const alive = this.#alive()
    if (!alive || !membership?.alive()) return { alive }
    const { held, againMs } = this.#holdDown.look(alive, clock.now())
    this.#cancelHold?.()
    this.#cancelHold = againMs === undefined ? undefined : clock.after(againMs, this.#soon)
    return { alive, held }
  }

  /** Replays everything from the newest values. Never throws; what was in force stays so when it cannot. */
  replan(): void {
    if (!this.#started || this.#closed || this.#retired) return
    const started = this.#options.clock.now()
    try {
      this.#replan()
    } catch (error) {
      this.#instruments.failed()
      this.#log.error({ err: error }, 'planning failed: what is announced stays announced')
      return
    }
    this.#instruments.planned(this.#options.clock.now() - started)
  }

  /** The plan for what the source holds now, as this configuration has it. */
  #planFor(config: Config, company: Pick<PlanInputs, 'alive' | 'held'>): Plan {
    const { source, standalone = false, ignoreExcludeLb = false } = this.#options
    const snapshot = source.current()
    const { services, namespaces } = snapshot
    const allocation = this.#allocator.update({ services, namespaces, config })
    const incumbents = this.#claims?.incumbents
    return this.#planner.update({
      snapshot,
      config,
      allocation,
      ...company,
      standalone,
      ignoreExcludeLb,
      ...(incumbents ? { incumbents } : {}),
    })
  }

  /** Computes a first plan that nobody is told of. The next ones then take a moment, in which gossip does not have to wait. */
  #warmUp(): void {
    try {
      const { config } = this.#parser.parse(this.#options.source.current())
      if (config) this.#planFor(config, { alive: new Set([this.node]) })
    } catch (error) {
      this.#log.debug({ err: error }, 'the first plan failed')
    }
  }

  #replan(): void {
    const company = this.#company()
    this.#story.begin(company.alive, name => this.#options.membership?.silentMs?.(name))
    const parsed = this.#parser.parse(this.#options.source.current())
    this.#check(parsed.config, parsed.problems)
    const config = this.#config
    if (!config) {
      this.#story.end()
      return
    }
    const plan = this.#planFor(config, company)
    this.#plan = plan
    const silent = this.#mustBeSilent()
    const settings = { config, labels: plan.nodes.get(this.node)?.labels ?? unlabelled }
    for (const stage of this.#stages) {
      const { speakers } = stage.announcer
      // Where each node speaks for itself, two that do are no conflict.
      const muted = silent !== undefined && speakers === 'one'
      const before = stage.desired
      stage.perform(muted ? nothing : plan.advertisementsFor(this.node, speakers), settings)
      this.#story.given(stage.announcer.name, before, stage.desired)
    }
    this.#tellSilence(silent)
    if (!silent) this.#claim(plan)
    this.#owners.follow(plan)
    this.#story.end()
    this.#instruments.follow(plan.pools, this.#stages)
    this.events.emit('plan:changed', plan)
  }

  #tellSilence(silent: MembershipStanding | undefined): void {
    if (silent === this.#silent) return
    this.#silent = silent
    if (silent) {
      const why = silent === 'paused' ? 'this node was stopped for a while' : 'this node hears nobody'
      const message = `${why}: it answers for no address until its membership is confirmed`
      this.#log.warn({ standing: silent }, message)
      this.#tell({ type: 'silenced', message })
    } else {
      this.#log.info({}, 'membership confirmed: this node speaks again')
      this.#tell({ type: 'unsilenced', message: 'membership confirmed: this node speaks again' })
    }
  }

  /**
   * The plan stays as it is from now on: for a node that is leaving, which goes on answering for its addresses until another one does.
   * Closing the speaker then withdraws them.
   */
  retire(): void {
    this.#retired = true
    for (const { announcer } of this.#stages) announcer.retire?.()
  }

  #check(config: Config | undefined, problems: readonly Problem[]): void {
    const news = problems !== this.#problems
    this.#problems = problems
    this.#instruments.checked(config !== undefined, this.#config !== undefined || config !== undefined)
    if (config) {
      if (config !== this.#config || this.#refused !== '') {
        this.#config = config
        this.#refused = ''
        this.#log.info(
          { takeover: this.#story.takeover, pools: config.pools.length, warnings: problems.length },
          'configuration in force',
        )
        this.#tell({
          type: 'configurationApplied',
          message: `configuration with ${config.pools.length} ${config.pools.length === 1 ? 'pool' : 'pools'} in force`,
        })
      }
    } else {
      const errors = problems.filter(problem => problem.severity === 'error')
      const text = JSON.stringify(errors)
      if (text !== this.#refused) {
        this.#refused = text
        const first = errors[0]
        const what = first ? `${first.kind} ${first.name} ${first.field}: ${first.message}` : 'unknown'
        const kept = this.#config ? 'the last valid one stays in force' : 'nothing is announced yet'
        this.#log.error(
          { errors: errors.slice(0, 20), count: errors.length },
          `invalid configuration: ${kept}`,
        )
        this.#tell({ type: 'configurationRefused', message: `invalid configuration, ${kept}: ${what}` })
      }
    }
    if (news) this.events.emit('configuration:checked', problems)
  }

  #tell(event: Omit<SpeakerEvent, 'at'>): void {
    const whole = { at: this.#options.clock.date().toISOString(), ...event }
    this.#history.add(whole)
    this.#story.heard(event)
    this.events.emit('speaker:event', whole)
  }

  /** Withdraws everything and closes what it opened, the source included. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#cancel?.()
    this.#cancelHold?.()
    this.#cancelClaim?.()
    const { source, membership } = this.#options
    source.events.off('snapshot:changed', this.#soon)
    source.events.off('source:failed', this.#sourceFailed)
    membership?.events.off('membership:changed', this.#soon)
    membership?.events.off('standing:changed', this.#standingChanged)
    await Promise.allSettled(this.#stages.map(stage => stage[Symbol.asyncDispose]()))
    await Promise.allSettled([source[Symbol.asyncDispose](), this.#links?.[Symbol.asyncDispose]()])
    this.events.removeAllListeners()
  }
}
