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
import { deriveMetalLBKey, Gossip, Keyring, type ProfileName } from '@carillon/gossip'
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
  /** A secret as MetalLB's speakers read it. */
  readonly keyFile?: string
  readonly label?: string
  readonly profile: ProfileName
}

/** Milliseconds that a node waits for the first of those that it was told to join, before it goes on alone. */
const companyMs = 1000

/** Milliseconds that saying goodbye may take. */
const goodbyeMs = 800

/** Reads a key as MetalLB derives it from its secret: the bytes as they are. Throws `USAGE`. */
async function keyringFrom(file: string): Promise<Keyring> {
  let secret: Uint8Array
  try {
    secret = await readFile(file)
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code
    throw new CarillonError(
      'USAGE',
      `--gossip-key-file ${file} cannot be read: ${errno}`,
      { file, errno },
      { cause: error },
    )
  }
  const key = deriveMetalLBKey(secret)
  if (!key)
    throw new CarillonError(
      'USAGE',
      `--gossip-key-file ${file} is empty: put a secret in it, or leave the flag out`,
      { file },
    )
  return new Keyring([key])
}

/**
 * The gossip as the speaker knows it. A node that was given nobody to join, and that nobody has joined, takes no part: then every node of
 * the manifests counts as alive.
 */
export class Cluster implements Membership, Blackboard, AsyncDisposable {
  readonly events: EventEmitter<MembershipEvents> = new EventEmitter()
  readonly #options: ClusterOptions
  readonly #keyring: Keyring | undefined
  readonly #handlers: ((message: Uint8Array) => void)[] = []
  #provide: () => Uint8Array = () => new Uint8Array(0)
  #gossip: Gossip | undefined
  #takesPart: boolean

  private constructor(options: ClusterOptions, keyring: Keyring | undefined) {
    this.#options = options
    this.#keyring = keyring
    this.#takesPart = options.join.length > 0
  }

  /** Checks what can be checked before sockets are opened. Throws `USAGE`. */
  static async prepare(options: ClusterOptions): Promise<Cluster> {
    return new Cluster(
      options,
      options.keyFile === undefined ? undefined : await keyringFrom(options.keyFile),
    )
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
      profile,
      log,
      metrics,
      delegate: { userMessage: hear, mergeRemoteState: hear, localState: () => this.#provide() },
      ...(advertise ? { advertise } : {}),
      ...(this.#keyring ? { keyring: this.#keyring } : {}),
      ...(label === undefined ? {} : { label }),
    })
    this.#gossip = gossip
    gossip.on('membership:changed', () => {
      if (gossip.alive().size > 1) this.#takesPart = true
      this.events.emit('membership:changed')
    })
    gossip.on('standing:changed', standing => this.events.emit('standing:changed', standing))
    if (join.length > 0) await this.#company()
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
    await this.#gossip?.[Symbol.asyncDispose]()
    this.events.removeAllListeners()
  }
}
