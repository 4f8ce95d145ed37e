import { CarillonError, type Clock, type Datagrams, type Network } from '@carillon/core'
import type { Devices } from './devices.ts'
import type { SessionKey } from './options.ts'
import { controlPorts, FULL_TTL } from './ports.ts'
import type { Inlet, Receivers } from './receivers.ts'
import type { PlainError } from './report.ts'
import { everyAddress, openSource } from './source.ts'

const RETRY_MS = 1000

/** What the sockets of a session are given. */
export interface SocketsWorld {
  readonly network: Network
  readonly clock: Clock
  readonly random: () => number
  readonly receivers: Receivers
  readonly devices: Devices
}

/** The sockets of one session: opened again and again until they are open, and anew when their interface is another one. */
export class SessionSockets {
  readonly #world: SocketsWorld
  readonly #key: SessionKey
  readonly #opened: () => void
  readonly #failed: (problem: PlainError) => void
  #source: Datagrams | undefined
  #release: (() => Promise<void>) | undefined
  #deviceIndex: number | undefined
  #unwatch: () => void = () => {}
  #cancelRetry: () => void = () => {}
  #closed = false

  /** `opened` is called each time that packets can be exchanged, `failed` each time that they cannot for another reason. */
  constructor(
    world: SocketsWorld,
    key: SessionKey,
    tell: { readonly opened: () => void; readonly failed: (problem: PlainError) => void },
  ) {
    this.#world = world
    this.#key = key
    this.#opened = tell.opened
    this.#failed = tell.failed
  }

  /** Never rejects. */
  async open(): Promise<void> {
    const { devices, network, random, receivers } = this.#world
    const { device } = this.#key
    let release: (() => Promise<void>) | undefined
    try {
      const deviceIndex = device === undefined ? undefined : await this.#indexOf(device)
      release = await receivers.acquire(this.#inlet(deviceIndex))
      const source = await openSource(network, this.#key, random)
      if (this.#closed) {
        await Promise.all([source[Symbol.asyncDispose](), release()])
        return
      }
      this.#source = source
      this.#release = release
      this.#deviceIndex = deviceIndex
    } catch (error) {
      await release?.()
      this.#fail(error)
      return
    }
    if (device !== undefined) this.#unwatch = devices.watch(() => this.#follow(device))
    this.#opened()
  }

  /** Sends a control packet; it is lost while the sockets are not open. */
  send(bytes: Uint8Array): void {
    const { multihop, peer } = this.#key
    const port = multihop ? controlPorts.multihop : controlPorts.singleHop
    this.#source?.send({ address: peer, port }, bytes)
  }

  close(): void {
    this.#closed = true
    this.#cancelRetry()
    void this.#shut()
  }

  /** Never rejects. */
  async #shut(): Promise<void> {
    this.#unwatch()
    const source = this.#source
    const release = this.#release
    this.#source = undefined
    this.#release = undefined
    await Promise.allSettled([source?.[Symbol.asyncDispose](), release?.()])
  }

  #inlet(deviceIndex: number | undefined): Inlet {
    const { device, local, multihop, peer } = this.#key
    return {
      port: multihop ? controlPorts.multihop : controlPorts.singleHop,
      address: local ?? everyAddress(peer),
      device,
      deviceIndex,
      // Over several hops each session has a limit of its own.
      minimumTtl: multihop ? undefined : FULL_TTL,
    }
  }

  async #indexOf(device: string): Promise<number> {
    const links = await this.#world.devices.look()
    const link = links.find(({ name }) => name === device)
    if (link) return link.index
    throw new CarillonError('ENODEV', `there is no interface ${device}`, { interface: device })
  }

  /** An interface that was removed takes the use of its sockets along, also when one of its name appears again. */
  #follow(device: string): void {
    const link = this.#world.devices.current.find(({ name }) => name === device)
    if (this.#source === undefined || link?.index === this.#deviceIndex) return
    void this.#shut().then(() => this.open())
  }

  #fail(cause: unknown): void {
    if (this.#closed) return
    const { device, peer } = this.#key
    const why = cause instanceof Error ? cause.message : String(cause)
    this.#cancelRetry = this.#world.clock.after(RETRY_MS, () => void this.open())
    this.#failed({
      code: 'BFD_SOCKET_FAILED',
      message: `BFD session with ${peer}: ${why}`,
      details: { peer, device, why, cause: cause instanceof CarillonError ? cause.code : undefined },
    })
  }
}
