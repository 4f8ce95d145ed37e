import { CarillonError, type Effect, type Step } from '@carillon/core'
import { notification } from '../wire/fault.ts'
import { notificationCodes } from '../wire/iana.ts'
import type { NotificationMessage, OpenMessage } from '../wire/message.ts'
import { backOffMs, jittered } from './back-off.ts'
import type { FsmEvent, FsmTimer, Greeting } from './event.ts'
import { negotiate } from './negotiated.ts'
import { openOf } from './open.ts'
import type { FsmOutput } from './output.ts'
import { received } from './received.ts'
import { type BackOff, type FsmSettings, largeHoldMs, stableMs } from './settings.ts'
import type { Established, FsmState, OpenConfirm } from './state.ts'

/** What a state goes by beside itself and the event. */
export interface Context {
  readonly settings: FsmSettings
  /** 0 <= x < 1 */
  readonly random: () => number
  readonly now: number
}

export type FsmStep = Step<FsmState, FsmOutput>
type FsmEffect = Effect<FsmOutput>

export const emit = (output: FsmOutput): FsmEffect => ({ do: 'emit', output })
export const send = (message: Extract<FsmOutput, { type: 'send' }>['message']): FsmEffect =>
  emit({ type: 'send', message })
export const arm = (timer: FsmTimer, ms: number): FsmEffect => ({ do: 'arm', timer, ms })
export const disarm = (...timers: readonly FsmTimer[]): readonly FsmEffect[] =>
  timers.map(timer => ({ do: 'disarm', timer }))

const allTimers = disarm('connectRetry', 'delayOpen', 'hold', 'keepalive', 'idleHold', 'sendHold')

/** How long the peer's messages may lie unread while this process stands still, and how long it then gets to read them. */
const standstillMs = 250

/** The failures that count now that there is one more. */
function failuresAfter(state: FsmState, now: number): number {
  const lasted = state.name === 'Established' ? now - state.since : 0
  return lasted >= stableMs ? 1 : state.failures + 1
}

/** To Connect: a connection is to be made. */
export function dial(context: Context, failures: number): FsmStep {
  return [
    { name: 'Connect', failures },
    ...disarm('idleHold'),
    arm('connectRetry', context.settings.connectTimeoutMs),
    emit({ type: 'connect' }),
  ]
}

/** To Active: the next attempt of ours comes later, and meanwhile the peer may come. */
export function listen(
  context: Context,
  failures: number,
  backOff: BackOff = context.settings.retry,
): FsmStep {
  const { settings, random } = context
  const active = { name: 'Active', failures } as const
  if (settings.passive) return [active, ...disarm('connectRetry', 'delayOpen', 'idleHold')]
  const ms = backOffMs(backOff, failures, random)
  return [active, ...disarm('delayOpen', 'idleHold'), arm('connectRetry', ms), emit({ type: 'waiting', ms })]
}

/** So many failures in a row a peer may have, and connect again at once. */
const chances = 4

/**
 * To Active after a connection that did not come about, or was lost; the peer is told of it where `told` is given. The RFC goes to Idle
 * from some states, which refuses the peer's own attempts; a router that is back before we try again is let in. So it is in Idle, where
 * sessions come about and end time and again.
 */
export function retry(
  context: Context,
  state: FsmState,
  reason: CarillonError,
  { told, backOff }: { readonly told?: NotificationMessage; readonly backOff?: BackOff } = {},
): FsmStep {
  const failures = failuresAfter(state, context.now)
  if ('negotiated' in state && failures > chances)
    return fail(context, state, reason, told, backOff ?? context.settings.retry)
  const [active, ...effects] = listen(context, failures, backOff)
  return [
    active,
    ...allTimers,
    ...(told ? [send(told)] : []),
    emit({ type: 'close' }),
    ...effects,
    emit({ type: 'failed', reason, established: state.name === 'Established' }),
  ]
}

const { cease, holdTimer } = notificationCodes
const { maximumPrefixes, outOfResources } = cease.subcodes

/** To Active after a NOTIFICATION of the peer. */
export function dismissed(context: Context, state: FsmState, message: NotificationMessage): FsmStep {
  const { code, subcode } = message
  const full: boolean = subcode === maximumPrefixes.code || subcode === outOfResources.code
  // Another session may go well at once, where nothing is wrong with what was said.
  const soon = code === holdTimer.code || (code === cease.code && !full)
  const { retry: quick, errorRetry } = context.settings
  return retry(context, state, received(message), { backOff: soon ? quick : errorRetry })
}

