import { CarillonError, type Clock, type Datagrams, drive, type Machine, type Network } from '@carillon/core'
import { type Association, type EchoAbility, noEcho, type Parameters, parametersOf } from './association.ts'
import type { Devices } from './devices.ts'
import type { EchoLine } from './echo/line.ts'
import type { EchoPlane } from './echo/plane.ts'
import { type BfdSettings, isLinkLocal, type SessionKey } from './options.ts'
import { type BfdEvent, type BfdOutput, bfdProtocol, newAssociation, resumed } from './protocol.ts'
import type { Inlet, Receivers } from './receivers.ts'
import type { PlainError, Report, Snapshot } from './report.ts'
import { everyAddress, openSource } from './source.ts'
import { type ControlPacket, encodeControl } from './wire/index.ts'

/** UDP ports of control packets: RFC 5881 section 4, RFC 5883 section 5. */
export const controlPorts = { singleHop: 3784, multihop: 4784 } as const

const RETRY_MS = 1000
/** News other than of the state are told together. */
const NEWS_MS = 50
const COUNTERS_MS = 1000

/** What a session of an engine is given. */
export interface SessionWorld {
  readonly network: Network
  readonly clock: Clock
  readonly random: () => number
  readonly receivers: Receivers
  readonly devices: Devices
  readonly echo: EchoPlane
  readonly report: (report: Report) => void
}

/** One session in the thread that runs it: its sockets, its protocol, and what is told of it. */
export class EngineSession {
  readonly id: number
  readonly key: SessionKey
  readonly discriminator: number
  readonly #world: SessionWorld
  readonly #closed: (session: EngineSession) => void
  readonly #machine: Machine<Association, BfdEvent>
  readonly #counters = { controlIn: 0, controlOut: 0, echoIn: 0, echoOut: 0 }
  #settings: BfdSettings
  #since: number
  #line: EchoLine | undefined
  #ability: EchoAbility = noEcho
  #echoProblem: string | undefined
  #echoRoundTripMs: number | undefined
  #problem: PlainError | undefined
  #started = false
  #ended = false
  #source: Datagrams | undefined
  #release: (() => Promise<void>) | undefined
  #deviceIndex: number | undefined
  #unwatch: () => void = () => {}
  #cancelRetry: () => void = () => {}
  #news: { readonly at: number; readonly cancel: () => void } | undefined

