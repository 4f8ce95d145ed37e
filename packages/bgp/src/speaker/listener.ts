import {
  CarillonError,
  type Clock,
  type Logger,
  type Md5Key,
  type Network,
  type Stream,
  type Streams,
} from '@carillon/core'

const firstRetryMs = 1000
const longestRetryMs = 30_000

/** Refused connections are logged no more often than this. */
const quietMs = 10_000

/** What a listener is given, and whom it asks. */
export interface ListenerWorld {
  readonly network: Network
  readonly clock: Clock
  readonly log: Logger
  /** Offers a connection to the session that it is for; false when there is none, or it does not want it. */
  accept(stream: Stream, device: string | undefined): boolean
  /** A connection was refused. */
  refused(): void
}

/** A port on which peers may connect, in one VRF or outside of all. One that cannot be opened is tried again. */
export class Listener implements AsyncDisposable {
  readonly #world: ListenerWorld
  readonly #at: { readonly address: string; readonly port: number }
  readonly #device: string | undefined
  #streams: Streams | undefined
  #keys: readonly Md5Key[] = []
  #error: CarillonError | undefined
  #failures = 0
  #cancel: (() => void) | undefined
  #closed = false
  #refusals = 0
  #quiet = false

  constructor(
    world: ListenerWorld,
    at: { readonly address: string; readonly port: number },
    device: string | undefined,
  ) {
    this.#world = world
    this.#at = at
    this.#device = device
  }

  /** Why nobody can connect; undefined when they can. */
  get error(): CarillonError | undefined {
    return this.#error
  }

  /** Never rejects: what fails is logged and tried again. */
  async open(): Promise<void> {
    const { network, clock, log } = this.#world
    const device = this.#device
    let streams: Streams
    try {
      // Peers that check it want to see 255 from the first segment on (RFC 5082).
      streams = await network.listen(this.#at, {
        ttl: 255,
        md5: this.#keys,
        ...(device !== undefined && { device }),
      })
    } catch (cause) {
      if (this.#closed) return
      const why = cause instanceof Error ? cause.message : String(cause)
      const retryMs = Math.min(longestRetryMs, firstRetryMs * 2 ** this.#failures++)
      const again = this.#error?.details.why === why
      const { port } = this.#at
      this.#error = new CarillonError(
        'LISTENER_FAILED',
        `peers cannot connect to port ${port}: ${why}`,
        { why },
        { cause },
      )
      log[again ? 'debug' : 'warn']({ port, device, error: why, retryMs }, 'cannot listen for BGP peers')
      this.#cancel = clock.after(retryMs, () => void this.open())
      return
    }
    if (this.#closed) return streams[Symbol.asyncDispose]()
    this.#failures = 0
    this.#error = undefined
    this.#streams = streams
    streams.setMd5Keys?.(this.#keys)
    streams.accept(stream => {
      if (!this.#closed && this.#world.accept(stream, device)) return
      // A stream nobody listens to may still fail.
      stream.on('error', () => {})
      stream.destroy()
      this.#refuse(stream.remote.address)
    })
    log.debug({ ...streams.local, device }, 'listening for BGP peers')
  }

  /** Connections from these addresses have to be signed. */
  setMd5Keys(keys: readonly Md5Key[]): void {
    this.#keys = keys
    this.#streams?.setMd5Keys?.(keys)
  }

  #refuse(from: string): void {
    this.#world.refused()
    this.#refusals++
    if (this.#quiet) return
    const { clock, log } = this.#world
    log.info({ from, refused: this.#refusals }, 'refused connections that no configured peer may make')
    this.#refusals = 0
    this.#quiet = true
    clock.after(quietMs, () => {
      this.#quiet = false
      if (this.#refusals > 0 && !this.#closed)
        log.info({ refused: this.#refusals }, 'refused more connections')
      this.#refusals = 0
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#cancel?.()
    const streams = this.#streams
    this.#streams = undefined
    await streams?.[Symbol.asyncDispose]()
  }
}
