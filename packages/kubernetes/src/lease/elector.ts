import type { CarillonError, Effect, Step, TimerEvent } from '@carillon/core'

/** A Lease, as it was read or written last. */
export interface LeaseRecord {
  /** Empty: nobody. */
  readonly holder: string
  readonly transitions: number
  /** How long its holder asks for, in milliseconds. */
  readonly durationMs: number
  /** When the present holder took it, RFC 3339. */
  readonly acquireTime?: string
  readonly resourceVersion: string
}

/** How an election goes. Times in milliseconds. */
export interface ElectorConfig {
  /** Who this is; no other process has the same, not even an earlier one of this Pod. */
  readonly identity: string
  /** A Lease that was not renewed for this long is free. */
  readonly leaseMs: number
  /** A leader that could not renew for this long leads no more; the rest up to `leaseMs` is for what is still under way. */
  readonly renewMs: number
  /** From one look, or one renewal, to the next. */
  readonly retryMs: number
  /** 0 <= x < 1 */
  readonly random: () => number
}

export interface ElectorState {
  readonly role: 'standby' | 'leader' | 'retired'
  /** A request is under way; it was sent at that time. */
  readonly sentAt?: number
  /** The Lease as it was seen last, and when it was first seen so. */
  readonly lease?: LeaseRecord
  readonly seenAt: number
  /** Until when this one leads unless it renews. */
  readonly leadsUntil: number
  /** `wanted`: to be given up as soon as what is under way has ended. `releasing`: that is being written. */
  readonly leaving: 'no' | 'wanted' | 'releasing'
}

export type ElectorEvent =
  | { readonly type: 'start' }
  /** What a look showed; undefined: there is no Lease. */
  | { readonly type: 'read'; readonly lease: LeaseRecord | undefined }
  | { readonly type: 'written'; readonly lease: LeaseRecord }
  /** Somebody else was faster. */
  | { readonly type: 'conflict' }
  | { readonly type: 'failed'; readonly error: CarillonError }
  /** The process ends: let the next one have it. */
  | { readonly type: 'leave' }

export type ElectorOutput =
  | { readonly do: 'read' }
  | { readonly do: 'take'; readonly over: LeaseRecord | undefined }
  | { readonly do: 'renew'; readonly lease: LeaseRecord }
  | { readonly do: 'release'; readonly lease: LeaseRecord }
  /** Give up the request that is under way. */
  | { readonly do: 'abandon' }
  | { readonly do: 'lead' }
  | { readonly do: 'stand-down' }
  | { readonly do: 'left' }

type Next = Step<ElectorState, ElectorOutput>

export const initialElector: ElectorState = { role: 'standby', seenAt: 0, leadsUntil: 0, leaving: 'no' }

const emit = (output: ElectorOutput): Effect<ElectorOutput> => ({ do: 'emit', output })

const resting = ({ sentAt: _, ...rest }: ElectorState): ElectorState => rest

/**
 * Leader election by a Lease. A standby waits until the Lease has not changed for as long as its holder asked for, by its own clock,
 * so clocks need not agree. A leader counts from the moment at which it sent its last renewal, and stands down a good while before anybody
 * else can take over.
 */
export class Elector {
  readonly #config: ElectorConfig

  constructor(config: ElectorConfig) {
    this.#config = config
  }

  readonly step = (state: ElectorState, event: ElectorEvent | TimerEvent, now: number): Next => {
    if (state.role === 'retired') return [state]
    switch (event.type) {
      case 'start':
        return this.#try(state, now)
      case 'read':
        return this.#read(state, event.lease, now)
      case 'written':
        return this.#written(state, event.lease, now)
      case 'conflict':
        return this.#conflict(state, now)
      case 'failed':
        return this.#rest(state)
      case 'leave':
        return this.#leave(state, now)
      case 'timer':
        return event.timer === 'expire' ? this.#expire(state) : this.#try(state, now)
    }
  }

