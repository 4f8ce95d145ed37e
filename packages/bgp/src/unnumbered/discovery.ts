import type { Clock, Icmp6, Link, Logger, Network } from '@carillon/core'
import { hear, type Neighbour } from './neighbour.ts'
import {
  groups,
  icmp6Types,
  routerAdvertisement,
  routerMessage,
  routerSolicitation,
} from './router-advertisement.ts'

/** What discovery on an interface is given, and whom it tells. */
export interface DiscoveryWorld {
  readonly network: Network
  readonly clock: Clock
  /** 0 <= x < 1 */
  readonly random: () => number
  readonly log: Logger
  /** The neighbour has this link-local address. Told again whenever it is another one. */
  found(address: string): void
  /** Why nobody can be found at the moment; undefined when somebody can. */
  hindered(why: string | undefined): void
}

/** From one advertisement to the next, as FRR does it for such neighbours. */
const intervalMs = 10_000

/** The first ones come sooner, for a neighbour that has missed one (RFC 4861 section 6.2.4). */
const initialMs: readonly number[] = [1000, 2000, 4000]

/** Advertisements come no faster than this, whoever asks (RFC 4861 section 10, MIN_DELAY_BETWEEN_RAS). */
const leastGapMs = 3000

const firstRetryMs = 1000
const longestRetryMs = 30_000

const isLinkLocal = (address: string): boolean => /^fe[89ab]/.test(address)

/** Finds the router on the other end of an interface by its router advertisements, and lets it find us by ours. */
export class Discovery {
  readonly #world: DiscoveryWorld
  readonly #interface: string
  #link: Link | undefined
  #socket: Icmp6 | undefined
  #neighbour: Neighbour | undefined
  #hindrance: string | undefined
  #sent = 0
  #sentAt = Number.NEGATIVE_INFINITY
  #failures = 0
  #cancelNext: (() => void) | undefined
  #cancelRetry: (() => void) | undefined
  /** Grows with every opening and closing, so that an opening which was overtaken knows it. */
  #generation = 0

  constructor(world: DiscoveryWorld, name: string) {
    this.#world = world
    this.#interface = name
  }

  /** Takes over how the interfaces are now. */
  follow(links: readonly Link[]): void {
    const link = links.find(one => one.name === this.#interface)
    const why = unusable(this.#interface, link)
    if (why !== undefined || !link) {
      this.#shut()
      this.#hinder(why)
      return
    }
    const before = this.#link
    this.#link = link
    if (before && before.index === link.index) {
      // It may have been away for a moment: the neighbour need not wait for our next turn.
      if (!before.carrier && link.carrier) this.#advertise()
      return
    }
    this.#shut()
    this.#link = link
    void this.#open(link)
  }

  close(): void {
    this.#shut()
  }

  async #open(link: Link): Promise<void> {
    const { network, clock, log } = this.#world
    const generation = ++this.#generation
    this.#cancelRetry?.()
    let socket: Icmp6
    try {
      socket = await network.icmp6(link.index, [
        icmp6Types.routerSolicitation,
        icmp6Types.routerAdvertisement,
      ])
    } catch (error) {
      if (generation !== this.#generation) return
      const why = error instanceof Error ? error.message : String(error)
      const retryMs = Math.min(longestRetryMs, firstRetryMs * 2 ** this.#failures++)
      log[this.#failures === 1 ? 'warn' : 'debug'](
        { interface: link.name, error: why, retryMs },
        'no peer can be found',
      )
      this.#hinder(why)
      this.#cancelRetry = clock.after(retryMs, () => void this.#open(link))
      return
    }
    if (generation !== this.#generation) return socket[Symbol.asyncDispose]()
    this.#socket = socket
    this.#failures = 0
    this.#sent = 0
    this.#hinder(undefined)
    socket.join(groups.allRouters)
    socket.receive((from, message) => this.#receive(from, message))
    socket.send(groups.allRouters, routerSolicitation(link.mac))
    this.#advertise()
  }

  #receive(from: string, message: Uint8Array): void {
    const kind = routerMessage(message)
    if (kind === 'solicitation') this.#answer()
    if (kind !== 'advertisement' || !isLinkLocal(from)) return
    const before = this.#neighbour?.address
    this.#neighbour = hear(this.#neighbour, from, this.#world.clock.now())
    if (this.#neighbour.address !== before) this.#world.found(this.#neighbour.address)
  }

  /** Somebody asks: we advertise ourselves as soon as the least gap allows. */
  #answer(): void {
    const wait = this.#sentAt + leastGapMs - this.#world.clock.now()
    if (wait <= 0) this.#advertise()
    else this.#plan(wait)
  }

  #advertise(): void {
    const socket = this.#socket
    const link = this.#link
    if (!socket || !link) return
    socket.send(groups.allNodes, routerAdvertisement(link.mac))
    this.#sentAt = this.#world.clock.now()
    const initial = initialMs[this.#sent++]
    this.#plan(initial ?? intervalMs * (0.75 + 0.25 * this.#world.random()))
  }

  #plan(ms: number): void {
    this.#cancelNext?.()
    this.#cancelNext = this.#world.clock.after(ms, () => this.#advertise())
  }

  #hinder(why: string | undefined): void {
    if (why === this.#hindrance) return
    this.#hindrance = why
    this.#world.hindered(why)
  }

  #shut(): void {
    this.#generation++
    this.#cancelNext?.()
    this.#cancelRetry?.()
    const socket = this.#socket
    this.#socket = undefined
    this.#link = undefined
    void socket?.[Symbol.asyncDispose]().then(undefined, () => {})
  }
}

function unusable(name: string, link: Link | undefined): string | undefined {
  if (!link) return `${name} does not exist`
  if (!link.up) return `${name} is down`
  const own = link.addresses.some(({ address, usable }) => usable && isLinkLocal(address))
  return own ? undefined : `${name} has no IPv6 link-local address`
}
