import type { Clock, Logger } from '@carillon/core'
import { type Client, resourceTypes } from '../client/index.ts'

/** Where the other speakers are looked for. */
export interface PodPeersOptions {
  readonly client: Client
  readonly namespace: string
  /** Label selector of the speakers' pods: `app=metallb,component=speaker`. */
  readonly labels: string
  readonly clock: Clock
  /** 0 <= x < 1 */
  readonly random: () => number
  readonly log: Logger
  /**
   * Milliseconds from one look to the next, up to a quarter longer.
   * @default 30000
   */
  readonly everyMs?: number
}

interface PodLike {
  readonly metadata?: { readonly deletionTimestamp?: string }
  readonly status?: { readonly podIP?: unknown; readonly phase?: unknown }
}

/** After this many milliseconds a look that failed is repeated, at first. */
const firstAgainMs = 1000

/**
 * Finds the speakers by the addresses of their pods, and tells of those not told of before; then of all of them again, look for look, so that
 * who was lost is found. The API server being away changes nothing: who is known stays known.
 */
export class PodPeers implements AsyncDisposable {
  readonly #options: PodPeersOptions
  readonly #found: (addresses: readonly string[]) => void
  readonly #stop = new AbortController()
  #cancel: (() => void) | undefined
  #failures = 0

  /** @param found is given the addresses of all speakers' pods, after each look */
  constructor(options: PodPeersOptions, found: (addresses: readonly string[]) => void) {
    this.#options = options
    this.#found = found
  }

  /** Looks for the first time, and then again and again. Resolves with the first look, whatever came of it. */
  async start(): Promise<void> {
    await this.look()
    this.#again()
  }

  /** Looks now. Gives how many addresses there are; undefined when that cannot be told. */
  async look(): Promise<number | undefined> {
    const { client, namespace, labels, log } = this.#options
    try {
      const { items } = await client.listAll(resourceTypes.pods, {
        namespace,
        labelSelector: labels,
        limit: 500,
        signal: this.#stop.signal,
      })
      const addresses = (items as readonly PodLike[]).flatMap(({ metadata, status }) => {
        const gone = metadata?.deletionTimestamp !== undefined || status?.phase === 'Failed'
        return !gone && typeof status?.podIP === 'string' && status.podIP !== '' ? [status.podIP] : []
      })
      this.#failures = 0
      if (!this.#stop.signal.aborted) this.#found(addresses)
      return addresses.length
    } catch (error) {
      if (this.#stop.signal.aborted) return undefined
      if (this.#failures++ === 0) log.warn({ err: error }, 'the other speakers cannot be looked for')
      return undefined
    }
  }

  #again(): void {
    const { clock, random, everyMs = 30_000 } = this.#options
    const ms = this.#failures === 0 ? everyMs : Math.min(firstAgainMs * 2 ** (this.#failures - 1), everyMs)
    this.#cancel = clock.after(ms * (1 + random() / 4), () => {
      void this.look().then(() => {
        if (!this.#stop.signal.aborted) this.#again()
      })
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    this.#cancel?.()
  }
}
