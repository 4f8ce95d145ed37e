import { drive, type Machine } from '@carillon/core'
import { type Association, parametersOf } from './association.ts'
import type { EchoPlane } from './echo/plane.ts'
import { SessionEcho } from './echo/session-echo.ts'
import { News } from './news.ts'
import type { BfdSettings, SessionKey } from './options.ts'
import { type BfdEvent, type BfdOutput, bfdProtocol, newAssociation, resumed } from './protocol.ts'
import type { BfdCounters, PlainError, Report, Snapshot } from './report.ts'
import { SessionSockets, type SocketsWorld } from './session-sockets.ts'
import { type ControlPacket, encodeControl } from './wire/index.ts'

/** News of what was agreed on is told together, and so is what was counted. */
const NEWS_MS = 50
const COUNTERS_MS = 1000

/** What a session of an engine is given. */
export interface SessionWorld extends SocketsWorld {
  readonly echo: EchoPlane
  readonly report: (report: Report) => void
}

/** A session to be run. */
export interface SessionPlan {
  readonly id: number
  readonly key: SessionKey
  readonly settings: BfdSettings
  readonly discriminator: number
  /** Where another engine left off. */
  readonly resume?: Pick<Snapshot, 'association' | 'since' | 'counters'> | undefined
}

/** One session in the thread that runs it: its protocol, with what it acts on, and what is told of it. */
export class EngineSession {
  readonly id: number
  readonly key: SessionKey
  readonly discriminator: number
  readonly #world: SessionWorld
  readonly #closed: (session: EngineSession) => void
  readonly #machine: Machine<Association, BfdEvent>
  readonly #sockets: SessionSockets
  readonly #echo: SessionEcho
  readonly #news: News
  readonly #counters: { -readonly [Counter in keyof BfdCounters]: number }
  #settings: BfdSettings
  #since: number
  #problem: PlainError | undefined
  #started = false
  #ended = false

  /** `closed` is called once, when nothing of the session is left. */
  constructor(world: SessionWorld, plan: SessionPlan, closed: (session: EngineSession) => void) {
    const { discriminator, id, key, resume, settings } = plan
    this.id = id
    this.key = key
    this.discriminator = discriminator
    this.#world = world
    this.#closed = closed
    this.#settings = settings
    this.#since = resume?.since ?? world.clock.date().getTime()
    this.#counters = { controlIn: 0, controlOut: 0, echoIn: 0, echoOut: 0, ...resume?.counters }
    this.#news = new News(world.clock, () => this.#tell())
    this.#sockets = new SessionSockets(world, key, {
      opened: () => this.#opened(),
      failed: problem => this.#failed(problem),
    })
    this.#echo = new SessionEcho(world.echo, this, {
      changed: () => this.#echoChanged(),
      returned: () => this.#echoReturned(),
    })
    const fresh = newAssociation(parametersOf(settings, this.#echo.ability), discriminator)
    this.#machine = drive<Association, BfdEvent, BfdOutput>({
      initial: resume ? resumed(resume.association) : fresh,
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

  /** Opens the sockets; speaks as soon as they are open. */
  open(): void {
    void this.#sockets.open()
  }

  /** A packet of this session, which passed every check. */
  hear(packet: ControlPacket): void {
    if (!this.#started) return
    this.#counters.controlIn++
    if (this.#problem?.code === 'BFD_TTL_TOO_LOW') this.#problem = undefined
    this.#handle({ type: 'packet', packet })
    this.#news.within(COUNTERS_MS)
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
    this.#news.within(NEWS_MS)
  }

  change(settings: BfdSettings): void {
    this.#settings = settings
    if (!this.#started) return
    this.#configure()
    this.#echo.want(settings.echoMode)
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
    this.#news.forget()
    this.#echo.close()
    this.#sockets.close()
    this.#closed(this)
  }

  #opened(): void {
    this.#problem = undefined
    if (this.#started) {
      this.#news.now()
      return
    }
    this.#started = true
    this.#configure()
    this.#echo.want(this.#settings.echoMode)
    this.#machine.handle({ type: 'start' })
    this.#world.report({ type: 'started', id: this.id, snapshot: this.#snapshot() })
  }

  #failed(problem: PlainError): void {
    const known = this.#problem?.message === problem.message
    this.#problem = problem
    if (!known) this.#news.now()
  }

  #echoChanged(): void {
    this.#configure()
    this.#news.within(NEWS_MS)
  }

  #echoReturned(): void {
    this.#counters.echoIn++
    this.#handle({ type: 'echo' })
    this.#news.within(COUNTERS_MS)
  }

  #configure(): void {
    this.#handle({ type: 'configure', parameters: parametersOf(this.#settings, this.#echo.ability) })
  }

  #handle(event: BfdEvent): void {
    const before = this.#machine.state
    this.#machine.handle(event)
    const after = this.#machine.state
    const fields = ['remote', 'said', 'inForce', 'poll', 'echo', 'transmitMs'] as const
    if (!this.#ended && fields.some(field => before[field] !== after[field])) this.#news.within(NEWS_MS)
  }

  #perform(output: BfdOutput): void {
    switch (output.type) {
      case 'send':
        this.#sockets.send(encodeControl(output.packet))
        this.#counters.controlOut++
        this.#news.within(COUNTERS_MS)
        break
      case 'echo':
        if (this.#echo.send()) this.#counters.echoOut++
        break
      case 'changed': {
        const { cause, from } = output
        this.#since = this.#world.clock.date().getTime()
        this.#news.forget()
        this.#world.report({ type: 'changed', id: this.id, from, cause, snapshot: this.#snapshot() })
        break
      }
      case 'closed':
        this.end()
    }
  }

  #tell(): void {
    this.#world.report({ type: 'updated', id: this.id, snapshot: this.#snapshot() })
  }

  #snapshot(): Snapshot {
    return {
      association: this.#machine.state,
      since: this.#since,
      counters: { ...this.#counters },
      echoRoundTripMs: this.#echo.roundTripMs,
      echoProblem: this.#echo.problem,
      problem: this.#problem,
    }
  }
}
