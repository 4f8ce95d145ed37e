import { type CarillonError, type Clock, drive, type Machine, type Stream } from '@carillon/core'
import type { FsmEvent, Greeting } from '../fsm/event.ts'
import type { Negotiated } from '../fsm/negotiated.ts'
import type { FsmOutput } from '../fsm/output.ts'
import type { FsmSettings } from '../fsm/settings.ts'
import { type FsmState, initialState, listening, type SessionState } from '../fsm/state.ts'
import { stepOf } from '../fsm/step.ts'
import type { Decoded } from '../wire/index.ts'
import type { Message, NotificationMessage } from '../wire/message.ts'
import { Connection, type ConnectionListener } from './connection.ts'

/** Whom a channel asks and tells. */
export interface ChannelOwner {
  readonly settings: FsmSettings
  readonly clock: Clock
  readonly random: () => number
  /** Opens a connection to the peer. */
  dial(): Promise<Stream>
  /** What our OPEN says on this connection. */
  greeting(stream: Stream): Greeting
  /** The connection as an error, for people. */
  unreachable(cause: unknown): CarillonError
  sent(message: Message): void
  received(channel: Channel, decoded: Decoded): void
  /** The peer's OPEN is accepted. */
  confirmed(channel: Channel, negotiated: Negotiated): void
  established(channel: Channel, negotiated: Negotiated): void
  failed(channel: Channel, reason: CarillonError, established: boolean): void
  waiting(channel: Channel, ms: number): void
  writable(channel: Channel): void
  /** It is in another state now. */
  entered(channel: Channel, state: SessionState): void
}

/** One state machine with its connection. A session has one, and a second one while both sides have connected at once. */
export class Channel {
  readonly #owner: ChannelOwner
  readonly #machine: Machine<FsmState, FsmEvent>
  #connection: Connection | undefined
  /** Closing it, with what was said last. */
  #closing: Promise<void> = Promise.resolve()
  /** Counts attempts to connect: a connection that comes too late is recognised by it. */
  #attempt = 0

  /** `failures`: of a channel beside another one, those of the session so far. */
  constructor(owner: ChannelOwner, failures?: number) {
    this.#owner = owner
    this.#machine = drive<FsmState, FsmEvent, FsmOutput>({
      initial: failures === undefined ? initialState : { ...listening, failures },
      step: stepOf(owner.settings, owner.random),
      clock: owner.clock,
      output: output => this.#perform(output),
    })
  }

  get state(): FsmState {
    return this.#machine.state
  }

  get connection(): Connection | undefined {
    return this.#connection
  }

  handle(event: FsmEvent): void {
    this.#machine.handle(event)
  }

  start(): void {
    this.handle({ type: 'start' })
  }

  /** Takes a connection that was made; the machine must be waiting for one. */
  attach(stream: Stream, by: 'us' | 'peer'): void {
    const greeting = this.#owner.greeting(stream)
    const current = (): boolean => this.#connection === connection
    const listener: ConnectionListener = {
      message: decoded => current() && this.#receive(decoded),
      malformed: fault =>
        current() && this.handle({ type: 'malformed', reason: fault, notification: fault.notification }),
      closed: reason => {
        if (!current()) return
        this.#connection = undefined
        this.handle({ type: 'closed', reason })
      },
      writable: () => current() && this.#owner.writable(this),
      blocked: () => current() && this.handle({ type: 'blocked' }),
      unblocked: () => current() && this.handle({ type: 'unblocked' }),
    }
    const connection = new Connection(stream, by, this.#owner.clock, listener)
    this.#connection = connection
    this.handle({ type: 'connected', by, greeting })
  }

  /** Ends it for good, telling the peer so if there is something to tell. Resolves when the connection is closed. */
  async stop(reason: CarillonError, notification?: NotificationMessage): Promise<void> {
    this.handle({ type: 'stop', reason, ...(notification && { notification }) })
    this.#machine.stop()
    await this.#closing
  }

  /** Forgets it: nothing is told of it any more. */
  abandon(): void {
    this.#machine.stop()
    this.#attempt++
    this.#close()
  }

  #receive(decoded: Decoded): void {
    const { message } = decoded
    this.#owner.received(this, decoded)
    this.handle({ type: 'message', message })
    const { state } = this
    if (message.type !== 'open' || state.name !== 'OpenConfirm') return
    const { fourOctetAs, extendedMessage } = state.negotiated
    this.#connection?.agree({ fourOctetAs, extendedMessage })
    this.#owner.confirmed(this, state.negotiated)
  }

  #perform(output: FsmOutput): void {
    const owner = this.#owner
    switch (output.type) {
      case 'connect':
        this.#dial()
        return
      case 'send':
        if (this.#connection?.send(output.message)) owner.sent(output.message)
        return
      case 'close':
        this.#attempt++
        this.#close()
        return
      case 'established':
        owner.established(this, output.negotiated)
        return
      case 'failed':
        owner.failed(this, output.reason, output.established)
        return
      case 'entered':
        owner.entered(this, output.state)
        return
      case 'waiting':
        owner.waiting(this, output.ms)
        return
    }
  }

  #close(): void {
    const connection = this.#connection
    this.#connection = undefined
    if (connection) this.#closing = connection.close()
  }

  #dial(): void {
    const attempt = ++this.#attempt
    this.#owner.dial().then(
      stream => {
        if (attempt === this.#attempt) this.attach(stream, 'us')
        else stream.destroy()
      },
      cause => {
        if (attempt !== this.#attempt) return
        this.handle({ type: 'connectFailed', reason: this.#owner.unreachable(cause) })
      },
    )
  }
}
