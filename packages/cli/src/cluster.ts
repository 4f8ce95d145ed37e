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
  readonly gossip: Gossip
  #takesPart: boolean
  readonly #heard: ((message: Uint8Array) => void)[]
  readonly #known: { provide: () => Uint8Array }

  private constructor(
    gossip: Gossip,
    takesPart: boolean,
    heard: ((message: Uint8Array) => void)[],
    known: { provide: () => Uint8Array },
  ) {
    this.gossip = gossip
    this.#takesPart = takesPart
    this.#heard = heard
    this.#known = known
    gossip.on('membership:changed', () => {
      if (gossip.alive().size > 1) this.#takesPart = true
      this.events.emit('membership:changed')
    })
    gossip.on('standing:changed', standing => this.events.emit('standing:changed', standing))
  }

  /** Opens the gossip, and waits a moment for the first of those to join. Throws `USAGE`, or what the sockets throw. */
  static async open(options: ClusterOptions): Promise<Cluster> {
    const { node, network, log, metrics, bind, advertise, join, keyFile, label, profile } = options
    const keyring = keyFile === undefined ? undefined : await keyringFrom(keyFile)
    const heard: ((message: Uint8Array) => void)[] = []
    const hear = (message: Uint8Array): void => {
      for (const handle of heard) handle(message)
    }
    const known = { provide: (): Uint8Array => new Uint8Array(0) }
    const gossip = await Gossip.create({
      name: node,
      network,
      bind,
      join,
      profile,
      log,
      metrics,
      delegate: { userMessage: hear, mergeRemoteState: hear, localState: () => known.provide() },
      ...(advertise ? { advertise } : {}),
      ...(keyring ? { keyring } : {}),
      ...(label === undefined ? {} : { label }),
    })
    const cluster = new Cluster(gossip, join.length > 0, heard, known)
    if (join.length > 0) await cluster.#company()
    return cluster
  }

  #company(): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, companyMs)
      this.events.on('membership:changed', () => {
        if (this.gossip.alive().size < 2) return
        clearTimeout(timer)
        resolve()
      })
    })
  }

  members(): readonly Member[] {
    return this.gossip.members().map(({ name, address, liveness }) => ({ name, address, liveness }))
  }

  alive(): ReadonlySet<string> | undefined {
    return this.#takesPart ? this.gossip.alive() : undefined
  }

  standing(): MembershipStanding {
    return this.gossip.standing()
  }

  tell(message: Uint8Array): void {
    this.gossip.broadcast(message)
  }

  heard(handle: (message: Uint8Array) => void): void {
    this.#heard.push(handle)
  }

  known(provide: () => Uint8Array): void {
    this.#known.provide = provide
  }

  /** Whether another living member is there. */
  get hasCompany(): boolean {
    return this.gossip.alive().size > 1
  }

  /** Says goodbye; the others take over as soon as they hear it. Resolves when it has been passed on. */
  leave(): Promise<void> {
    return this.gossip.leave(goodbyeMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gossip[Symbol.asyncDispose]()
    this.events.removeAllListeners()
  }
}
