import { readFile } from 'node:fs/promises'
import {
  type Blackboard,
  CarillonError,
  type Endpoint,
  type Logger,
  type Member,
  type Membership,
  type MembershipEvents,
  type MembershipStanding,
  type Metrics,
  type Network,
} from '@carillon/core'
import {
  Gossip,
  KeyFile,
  Keyring,
  type MemberlistConfig,
  type ProfileName,
  parseMemberlistConfig,
  profiles,
} from '@carillon/gossip'
import { EventEmitter } from 'eventemitter3'

/** How this node finds the others. */
export interface ClusterOptions {
  readonly node: string
  readonly network: Network
  readonly log: Logger
  readonly metrics: Metrics
  readonly bind: Endpoint
  readonly advertise?: Partial<Endpoint>
  readonly join: readonly string[]
  /** Finds more to join when the gossip starts, such as the pods of the other speakers. */
  readonly discover?: () => Promise<readonly string[]>
  /**
   * Whether this node takes part even while it has nobody to join and nobody has joined it: then only members count as alive.
   * @default only with somebody to join
   */
  readonly takesPart?: boolean
  /** A secret as MetalLB's speakers read it; watched, so that the key can be replaced while everything runs. */
  readonly keyFile?: string
  /** MetalLB's gossip configuration, instead of a profile. */
  readonly config?: string
  readonly label?: string
  readonly profile: ProfileName
}

/** Milliseconds that a node waits for the first of those that it was told to join, before it goes on alone. */
const companyMs = 1000

/** Bytes of a message that go into one datagram, whatever is wrapped around it. */
const largestDatagram = 1000

/** Milliseconds that saying goodbye may take. */
const goodbyeMs = 800

/** What MetalLB's gossip configuration file says. Throws `USAGE`. */
async function configurationFrom(file: string): Promise<MemberlistConfig> {
  try {
    return parseMemberlistConfig(await readFile(file, 'utf8'))
  } catch (error) {
    const why =
      error instanceof CarillonError
        ? error.message
        : ((error as NodeJS.ErrnoException).code ?? String(error))
    throw new CarillonError('USAGE', `--gossip-config ${file}: ${why}`, { file }, { cause: error })
  }
}

/**
 * The gossip as the speaker knows it. A node that was given nobody to join, and that nobody has joined, takes no part: then every node of
 * the manifests counts as alive.
 */
export class Cluster implements Membership, Blackboard, AsyncDisposable {
  readonly events: EventEmitter<MembershipEvents> = new EventEmitter()
  readonly #options: ClusterOptions
  readonly #keyring: Keyring
  readonly #keyFile: KeyFile | undefined
  readonly #config: MemberlistConfig | undefined
  readonly #handlers: ((message: Uint8Array) => void)[] = []
  #provide: () => Uint8Array = () => new Uint8Array(0)
  #gossip: Gossip | undefined
  #takesPart: boolean
  /** When each member was suspected last, and which incarnation of it: an objection raises that. */
  readonly #suspected = new Map<string, { readonly at: number; readonly incarnation: number }>()
  readonly #silentMs = new Map<string, number>()

  private constructor(
    options: ClusterOptions,
    keyring: Keyring,
    keyFile?: KeyFile,
    config?: MemberlistConfig,
  ) {
    this.#options = options
    this.#keyring = keyring
    this.#keyFile = keyFile
    this.#config = config
    this.#takesPart = options.takesPart ?? options.join.length > 0
  }

  /** Reads what is to be read before sockets are opened. Throws `USAGE`, or what is wrong with the key. */
  static async prepare(options: ClusterOptions): Promise<Cluster> {
    const { keyFile: path, config: file, log } = options
    const keyring = new Keyring()
    const config = file === undefined ? undefined : await configurationFrom(file)
    for (const warning of config?.warnings ?? []) log.warn({ file }, warning)
    const keyFile =
      path === undefined ? undefined : await KeyFile.open({ path, keyring, format: 'metallb', log })
    return new Cluster(options, keyring, keyFile, config)
  }

