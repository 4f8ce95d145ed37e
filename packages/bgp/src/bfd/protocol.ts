import type { Effect, Step, TimerEvent } from '@carillon/core'
import type { Association, Parameters } from './association.ts'
import { detectionTime, jittered, transmitInterval } from './intervals.ts'
import { asked, confirmed, negotiated, wished } from './offers.ts'
import { packetOf, remoteOf } from './packets.ts'
import { nextState } from './transitions.ts'
import { type BfdState, type ControlPacket, diagnostics } from './wire/index.ts'

/** What happens to a session. */
export type BfdEvent =
  | { readonly type: 'start' }
  /** A packet that passed the checks of RFC 5880 section 6.8.6, and belongs to this session. */
  | { readonly type: 'packet'; readonly packet: ControlPacket }
  /** An echo packet of this session has come back. */
  | { readonly type: 'echo' }
  | { readonly type: 'configure'; readonly parameters: Parameters }
  | { readonly type: 'close' }
  | TimerEvent

/** Why a session is in another state. */
export type BfdCause =
  /** Nothing was heard for a detection time. */
  | 'silence'
  /** No echo packet came back for a detection time. */
  | 'echo'
  /** The peer's state led to it. */
  | 'peer'
  /** The peer was taken down by its administrator, which says nothing about the path (RFC 5882 section 3.2). */
  | 'peer-admin-down'
  /** We were asked to. */
  | 'closed'

/** What a session does. */
export type BfdOutput =
  | { readonly type: 'send'; readonly packet: ControlPacket }
  /** Send an echo packet. */
  | { readonly type: 'echo' }
  | { readonly type: 'changed'; readonly from: BfdState; readonly cause: BfdCause }
  | { readonly type: 'closed' }

type Timer = 'transmit' | 'detect' | 'echo' | 'echo-detect'

/** How often a session that is being closed says so, in case some of it is lost, and how far apart at most (section 6.8.16). */
const FAREWELLS = 3
const FAREWELL_MS = 300

/**
 * A host that stands still (its hypervisor does something else) wakes up with every timer due, and with packets that have not yet come
 * from wherever they waited. Who is that late gives the peer a moment more, once.
 */
const LATE_MS = 2
const MOMENT_MS = 20

/** A session that has not begun. */
export function newAssociation(parameters: Parameters, discriminator: number): Association {
  const said = wished({ parameters, state: 'down' })
  return {
    parameters,
    discriminator,
    state: 'down',
    diagnostic: diagnostics.none,
    remote: undefined,
    said,
    inForce: said,
    poll: 'none',
    sentAt: undefined,
    transmitMs: undefined,
    silentAt: undefined,
    echo: 'off',
    echoes: undefined,
    farewells: undefined,
  }
}

/** A session as another protocol goes on with it, none of whose timers run yet, and whose clock may be another one. */
export const resumed = (a: Association): Association => ({
  ...a,
  sentAt: undefined,
  transmitMs: undefined,
  silentAt: undefined,
  echo: 'off',
})

/**
 * The protocol of one session: RFC 5880 section 6.8 without authentication, and without asking the peer for demand mode; the peer's own
 * demand mode is respected. `random` draws the jitter.
 */
export function bfdProtocol(
  random: () => number,
): (a: Association, event: BfdEvent, now: number) => Step<Association, BfdOutput> {
  return (a, event, now) => {
    const turn = new Turn(a, now, random)
    switch (event.type) {
      case 'start':
        turn.start()
        break
      case 'packet':
        turn.hear(event.packet)
        break
      case 'echo':
        turn.echoReturned()
        break
      case 'configure':
        turn.configure(event.parameters)
        break
      case 'close':
        turn.close()
        break
      case 'timer':
        turn.ring(event.timer as Timer)
    }
    return turn.done()
  }
}

/** One step in the making: the session as it becomes, and what is to be done. */
class Turn {
  #a: Association
  readonly #now: number
  readonly #random: () => number
  readonly #effects: Effect<BfdOutput>[] = []
  /** Told last, after what the protocol itself has to do. */
  readonly #news: Effect<BfdOutput>[] = []

  constructor(a: Association, now: number, random: () => number) {
    this.#a = a
    this.#now = now
    this.#random = random
  }

