import type { IPAddressPool, IPAddressPoolStatus, PoolUsage } from '@carillon/core'
import { type Client, isKubeObject, resourceTypes } from '../client/index.ts'
import { sameValue } from '../source/same-value.ts'
import { StatusPatcher } from './status-patcher.ts'
import { type Task, WriteQueue, type WriterOptions, type WriterStatus } from './write-queue.ts'

/** What a writer of pool status needs. */
export interface PoolStatusOptions extends WriterOptions {
  readonly client: Client
  readonly namespace: string
  /**
   * Least time between two writes to one pool, in milliseconds: thousands of allocations make a handful of writes.
   * @default 1000
   */
  readonly intervalMs?: number
}

type Desire = IPAddressPoolStatus | 'look'

/** No pool can have this name. */
const look = '*'

interface Known {
  readonly uid: string | undefined
  readonly status: unknown
}

/** Publishes how full pools are. It looks once at what they say, and then writes what has changed. */
export class PoolStatusWriter implements AsyncDisposable {
  readonly #options: PoolStatusOptions
  readonly #queue: WriteQueue<Desire>
  readonly #patcher: StatusPatcher
  readonly #known = new Map<string, Known>()
  #pools: readonly IPAddressPool[] = []
  #usage: readonly PoolUsage[] = []
  #looked = false

  constructor(options: PoolStatusOptions) {
    this.#options = options
    this.#patcher = new StatusPatcher(options.client, resourceTypes.ipAddressPools)
    this.#queue = new WriteQueue({
      ...options,
      name: 'pool-status',
      concurrency: 4,
      intervalMs: options.intervalMs ?? 1000,
      write: task => this.#perform(task),
    })
  }

  /** Makes the pools of a snapshot say what they hold. */
  reconcile(pools: readonly IPAddressPool[], usage: readonly PoolUsage[]): void {
    if (pools === this.#pools && usage === this.#usage) return
    this.#pools = pools
    this.#usage = usage
    if (this.#looked) this.#compare()
    else this.#queue.want(look, 'look')
  }

  status(): WriterStatus {
    return this.#queue.status()
  }

  /** Resolves when nothing is left to be written. */
  idle(): Promise<void> {
    return this.#queue.idle()
  }

  /** Writing is allowed again. What others have written meanwhile is looked at first. */
  resume(): void {
    this.#looked = false
    this.#queue.want(look, 'look')
    this.#queue.resume()
  }

  /** Writing is not allowed any more: gives up what is under way, and forgets what was wanted. */
  hold(): void {
    this.#queue.hold()
    this.#pools = []
    this.#usage = []
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue[Symbol.asyncDispose]()
  }

  #compare(): void {
    const usage = new Map(this.#usage.map(({ name, ...figures }) => [name, figures]))
    const names = new Set<string>()
    for (const { metadata } of this.#pools) {
      const { name, uid } = metadata
      const figures = usage.get(name)
      names.add(name)
      if (!figures) continue
      const known = this.#known.get(name)
      // A pool that was made anew under its name has no status.
      const present = known?.uid === uid ? known?.status : undefined
      if (sameValue(present, figures)) this.#queue.drop(name)
      else this.#queue.want(name, figures)
    }
    for (const name of this.#known.keys()) {
      if (names.has(name)) continue
      this.#known.delete(name)
      this.#queue.drop(name)
    }
  }

  async #perform({ key, desire, signal }: Task<Desire>): Promise<boolean> {
    const { client, namespace } = this.#options
    if (desire === 'look') {
      const { items } = await client.listAll(resourceTypes.ipAddressPools, { namespace, limit: 500, signal })
      for (const { metadata, status } of items.filter(isKubeObject))
        if (metadata.name !== undefined) this.#known.set(metadata.name, { uid: metadata.uid, status })
      this.#looked = true
      this.#compare()
      return false
    }
    const { metadata } = await this.#patcher.patch(
      { namespace, name: key },
      { metadata: {}, status: desire },
      { signal },
    )
    this.#known.set(key, { uid: metadata.uid, status: desire })
    // While it was under way, what was wanted may have been compared to what was there before.
    this.#compare()
    return true
  }
}
