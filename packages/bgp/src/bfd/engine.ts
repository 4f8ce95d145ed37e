import type { Clock, Network } from '@carillon/core'
import { Devices } from './devices.ts'
import { Drops } from './drops.ts'
import { EchoPlane } from './echo/plane.ts'
import { EngineSession, type SessionWorld } from './engine-session.ts'
import { keyText } from './options.ts'
import { controlPorts, FULL_TTL } from './ports.ts'
import { type Inlet, Receivers } from './receivers.ts'
import type { Command, DropReason, Report, Runner } from './report.ts'
import { type ControlPacket, decodeControl } from './wire/index.ts'

/** What an engine is given. */
export interface EngineOptions {
  readonly network: Network
  /** `arrived` is called for each packet. */
  readonly clock: Clock & { arrived?(): void }
  readonly random: () => number
  readonly report: (report: Report) => void
}

/** Runs sessions in the calling thread: opens and ends them, and finds out which packet belongs to which. */
export class Engine implements Runner {
  readonly #options: EngineOptions
  readonly #world: SessionWorld
  readonly #drops: Drops
  readonly #sessions = new Map<number, EngineSession>()
  readonly #byDiscriminator = new Map<number, EngineSession>()
  readonly #byPeer = new Map<string, readonly EngineSession[]>()

  constructor(options: EngineOptions) {
    const { clock, network, random, report } = options
    this.#options = options
    this.#drops = new Drops(clock, counts => report({ type: 'dropped', counts }))
    const receivers = new Receivers(network, (inlet, from, bytes, ttl) =>
      this.#receive(inlet, from, bytes, ttl),
    )
    const devices = new Devices(network)
    const dropped = (): void => this.#drops.count('echo')
    const echo = new EchoPlane({ network, clock, random, devices, dropped })
    this.#world = { network, clock, random, receivers, devices, echo, report }
  }

  obey(command: Command): void {
    if (command.do === 'open') this.#open(command)
    else if (command.do === 'change') this.#sessions.get(command.id)?.change(command.settings)
    else this.#sessions.get(command.id)?.close()
  }

  #open({ id, key, settings, resume }: Command & { readonly do: 'open' }): void {
    // One that still says farewell to the same peer has to make room.
    for (const session of this.#sessions.values()) if (keyText(session.key) === keyText(key)) session.end()
    const discriminator = resume?.association.discriminator ?? this.#discriminator()
    const plan = { id, key, settings, discriminator, resume }
    const session = new EngineSession(this.#world, plan, one => this.#forget(one))
    this.#sessions.set(id, session)
    this.#byDiscriminator.set(discriminator, session)
    this.#byPeer.set(key.peer, [...(this.#byPeer.get(key.peer) ?? []), session])
    session.open()
  }

  #discriminator(): number {
    for (;;) {
      const drawn = 1 + Math.floor(this.#options.random() * 0xffff_ffff)
      if (!this.#byDiscriminator.has(drawn)) return drawn
    }
  }

  #forget(session: EngineSession): void {
    const { discriminator, id, key } = session
    this.#sessions.delete(id)
    this.#byDiscriminator.delete(discriminator)
    const others = this.#byPeer.get(key.peer)?.filter(one => one !== session) ?? []
    if (others.length > 0) this.#byPeer.set(key.peer, others)
    else this.#byPeer.delete(key.peer)
    this.#options.report({ type: 'closed', id })
  }

  #receive(inlet: Inlet, from: string, bytes: Uint8Array, ttl: number | undefined): void {
    this.#options.clock.arrived?.()
    const packet = decodeControl(bytes)
    const session = typeof packet === 'string' ? packet : this.#sessionOf(packet, inlet, from, ttl)
    if (typeof session === 'string') this.#drops.count(session)
    else if (typeof packet !== 'string') session.hear(packet)
  }

  /** The session that a packet belongs to, or why it belongs to none (RFC 5880 section 6.8.6). */
  #sessionOf(
    { state, yourDiscriminator }: ControlPacket,
    inlet: Inlet,
    from: string,
    ttl = 0,
  ): EngineSession | DropReason {
    const multihop = inlet.port === controlPorts.multihop
    if (!multihop && ttl !== FULL_TTL) return 'ttl'
    const known = yourDiscriminator !== 0
    const named = known ? this.#byDiscriminator.get(yourDiscriminator) : undefined
    const session = named ?? this.#sessionWith(from, multihop, inlet)
    // FRR goes on naming the discriminator of a session that we have closed. A passive session would wait for it in vain.
    if (known && !named && !(state === 'down' && session?.waiting)) return 'unknownSession'
    if (session?.key.multihop !== multihop) return known ? 'unknownSession' : 'unknownPeer'
    if (!multihop || ttl >= session.settings.minimumTtl) return session
    session.refuse(ttl)
    return 'ttl'
  }

  /** Who does not know our discriminator yet is known by its address, and where it came in (RFC 5881 section 3, RFC 5883 section 4). */
  #sessionWith(from: string, multihop: boolean, inlet: Inlet): EngineSession | undefined {
    const [address = from] = from.split('%')
    const found = this.#byPeer
      .get(address)
      ?.filter(
        ({ key }) =>
          key.multihop === multihop &&
          (key.local ?? inlet.address) === inlet.address &&
          (key.device ?? inlet.device) === inlet.device,
      )
    return found?.find(({ key }) => key.local !== undefined) ?? found?.[0]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of [...this.#sessions.values()]) session.end()
    this.#drops.flush()
    await this.#world.echo[Symbol.asyncDispose]()
    await this.#world.devices[Symbol.asyncDispose]()
  }
}
