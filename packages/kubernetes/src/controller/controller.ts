import {
  type Allocation,
  Allocator,
  type Assignment,
  type ClassOptions,
  type Clock,
  type Config,
  ConfigParser,
  type Counter,
  emptySnapshot,
  type Gauge,
  type Logger,
  type Metrics,
  noMetrics,
  PoolGauges,
  type Problem,
  type Snapshot,
  silentLogger,
} from '@carillon/core'
import type { Client, OwnerReference } from '../client/index.ts'
import { allocationNotes, EventRecorder } from '../events/index.ts'
import type { LeaderElection, LeaderElectionStatus } from '../lease/index.ts'
import type { KubernetesSource, SourceStatus } from '../source/index.ts'
import {
  ConfigurationStateWriter,
  PoolStatusWriter,
  ServiceStatusWriter,
  type WriterOptions,
  type WriterStatus,
} from '../writers/index.ts'

/** What a controller is made of. */
export interface ControllerOptions extends ClassOptions {
  readonly client: Client
  /** One's own namespace, where the resources are. */
  readonly namespace: string
  /** Follows at least Services, Namespaces and IPAddressPools. The controller starts it, and does not close it. */
  readonly source: KubernetesSource
  /** Among several controllers one decides. The controller starts it, and leaves it when it is closed. */
  readonly election: LeaderElection
  readonly clock: Clock
  /** 0 <= x < 1 */
  readonly random: () => number
  readonly log?: Logger
  readonly metrics?: Metrics
  /** Its ConfigurationState goes along with this, its Pod as a rule. */
  readonly owner?: OwnerReference
}

/** How a controller stands. */
export interface ControllerStatus {
  readonly leader: LeaderElectionStatus
  /** True when it leads and has seen all there is; it then allocates. */
  readonly allocating: boolean
  /** `stale`: the last valid configuration is in force, the newer one is invalid. */
  readonly configuration: 'loading' | 'valid' | 'stale' | 'invalid'
  readonly problems: readonly Problem[]
  readonly source: SourceStatus
  readonly writers: readonly WriterStatus[]
}

/** Milliseconds after which a leader tries again to see all there is. */
const lookAgainMs = 1000

/**
 * Gives addresses to the Services of a cluster: source, configuration, allocation, and from there into the status of Services and pools. Of
 * several controllers the leader decides and writes; the others follow what there is, so as to know it when their turn comes.
 */
export class Controller implements AsyncDisposable {
  readonly #options: ControllerOptions
  readonly #log: Logger
  readonly #parser = new ConfigParser()
  readonly #services: ServiceStatusWriter
  readonly #pools: PoolStatusWriter
  readonly #state: ConfigurationStateWriter
  readonly #recorder: EventRecorder
  readonly #gauges: PoolGauges
  readonly #loaded: Gauge
  readonly #stale: Gauge
  readonly #updates: Counter
  readonly #failures: Counter
  readonly #known = new Map<string, Assignment>()
  #allocator: Allocator | undefined
  #config: Config | undefined
  #problems: readonly Problem[] = []
  #refused = ''
  #own: Snapshot = emptySnapshot
  #cancelLook: (() => void) | undefined
  #term = 0
  #closed = false