  constructor(
    world: SessionWorld,
    options: {
      readonly id: number
      readonly key: SessionKey
      readonly settings: BfdSettings
      readonly discriminator: number
      readonly resume?: Pick<Snapshot, 'association' | 'since'> | undefined
      /** Called once, when nothing of the session is left. */
      readonly closed: (session: EngineSession) => void
    },
  ) {
    const { id, key, settings, discriminator, resume, closed } = options
    this.id = id
    this.key = key
    this.discriminator = discriminator
    this.#world = world
    this.#settings = settings
    this.#closed = closed
    this.#since = resume?.since ?? world.clock.date().getTime()
    this.#machine = drive<Association, BfdEvent, BfdOutput>({
      initial: resume ? resumed(resume.association) : newAssociation(this.#parameters(), discriminator),
      step: bfdProtocol(world.random),
      clock: world.clock,
      output: output => this.#perform(output),
    })
  }

  get settings(): BfdSettings {
    return this.#settings
  }

  /** Nothing is known of the peer. */
  get waiting(): boolean {
    const { remote, state } = this.#machine.state
    return state === 'down' && remote === undefined
  }

  /** Opens the sockets and speaks. Never rejects: what fails is reported and tried again. */
  async open(): Promise<void> {
    this.#cancelRetry()
    const { key } = this
    const { devices, network, random, receivers } = this.#world
    let release: (() => Promise<void>) | undefined
    try {
      const deviceIndex = key.device === undefined ? undefined : await this.#findDevice(key.device)
      release = await receivers.acquire(this.#inlet(deviceIndex))
      const source = await openSource(network, key, random)
      if (this.#ended) {
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
    if (key.device !== undefined) this.#unwatch = devices.watch(() => this.#followDevice())
    this.#problem = undefined
    if (this.#started) this.#tell()
    else {
      this.#started = true
      this.#arrangeEcho()
      this.#machine.handle({ type: 'configure', parameters: this.#parameters() })
      this.#machine.handle({ type: 'start' })
      this.#world.report({ type: 'started', id: this.id, snapshot: this.#snapshot() })
    }
  }

  /** A packet of this session, which passed every check. */
  hear(packet: ControlPacket): void {
    if (!this.#started) return
    this.#counters.controlIn++
    if (this.#problem?.code === 'BFD_TTL_TOO_LOW') this.#problem = undefined
    this.#handle({ type: 'packet', packet })
    this.#plan(COUNTERS_MS)
  }

  /** A packet of the peer came from too far away. */
  refuse(ttl: number): void {
    if (this.#machine.state.state === 'up' || this.#problem) return
    const { peer } = this.key
    const { minimumTtl } = this.#settings
    this.#problem = {
      code: 'BFD_TTL_TOO_LOW',
      message: `packets of ${peer} arrive with TTL ${ttl}, and the minimumTtl of its BFD profile is ${minimumTtl}`,
      details: { peer, ttl, minimumTtl },
    }
    this.#plan(NEWS_MS)
  }

  change(settings: BfdSettings): void {
    this.#settings = settings
    this.#configure()
    this.#arrangeEcho()
  }

  /** Says farewell, then ends. */
  close(): void {
    if (this.#started) this.#handle({ type: 'close' })
    else this.end()
  }

  /** Ends without a word. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#machine.stop()
    if (this.#line) this.#world.echo.leave(this.#line)
    this.#cancelRetry()
    this.#news?.cancel()
    void this.#shut().then(undefined, () => {})
    this.#closed(this)
  }

  async #shut(): Promise<void> {
    this.#unwatch()
    const source = this.#source
    const release = this.#release
    this.#source = undefined
    this.#release = undefined
    await Promise.all([source?.[Symbol.asyncDispose](), release?.()])
  }

  #inlet(deviceIndex: number | undefined): Inlet {
    const { device, local, multihop, peer } = this.key
    return {
      port: multihop ? controlPorts.multihop : controlPorts.singleHop,
      address: local ?? everyAddress(peer),
      device,
      deviceIndex,
      // RFC 5881 section 5. Over several hops each session has its own limit.
      minimumTtl: multihop ? undefined : 255,
    }
  }

  #parameters(): Parameters {
    return parametersOf(this.#settings, this.#ability)
  }

  #configure(): void {
    if (this.#started) this.#handle({ type: 'configure', parameters: this.#parameters() })
  }

  /** Begins or ends the looking for a way for echo packets. */
  #arrangeEcho(): void {
    const { echo } = this.#world
    const { echoMode } = this.#settings
    if (this.key.multihop) this.#echoProblem = echoMode ? 'echo packets go over a single hop only' : undefined
    else if (echoMode && this.#line === undefined)
      this.#line = echo.join({
        key: this.key,
        discriminator: this.discriminator,
        able: problem => this.#ableToEcho(problem),
        returned: roundTripMs => this.#echoReturned(roundTripMs),
      })
    else if (!echoMode && this.#line) {
      echo.leave(this.#line)
      this.#line = undefined
      this.#ability = noEcho
      this.#echoProblem = undefined
      this.#configure()
    }
  }

  #ableToEcho(problem: string | undefined): void {
    const able = problem === undefined
    // No router forwards what has link-local addresses.
    const linkLocal = isLinkLocal(this.key.peer)
    this.#ability = { send: able && !linkLocal, return: able }
    this.#echoProblem = able && linkLocal ? 'a link-local peer forwards no echo packets' : problem
    this.#configure()
    this.#plan(NEWS_MS)
  }

  #echoReturned(roundTripMs: number): void {
    this.#counters.echoIn++
    this.#echoRoundTripMs = roundTripMs
    this.#handle({ type: 'echo' })
    this.#plan(COUNTERS_MS)
  }

  async #findDevice(name: string): Promise<number> {
    const links = await this.#world.devices.look()
    const link = links.find(one => one.name === name)
    if (link) return link.index
    throw new CarillonError('ENODEV', `there is no interface ${name}`, { interface: name })
  }

  /** An interface that was removed takes the use of its sockets along, also when one of its name appears again. */
  #followDevice(): void {
    const link = this.#world.devices.current.find(({ name }) => name === this.key.device)
    if (this.#ended || this.#source === undefined || link?.index === this.#deviceIndex) return
    void this.#shut().then(
      () => this.open(),
      () => this.open(),
    )
  }

  #fail(cause: unknown): void {
    if (this.#ended) return
    const { peer, device } = this.key
    const why = cause instanceof Error ? cause.message : String(cause)
    const known = this.#problem?.details.why === why
    this.#problem = {
      code: 'BFD_SOCKET_FAILED',
      message: `BFD session with ${peer}: ${why}`,
      details: { peer, device, why, cause: cause instanceof CarillonError ? cause.code : undefined },
    }
    this.#cancelRetry = this.#world.clock.after(RETRY_MS, () => void this.open())
    if (!known) this.#tell()
  }

  #handle(event: BfdEvent): void {
    const before = this.#machine.state
    this.#machine.handle(event)
    const after = this.#machine.state
    const fields = ['remote', 'said', 'inForce', 'poll', 'echo', 'transmitMs'] as const
    if (fields.some(field => before[field] !== after[field])) this.#plan(NEWS_MS)
  }

  #perform(output: BfdOutput): void {
    switch (output.type) {
      case 'send':
        this.#send(output.packet)
        break
      case 'echo':
        if (this.#line && this.#world.echo.send(this.#line)) this.#counters.echoOut++
        break
      case 'changed':
        this.#since = this.#world.clock.date().getTime()
        this.#settleNews()
        this.#world.report({
          type: 'changed',
          id: this.id,
          from: output.from,
          cause: output.cause,
          snapshot: this.#snapshot(),
        })
        break
      case 'closed':
        this.end()
    }
  }

  #send(packet: ControlPacket): void {
    if (this.#source === undefined) return
    const port = this.key.multihop ? controlPorts.multihop : controlPorts.singleHop
    this.#source.send({ address: this.key.peer, port }, encodeControl(packet))
    this.#counters.controlOut++
    this.#plan(COUNTERS_MS)
  }

  /** Tells of the session within `ms`. */
  #plan(ms: number): void {
    const { clock } = this.#world
    const at = clock.now() + ms
    if (this.#ended || (this.#news && this.#news.at <= at)) return
    this.#news?.cancel()
    this.#news = { at, cancel: clock.after(ms, () => this.#tell()) }
  }

  #settleNews(): void {
    this.#news?.cancel()
    this.#news = undefined
  }

  #tell(): void {
    this.#settleNews()
    this.#world.report({ type: 'updated', id: this.id, snapshot: this.#snapshot() })
  }

  #snapshot(): Snapshot {
    return {
      association: this.#machine.state,
      since: this.#since,
      counters: { ...this.#counters },
      echoRoundTripMs: this.#echoRoundTripMs,
      echoProblem: this.#echoProblem,
      problem: this.#problem,
    }
  }
}
