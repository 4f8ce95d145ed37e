import { CarillonError, type Clock, type Frames, type Link, type Logger, type Network } from '@carillon/core'
import type { Counters } from './counters.ts'
import { SolicitedNodeGroups } from './groups.ts'
import { AddressTable, type OwnedAddress } from './owned.ts'
import type { Protocol } from './protocol.ts'
import type { Responder } from './responder.ts'

const FIRST_RETRY_MS = 1000
const LONGEST_RETRY_MS = 30_000

/** One address on one interface. */
export interface Placement {
  readonly port: Port
  readonly owned: OwnedAddress
}

/** What a port is given, and whom it tells. */
export interface PortWorld {
  readonly protocol: Protocol
  readonly network: Network
  readonly clock: Clock
  readonly log: Logger
  readonly counters: Counters
  readonly isOwnMac: (frame: Uint8Array, at: number) => boolean
  /** Another station's MAC address stands at `at`. */
  readonly claimed: (port: Port, owned: OwnedAddress, frame: Uint8Array, at: number) => void
  /** `state` is another one. */
  changed(port: Port): void
}

/** One interface on which a protocol is spoken: its sockets, kept open while it lives, and the addresses answered for there. */
export class Port {
  readonly placements: Map<OwnedAddress, Placement> = new Map()
  readonly #world: PortWorld
  readonly #table = new AddressTable()
  #link: Link
  #state: 'opening' | 'open' | 'failed' | 'closed' = 'opening'
  #error: CarillonError | undefined
  #frames: Frames | undefined
  #groups: SolicitedNodeGroups | undefined
  #responder: Responder | undefined
  #failures = 0
  #cancelRetry: (() => void) | undefined
  /** Grows with every opening and closing, so that an opening which has been overtaken knows it. */
  #generation = 0

  constructor(world: PortWorld, link: Link) {
    this.#world = world
    this.#link = link
  }

  get link(): Link {
    return this.#link
  }

  get state(): 'opening' | 'open' | 'failed' | 'closed' {
    return this.#state
  }

  /** Why it failed. */
  get error(): CarillonError | undefined {
    return this.#state === 'failed' ? this.#error : undefined
  }

  /** Frames get through. */
  get speaking(): boolean {
    return this.#state === 'open' && this.#link.carrier
  }

  /** Answers for the address from now on; frames that ask for it arrive after `commit`. */
  add(owned: OwnedAddress): Placement {
    const placement = { port: this, owned }
    this.placements.set(owned, placement)
    this.#table.add(owned)
    this.#groups?.add(owned.bytes)
    return placement
  }

  /** Stops answering for the address. */
  remove(owned: OwnedAddress): Placement | undefined {
    const placement = this.placements.get(owned)
    if (!placement) return undefined
    this.placements.delete(owned)
    this.#table.delete(owned)
    this.#groups?.remove(owned.bytes)
    return placement
  }

  /** Brings the filter in line with the addresses. */
  commit(): void {
    try {
      this.#frames?.setFilter(this.#filter())
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Joins the groups on which new addresses are asked for. Takes longer than announcing them, and so comes after it. */
  joinGroups(): void {
    this.#groups?.join()
  }

  #filter(): ReturnType<Protocol['filter']> {
    return this.#world.protocol.filter(Array.from(this.#table, owned => owned.bytes))
  }

  /** Tells the segment that the address is here, unless nothing gets through. */
  announce(owned: OwnedAddress): void {
    if (this.speaking) this.#responder?.announce(owned)
  }

  /** Takes over what the kernel now says of the interface. True when the addresses should be announced again. */
  update(link: Link): boolean {
    const before = this.#link
    this.#link = link
    const moved = String(before.mac) !== String(link.mac)
    if (moved && this.#frames) this.#responder = this.#respond(this.#frames)
    if (this.#state === 'failed') void this.open()
    return this.speaking && (moved || !before.carrier)
  }

  /** Opens the sockets. Never rejects: what fails is reported by `changed`, and tried again. */
  async open(): Promise<void> {
    const generation = ++this.#generation
    this.#cancelRetry?.()
    const { clock, network, protocol } = this.#world
    const { index } = this.#link
    let groups: SolicitedNodeGroups | undefined
    let frames: Frames
    try {
      if (protocol.groups)
        groups = await SolicitedNodeGroups.open(network, index, clock, error => this.#fail(error))
      frames = await network.frames(index, protocol.etherType, this.#filter())
    } catch (error) {
      await groups?.[Symbol.asyncDispose]()
      if (generation === this.#generation) this.#fail(error)
      return
    }
    if (generation !== this.#generation) {
      await Promise.all([groups?.[Symbol.asyncDispose](), frames[Symbol.asyncDispose]()])
      return
    }
    this.#frames = frames
    this.#groups = groups
    this.#responder = this.#respond(frames)
    for (const owned of this.#table) groups?.add(owned.bytes)
    try {
      // Addresses may have come and gone while it opened.
      frames.setFilter(this.#filter())
      frames.receive(frame => this.#responder?.receive(frame))
    } catch (error) {
      this.#fail(error)
      return
    }
    this.#state = 'open'
    this.#failures = 0
    this.#error = undefined
    frames.closed(error => this.#fail(error))
    this.#world.log.debug({ interface: this.#link.name }, 'speaking on this interface')
    this.#world.changed(this)
    this.joinGroups()
  }

  #respond(frames: Frames): Responder {
    const { claimed, counters, isOwnMac, protocol } = this.#world
    return protocol.responder({
      mac: this.#link.mac,
      table: this.#table,
      counters,
      send: frame => frames.send(frame),
      isOwnMac,
      claimed: (owned, frame, at) => claimed(this, owned, frame, at),
    })
  }

  #fail(cause: unknown): void {
    if (this.#state === 'closed') return
    this.#shut()
    const { clock, counters, log, protocol } = this.#world
    const { name } = this.#link
    const why = cause instanceof Error ? cause.message : String(cause)
    const again = this.#error?.details.why === why
    this.#state = 'failed'
    this.#error = new CarillonError(
      'INTERFACE_FAILED',
      `cannot speak ${protocol.name.toUpperCase()} on ${name}: ${why}`,
      { interface: name, protocol: protocol.name, why },
      { cause },
    )
    counters.interfaceFailed(name)
    const retryMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures++)
    this.#cancelRetry = clock.after(retryMs, () => void this.open())
    const fields = { interface: name, error: why, retryMs }
    if (again) log.debug(fields, 'an interface still cannot be spoken on')
    else log.warn(fields, 'an interface cannot be spoken on')
    // Not from within whatever the owner was doing when it failed.
    queueMicrotask(() => this.#world.changed(this))
  }

  #shut(): void {
    this.#generation++
    this.#cancelRetry?.()
    const gone = [this.#frames, this.#groups]
    this.#frames = undefined
    this.#groups = undefined
    this.#responder = undefined
    for (const socket of gone) void socket?.[Symbol.asyncDispose]().then(undefined, () => {})
  }

  /** Closes the sockets for good. */
  close(): void {
    this.#shut()
    this.#state = 'closed'
  }
}