  /** Does what is next: a leader renews, a standby looks. */
  #try(state: ElectorState, now: number): Next {
    if (state.sentAt !== undefined) return [state]
    const { lease } = state
    if (state.role === 'leader' && lease) return [{ ...state, sentAt: now }, emit({ do: 'renew', lease })]
    return [{ ...state, sentAt: now }, emit({ do: 'read' })]
  }

  #read(state: ElectorState, lease: LeaseRecord | undefined, now: number): Next {
    if (state.leaving !== 'no') return this.#left(state)
    if (!lease) return [{ ...state, sentAt: now }, emit({ do: 'take', over: undefined })]
    const seenAt = state.lease?.resourceVersion === lease.resourceVersion ? state.seenAt : now
    const seen = { ...state, lease, seenAt }
    // One's own identity is held by nobody else: a renewal of which the answer was lost.
    const free =
      lease.holder === '' || lease.holder === this.#config.identity || now - seenAt >= lease.durationMs
    return free ? [{ ...seen, sentAt: now }, emit({ do: 'take', over: lease })] : this.#rest(seen)
  }

  #written(state: ElectorState, lease: LeaseRecord, now: number): Next {
    const { sentAt = now } = state
    if (state.leaving === 'releasing') return this.#left(state)
    if (state.leaving === 'wanted')
      return [{ ...state, lease, leaving: 'releasing' }, emit({ do: 'release', lease })]
    const leadsUntil = sentAt + this.#config.renewMs
    const held: ElectorState = { ...state, lease, seenAt: now, leadsUntil }
    // An answer that took too long is no ground to lead on.
    if (leadsUntil <= now) return this.#rest(held)
    const [next, ...effects] = this.#rest({ ...held, role: 'leader' })
    return [
      next,
      { do: 'arm', timer: 'expire', ms: leadsUntil - now },
      ...(state.role === 'leader' ? [] : [emit({ do: 'lead' })]),
      ...effects,
    ]
  }

  /** Whoever was faster may have been oneself, by a request whose answer was lost: a look will tell. */
  #conflict(state: ElectorState, now: number): Next {
    if (state.leaving !== 'no') return this.#left(state)
    if (state.role !== 'leader') return this.#rest(state)
    const [next, ...effects] = this.#standDown(resting(state))
    return [{ ...next, sentAt: now }, ...effects, emit({ do: 'read' })]
  }

  #rest(state: ElectorState): Next {
    if (state.leaving !== 'no') return this.#left(state)
    const { retryMs, random } = this.#config
    // Standbys that look all at the same moment would fight over the Lease.
    const ms = state.role === 'leader' ? retryMs : retryMs * (1 + random() / 4)
    return [resting(state), { do: 'arm', timer: 'try', ms }]
  }

  #expire(state: ElectorState): Next {
    if (state.role !== 'leader') return [state]
    const underWay = state.sentAt !== undefined
    const [next, ...effects] = this.#standDown(state)
    if (!underWay) return [next, ...effects]
    const [rested, ...more] = this.#rest(next)
    return [rested, ...effects, emit({ do: 'abandon' }), ...more]
  }

  #standDown(state: ElectorState): Next {
    return [
      { ...state, role: 'standby', leadsUntil: 0 },
      { do: 'disarm', timer: 'expire' },
      emit({ do: 'stand-down' }),
    ]
  }

  #leave(state: ElectorState, now: number): Next {
    if (state.leaving !== 'no') return [state]
    const leaving: ElectorState = { ...state, leaving: 'wanted' }
    if (state.role !== 'leader' || !state.lease)
      return state.sentAt === undefined ? this.#left(leaving) : [leaving]
    const [next, ...effects] = this.#standDown(leaving)
    if (state.sentAt !== undefined) return [next, ...effects]
    return [
      { ...next, sentAt: now, leaving: 'releasing' },
      ...effects,
      { do: 'disarm', timer: 'try' },
      emit({ do: 'release', lease: state.lease }),
    ]
  }

  #left(state: ElectorState): Next {
    return [
      { ...resting(state), role: 'retired' },
      { do: 'disarm', timer: 'try' },
      { do: 'disarm', timer: 'expire' },
      emit({ do: 'left' }),
    ]
  }
}