  done(): Step<Association, BfdOutput> {
    return [this.#a, ...this.#effects, ...this.#news]
  }

  start(): void {
    if (this.#a.remote) this.#listen()
    if (this.#rate() !== undefined) this.#say()
    this.#echo()
  }

  hear(packet: ControlPacket): void {
    const before = this.#a
    if (before.state === 'admin-down') return
    this.#a = { ...before, remote: remoteOf(packet, before.remote) }
    if (packet.final && before.poll === 'asked') this.#a = confirmed(this.#a)
    const state = nextState[before.state][packet.state]
    if (state !== before.state) {
      const diagnostic = { up: diagnostics.none, down: diagnostics.neighborDown, init: before.diagnostic }
      this.#enter(
        state,
        state === 'admin-down' ? before.diagnostic : diagnostic[state],
        packet.state === 'admin-down' ? 'peer-admin-down' : 'peer',
      )
      this.#say(packet.poll)
    } else {
      this.#a = negotiated(this.#a)
      if (packet.poll) this.#send(true)
    }
    this.#pace()
    this.#listen()
    this.#echo()
  }

  echoReturned(): void {
    const { echo, remote } = this.#a
    if (echo === 'off') return
    this.#a = { ...this.#a, echo: 'answered', echoes: remote?.discriminator }
    this.#expectEcho()
  }

  configure(parameters: Parameters): void {
    if (this.#a.state === 'admin-down') return
    this.#a = negotiated({ ...this.#a, parameters })
    this.#pace()
    this.#echo()
  }

  close(): void {
    if (this.#a.state === 'admin-down') return
    const heard = this.#a.remote !== undefined
    const spacing = Math.min(FAREWELL_MS, this.#a.transmitMs ?? FAREWELL_MS)
    this.#disarm('detect')
    this.#enter('admin-down', diagnostics.adminDown, 'closed')
    this.#a = { ...this.#a, farewells: heard ? FAREWELLS : 0, transmitMs: spacing }
    this.#echo()
    this.#part()
  }

  ring(timer: Timer): void {
    switch (timer) {
      case 'transmit':
        if (this.#a.farewells !== undefined) this.#part()
        else if (this.#rate() !== undefined) this.#say()
        break
      case 'detect':
        if (this.#spare()) break
        this.#lost('silence', diagnostics.detectionTimeExpired)
        // Nothing is known any more of a peer that was silent for so long (section 6.8.1).
        this.#a = { ...this.#a, remote: undefined }
        this.#pace()
        break
      case 'echo':
        this.#emit({ type: 'echo' })
        this.#arm('echo', this.#draw(this.#echoInterval()))
        break
      case 'echo-detect':
        this.#lost('echo', diagnostics.echoFailed)
    }
  }

  /** Whether the peer is given a moment more, because we are late ourselves. */
  #spare(): boolean {
    const { inForce, remote, silentAt } = this.#a
    if (!remote || silentAt === undefined || this.#now - silentAt < LATE_MS) return false
    this.#a = { ...this.#a, silentAt: undefined }
    this.#arm('detect', Math.min(MOMENT_MS, detectionTime(inForce, remote, 1)))
    return true
  }

  #lost(cause: BfdCause, diagnostic: number): void {
    if (this.#a.state === 'down') return
    this.#enter('down', diagnostic, cause)
    this.#say()
    this.#echo()
  }

  #enter(state: BfdState, diagnostic: number, cause: BfdCause): void {
    const from = this.#a.state
    this.#a = negotiated({ ...this.#a, state, diagnostic })
    this.#news.push({ do: 'emit', output: { type: 'changed', from, cause } })
  }

  /** Sends a packet that takes the place of the next periodic one. */
  #say(final = false): void {
    this.#send(final)
    this.#a = { ...(final ? this.#a : asked(this.#a)), sentAt: this.#now, transmitMs: undefined }
    this.#pace()
  }

  #part(): void {
    const { farewells = 0, transmitMs = FAREWELL_MS } = this.#a
    if (farewells > 0) this.#send(false)
    this.#a = { ...this.#a, farewells: farewells - 1 }
    if (farewells > 1) this.#arm('transmit', transmitMs)
    else {
      this.#disarm('transmit')
      this.#news.push({ do: 'emit', output: { type: 'closed' } })
    }
  }

  /** Plans the next periodic packet anew when the interval has become another one (section 6.8.3). */
  #pace(): void {
    const { sentAt, transmitMs } = this.#a
    const rate = this.#rate()
    if (rate === transmitMs) return
    this.#a = { ...this.#a, transmitMs: rate }
    if (rate === undefined) this.#disarm('transmit')
    else {
      const due = sentAt === undefined ? this.#now : sentAt + this.#draw(rate)
      this.#arm('transmit', Math.max(0, due - this.#now))
    }
  }

  /** How often to send; undefined for not at all (section 6.8.7). */
  #rate(): number | undefined {
    const { inForce, parameters, poll, remote, state } = this.#a
    if (parameters.passive && remote === undefined) return undefined
    const released = remote?.demand && remote.state === 'up' && state === 'up' && poll === 'none'
    return released ? undefined : transmitInterval(inForce, remote)
  }

  /** Expects the next packet within a detection time (section 6.8.4). */
  #listen(): void {
    const { inForce, remote } = this.#a
    if (!remote) return
    const ms = detectionTime(inForce, remote, remote.detectMultiplier)
    this.#a = { ...this.#a, silentAt: this.#now + ms }
    this.#arm('detect', ms)
  }

  /** Starts or ends the echo function (section 6.8.9). */
  #echo(): void {
    const { echo, parameters, remote, state } = this.#a
    const wanted = state === 'up' && parameters.echoMs > 0 && (remote?.requiredMinEchoRxMs ?? 0) > 0
    if (wanted === (echo !== 'off')) return
    this.#a = { ...this.#a, echo: wanted ? 'unanswered' : 'off' }
    if (wanted) {
      this.#arm('echo', 0)
      if (this.#a.echoes === remote?.discriminator) this.#expectEcho()
    } else {
      this.#disarm('echo')
      this.#disarm('echo-detect')
    }
  }

  /** Expects an echo packet within a detection time (section 6.8.5). */
  #expectEcho(): void {
    this.#arm('echo-detect', this.#a.parameters.detectMultiplier * this.#echoInterval())
  }

  #echoInterval(): number {
    const { parameters, remote } = this.#a
    return Math.max(parameters.echoMs, remote?.requiredMinEchoRxMs ?? 0)
  }

  #draw(ms: number): number {
    return jittered(ms, this.#a.parameters.detectMultiplier, this.#random())
  }

  #send(final: boolean): void {
    this.#emit({ type: 'send', packet: packetOf(this.#a, final) })
  }

  #emit(output: BfdOutput): void {
    this.#effects.push({ do: 'emit', output })
  }

  #arm(timer: Timer, ms: number): void {
    this.#effects.push({ do: 'arm', timer, ms })
  }

  #disarm(timer: Timer): void {
    this.#effects.push({ do: 'disarm', timer })
  }
}