  constructor(options: ControllerOptions) {
    const { client, namespace, clock, random, source, election, owner } = options
    this.#options = options
    this.#log = options.log ?? silentLogger
    const metrics = options.metrics ?? noMetrics
    const writer: WriterOptions = {
      clock,
      random,
      log: this.#log,
      metrics,
      mayWrite: () => election.leading && this.#allocator !== undefined,
    }
    this.#services = new ServiceStatusWriter({
      ...writer,
      client,
      versionOf: service => source.versionOf('services', service),
    })
    this.#pools = new PoolStatusWriter({ ...writer, client, namespace })
    this.#state = new ConfigurationStateWriter({
      ...writer,
      client,
      namespace,
      component: { type: 'controller' },
      ...(owner ? { owner } : {}),
    })
    this.#recorder = new EventRecorder({ ...writer, client, component: 'metallb-controller' })
    this.#gauges = new PoolGauges(metrics)
    this.#loaded = metrics.gauge(
      'metallb_k8s_client_config_loaded_bool',
      '1 once a valid configuration is in force',
    )
    this.#stale = metrics.gauge(
      'metallb_k8s_client_config_stale_bool',
      '1 while the newest configuration is invalid',
    )
    this.#updates = metrics.counter('metallb_k8s_client_updates_total', 'Replays of the allocation')
    this.#failures = metrics.counter(
      'metallb_k8s_client_update_errors_total',
      'Replays of the allocation that failed',
    )
  }

  /** Resolves when the cluster is known; whether this controller decides is for the election. */
  async start(): Promise<void> {
    const { source, election } = this.#options
    source.events.on('snapshot:changed', this.#replay)
    await source.start()
    if (this.#closed) return
    election.events.on('leader:elected', this.#elected)
    election.events.on('leader:lost', this.#lost)
    election.start()
    this.#replay()
  }

  status(): ControllerStatus {
    const { source, election } = this.#options
    const broken = this.#problems.some(({ severity }) => severity === 'error')
    return {
      leader: election.status(),
      allocating: this.#allocates,
      configuration: this.#config ? (broken ? 'stale' : 'valid') : broken ? 'invalid' : 'loading',
      problems: this.#problems,
      source: source.status(),
      writers: [this.#services.status(), this.#pools.status(), this.#state.status(), this.#recorder.status()],
    }
  }

  /** Resolves when nothing is left to be written. */
  async idle(): Promise<void> {
    await Promise.all([this.#services.idle(), this.#pools.idle(), this.#state.idle(), this.#recorder.idle()])
  }

  /** Gives the leadership back, so that another controller goes on at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    const { source, election } = this.#options
    source.events.off('snapshot:changed', this.#replay)
    election.events.off('leader:elected', this.#elected)
    election.events.off('leader:lost', this.#lost)
    this.#standDown()
    await Promise.allSettled([
      this.#services[Symbol.asyncDispose](),
      this.#pools[Symbol.asyncDispose](),
      this.#state[Symbol.asyncDispose](),
      this.#recorder[Symbol.asyncDispose](),
    ])
    await election.leave()
  }

  get #allocates(): boolean {
    return this.#allocator !== undefined && this.#options.election.leading
  }

  /** What it saw as a follower may be older than what the leader before it has written. */
  readonly #elected = (): void => {
    const term = ++this.#term
    void this.#lookAndLead(term)
  }

  async #lookAndLead(term: number): Promise<void> {
    const { source, election, clock, loadBalancerClass, alsoUnclassed = false } = this.#options
    try {
      await source.refresh(['services', 'namespaces', 'pools'])
    } catch (error) {
      if (this.#closed || term !== this.#term) return
      this.#log.warn({ err: error }, 'the leader cannot see the cluster yet')
      this.#cancelLook = clock.after(lookAgainMs, () => void this.#lookAndLead(term))
      return
    }
    if (this.#closed || term !== this.#term || !election.leading) return
    this.#known.clear()
    this.#allocator = new Allocator({
      alsoUnclassed,
      ...(loadBalancerClass === undefined ? {} : { loadBalancerClass }),
    })
    for (const writer of [this.#services, this.#pools, this.#recorder]) writer.resume()
    this.#replay()
  }

  readonly #lost = (): void => this.#standDown()

  #standDown(): void {
    this.#term++
    this.#cancelLook?.()
    this.#allocator = undefined
    for (const writer of [this.#services, this.#pools, this.#recorder]) writer.hold()
  }

  /** Replays everything from the newest snapshot. Never throws: what was decided stays decided. */
  readonly #replay = (): void => {
    if (this.#closed) return
    this.#updates.inc()
    try {
      this.#decide(this.#options.source.current())
    } catch (error) {
      this.#failures.inc()
      this.#log.error({ err: error }, 'allocating failed: Services keep what they have')
    }
  }

  #decide(snapshot: Snapshot): void {
    this.#check(snapshot)
    const config = this.#config
    if (!config || !this.#allocator || !this.#options.election.leading) return
    const { services, namespaces, pools } = snapshot
    const allocation = this.#allocator.update({ services, namespaces, config })
    this.#services.reconcile(services, allocation.services, allocation.changed)
    this.#pools.reconcile(pools, allocation.pools)
    this.#state.reconcile(this.#problems)
    this.#gauges.follow(allocation.pools)
    this.#tell(this.#allocator, allocation)
  }

  /** Only pools matter here: what is wrong with a BGPPeer is for the speakers to say. */
  #check({ pools, namespaces, problems }: Snapshot): void {
    const last = this.#own
    const mine = problems.filter(({ kind }) => kind === 'IPAddressPool')
    if (pools !== last.pools || namespaces !== last.namespaces || mine.length + last.problems.length > 0)
      this.#own = { ...emptySnapshot, pools, namespaces, problems: mine }
    const parsed = this.#parser.parse(this.#own)
    this.#problems = parsed.problems
    if (parsed.config) this.#config = parsed.config
    this.#stale.set(parsed.config ? 0 : 1)
    this.#loaded.set(this.#config ? 1 : 0)
    this.#report(parsed.config)
  }

  #report(config: Config | undefined): void {
    const errors = this.#problems.filter(({ severity }) => severity === 'error')
    const text = config ? '' : JSON.stringify(errors)
    if (text === this.#refused) return
    this.#refused = text
    if (config) this.#log.info({ pools: config.pools.length }, 'the configuration is valid again')
    else {
      const kept = this.#config ? 'the last valid one stays in force' : 'nothing is allocated yet'
      this.#log.error({ errors: errors.slice(0, 20), count: errors.length }, `invalid configuration: ${kept}`)
    }
  }

  #tell(allocator: Allocator, { changed, services: assignments }: Allocation): void {
    for (const key of changed) {
      const service = allocator.service(key)
      const after = assignments.get(key)
      if (service && after) {
        for (const note of allocationNotes(service, this.#known.get(key), after)) this.#recorder.record(note)
        this.#known.set(key, after)
      } else this.#known.delete(key)
    }
  }
}