  /** Opens the gossip, and waits a moment for the first of those to join. Throws what the sockets throw. */
  async start(): Promise<void> {
    const { node, network, log, metrics, bind, advertise, join, label, profile } = this.#options
    const hear = (message: Uint8Array): void => {
      for (const handle of this.#handlers) handle(message)
    }
    const gossip = await Gossip.create({
      name: node,
      network,
      bind,
      join,
      profile: this.#config ? 'lan' : profile,
      log,
      metrics,
      delegate: { userMessage: hear, mergeRemoteState: hear, localState: () => this.#provide() },
      ...(advertise ? { advertise } : {}),
      keyring: this.#keyring,
      ...(this.#config ?? {}),
      ...(label === undefined ? {} : { label }),
    })
    this.#gossip = gossip
    const living = metrics.gauge(
      'carillon_gossip_members',
      'Members that count as living, this node among them',
    )
    living.set(gossip.alive().size)
    gossip.on('membership:changed', () => {
      living.set(gossip.alive().size)
      if (gossip.alive().size > 1) this.#takesPart = true
      this.events.emit('membership:changed')
    })
    this.#watchSilence(gossip)
    gossip.on('standing:changed', standing => this.events.emit('standing:changed', standing))
    const found = (await this.#options.discover?.()) ?? []
    this.join(found)
    if (join.length + found.length > 0) await this.#company()
  }

  /** Notes for how long nothing was heard of those that are given up: the time until they were suspected, and that until they were dead. */
  #watchSilence(gossip: Gossip): void {
    const { watch, probeIntervalMs } = profiles[this.#config ? 'lan' : this.#options.profile]
    const untilSuspectedMs = watch?.accuseMs ?? probeIntervalMs
    gossip.on('member:suspect', ({ name, incarnation }) =>
      this.#suspected.set(name, { at: performance.now(), incarnation }),
    )
    gossip.on('member:dead', ({ name, incarnation }) => {
      const suspected = this.#suspected.get(name)
      const suspectedMs = suspected?.incarnation === incarnation ? performance.now() - suspected.at : 0
      this.#silentMs.set(name, Math.round(untilSuspectedMs + suspectedMs))
    })
    gossip.on('member:leave', ({ name }) => this.#silentMs.set(name, 0))
    gossip.on('member:join', ({ name }) => {
      this.#suspected.delete(name)
      this.#silentMs.delete(name)
    })
  }

  /** Meets those of these addresses that are no members yet, in the background. */
  join(addresses: readonly string[]): void {
    const living = (this.#gossip?.members() ?? []).filter(({ liveness }) => liveness === 'alive')
    const known = new Set(living.map(({ address }) => address.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')))
    void this.#gossip?.join(...addresses.filter(address => !known.has(address)))
  }

  #company(): Promise<void> {
    return new Promise(resolve => {
      const done = (): void => {
        clearTimeout(timer)
        this.events.off('membership:changed', look)
        resolve()
      }
      const look = (): void => {
        if (this.hasCompany) done()
      }
      const timer = setTimeout(done, companyMs)
      this.events.on('membership:changed', look)
      look()
    })
  }

  members(): readonly Member[] {
    const members = this.#gossip?.members() ?? []
    return members.map(({ name, address, liveness }) => ({ name, address, liveness }))
  }

  alive(): ReadonlySet<string> | undefined {
    return this.#takesPart ? this.#gossip?.alive() : undefined
  }

  standing(): MembershipStanding {
    return this.#gossip?.standing() ?? 'confirmed'
  }

  silentMs(name: string): number | undefined {
    return this.#silentMs.get(name)
  }

  /** How badly this node hears; 0: well. Undefined before the gossip has started. */
  get healthScore(): number | undefined {
    return this.#gossip?.stats().healthScore
  }

  /** Tells one member, by datagram where the message fits into one, else over TCP. */
  async answer(node: string, message: Uint8Array): Promise<void> {
    await this.#gossip?.tell(node, message, { reliable: message.length > largestDatagram })
  }

  tell(message: Uint8Array): void {
    this.#gossip?.broadcast(message)
  }

  heard(handle: (message: Uint8Array) => void): void {
    this.#handlers.push(handle)
  }

  known(provide: () => Uint8Array): void {
    this.#provide = provide
  }

  /** Whether another living member is there. */
  get hasCompany(): boolean {
    return (this.#gossip?.alive().size ?? 0) > 1
  }

  /** Says goodbye; the others take over as soon as they hear it. Resolves when it has been passed on. */
  async leave(): Promise<void> {
    await this.#gossip?.leave(goodbyeMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([this.#keyFile?.[Symbol.asyncDispose](), this.#gossip?.[Symbol.asyncDispose]()])
    this.events.removeAllListeners()
  }
}