/** To Idle after an error of the peer; it is told of it where `told` is given. It is tried again after a while. */
export function fail(
  context: Context,
  state: FsmState,
  reason: CarillonError,
  told?: NotificationMessage,
  backOff: BackOff = context.settings.errorRetry,
): FsmStep {
  const failures = failuresAfter(state, context.now)
  const ms = backOffMs(backOff, failures, context.random)
  return [
    { name: 'Idle', failures, stopped: false },
    ...allTimers,
    ...(told ? [send(told)] : []),
    emit({ type: 'close' }),
    arm('idleHold', ms),
    emit({ type: 'waiting', ms }),
    emit({ type: 'failed', reason, established: state.name === 'Established' }),
  ]
}

/** To Idle because we want it; nothing is tried again until the next start. */
export function halt(state: FsmState, reason: CarillonError, told?: NotificationMessage): FsmStep {
  return [
    { name: 'Idle', failures: 0, stopped: true },
    ...allTimers,
    ...(told ? [send(told)] : []),
    emit({ type: 'close' }),
    emit({ type: 'failed', reason, established: state.name === 'Established' }),
  ]
}

/** To Idle because another connection with the same peer is the one that stays. */
export function yieldTo(state: FsmState): FsmStep {
  const reason = new CarillonError(
    'CONNECTION_COLLISION',
    'both sides connected at once, and the other connection stays',
  )
  return halt(state, reason, notification('cease', 'collisionResolution'))
}

/** To OpenSent. */
export function greet(context: Context, failures: number, greeting: Greeting): FsmStep {
  return [
    { name: 'OpenSent', failures, greeting },
    ...disarm('connectRetry', 'delayOpen', 'idleHold'),
    send(openOf(context.settings, greeting)),
    arm('hold', largeHoldMs),
  ]
}

/** To OpenConfirm, if the peer's OPEN is acceptable. `ours`: our OPEN, where it has been held back. */
export function agree(
  context: Context,
  state: FsmState,
  greeting: Greeting,
  open: OpenMessage,
  ours?: OpenMessage,
): FsmStep {
  const outcome = negotiate(context.settings, greeting.routerId, open)
  if ('reason' in outcome) return fail(context, state, outcome.reason, outcome.notification)
  const { failures } = state
  return [
    { name: 'OpenConfirm', failures, negotiated: outcome, heardAt: context.now, lenient: false },
    ...disarm('connectRetry', 'delayOpen', 'hold'),
    ...(ours ? [send(ours)] : []),
    send({ type: 'keepalive' }),
    ...(outcome.holdTimeMs > 0 ? [arm('hold', outcome.holdTimeMs), keepaliveLater(context, outcome)] : []),
  ]
}

export function keepaliveLater(
  { random }: Context,
  { keepaliveTimeMs }: { readonly keepaliveTimeMs: number },
): FsmEffect {
  return arm('keepalive', jittered(keepaliveTimeMs, random))
}

/**
 * The hold timer ran out. It is armed anew for what was heard since, instead of with every message; and a process that stood
 * still first reads what has come meanwhile, before it calls the peer dead.
 */
export function holdExpired(context: Context, state: OpenConfirm | Established): FsmStep {
  const { holdTimeMs } = state.negotiated
  const left = state.heardAt + holdTimeMs - context.now
  if (left > 0) return [{ ...state, lenient: false }, arm('hold', left)]
  if (!state.lenient && left < -standstillMs) return [{ ...state, lenient: true }, arm('hold', standstillMs)]
  const reason = new CarillonError(
    'HOLD_TIMER_EXPIRED',
    `nothing was heard of the peer for ${holdTimeMs / 1000} s, the hold time`,
    { holdTimeMs },
  )
  return retry(context, state, reason, { told: notification('holdTimer', 'unspecific') })
}

/** The peer said something that it may not say now. */
export function unexpected(
  context: Context,
  state: FsmState,
  type: string,
  subcode: 'inOpenSent' | 'inOpenConfirm' | 'inEstablished' | 'unspecific',
  data?: Uint8Array,
): FsmStep {
  const reason = new CarillonError(
    'UNEXPECTED_MESSAGE',
    `the peer sent ${type} in state ${state.name}, where it does not belong`,
    { state: state.name, type },
  )
  return fail(context, state, reason, notification('stateMachine', subcode, data))
}

export type EventOf<Type extends FsmEvent['type']> = Extract<FsmEvent, { readonly type: Type }>
