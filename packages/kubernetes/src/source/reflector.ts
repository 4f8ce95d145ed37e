import type { CarillonError, Effect, Step, TimerEvent } from '@carillon/core'
import type { WatchedKind } from './watched-kind.ts'

/** What the reflector goes by. Times in milliseconds. */
export interface ReflectorConfig extends Pick<WatchedKind, 'whenMissing' | 'whenForbidden'> {
  /** Objects in one page of a list. */
  readonly pageSize: number
  /** The server is asked to end a watch after this long, up to twice as long. */
  readonly watchMs: number
  /** A watch in which this long nothing came, although bookmarks do come, is taken for dead. */
  readonly silenceMs: number
  /** The first pause after a failure, and the longest; each doubles the one before. */
  readonly backOffMs: number
  readonly maxBackOffMs: number
  /** 0 <= x < 1 */
  readonly random: () => number
}

/** What holds unless something else is asked for. */
export const reflectorDefaults: Pick<
  ReflectorConfig,
  'pageSize' | 'watchMs' | 'silenceMs' | 'backOffMs' | 'maxBackOffMs'
> = { pageSize: 200, watchMs: 240_000, silenceMs: 150_000, backOffMs: 800, maxBackOffMs: 30_000 }

/** Why a kind is not up to date. */
export interface Failing {
  readonly since: number
  readonly attempts: number
  readonly error: CarillonError
}

/** Where the following of one kind stands. */
export interface ReflectorState {
  readonly phase: 'idle' | 'listing' | 'opening' | 'watching' | 'waiting'
  /** Changes after this one are not known yet; absent: a list is needed. */
  readonly resourceVersion?: string
  /** Lists have been cut off as too old this often in a row: pages are the cause. */
  readonly expired: number
  /** A whole list was there once, or it is known that there is nothing to list. */
  readonly synced: boolean
  readonly failing?: Failing
  /** Of the present watch: when it was opened and when something came last; whether that was a bookmark once. */
  readonly openedAt: number
  readonly heardAt: number
  readonly bookmarked: boolean
  /** How long it may last, and when the server should have ended it. */
  readonly lastsMs: number
  readonly endsAt: number
  /** A list was asked for while one was under way. */
  readonly again: boolean
  /** It may be listed, and not watched: lists take the place of a watch. */
  readonly polling: boolean
}

export type ReflectorEvent =
  | { readonly type: 'start' }
  /** A list is asked for although a watch may be running. */
  | { readonly type: 'refresh' }
  /** A page came. */
  | { readonly type: 'page'; readonly resourceVersion: string; readonly continue?: string }
  | { readonly type: 'opened' }
  /** The watch told of something; that was the last version in it. */
  | { readonly type: 'progress'; readonly resourceVersion: string; readonly bookmark: boolean }
  /** The server ended the watch. */
  | { readonly type: 'ended' }
  | { readonly type: 'failed'; readonly error: CarillonError }

export type ReflectorOutput =
  /** Ask for a page; the first one when it continues nothing. */
  | { readonly do: 'list'; readonly limit?: number; readonly continue?: string }
  | { readonly do: 'watch'; readonly resourceVersion: string; readonly timeoutSeconds: number }
  /** Give up what is under way. */
  | { readonly do: 'abandon' }
  /** The pages make a whole. */
  | { readonly do: 'commit' }
  /** There is nothing to list, for certain. */
  | { readonly do: 'none' }
  | { readonly do: 'failing'; readonly error: CarillonError; readonly attempts: number }
  | { readonly do: 'recovered'; readonly afterMs: number; readonly attempts: number }

type Next = Step<ReflectorState, ReflectorOutput>

export const initialReflector: ReflectorState = {
  phase: 'idle',
  expired: 0,
  synced: false,
  openedAt: 0,
  heardAt: 0,
  bookmarked: false,
  lastsMs: 0,
  endsAt: 0,
  again: false,
  polling: false,
}

/** The server may take this long over ending a watch, in milliseconds. */
const graceMs = 15_000

/** A watch that ends sooner than this, in milliseconds, without having told of anything, was not a good one. */
const briefMs = 1000

/** Permissions and kinds do not come back by the second. */
const slowBackOffMs = 5000

/** From one list to the next where a watch is forbidden, in milliseconds, and up to half as long again. */
const pollMs = 10_000

const emit = (output: ReflectorOutput): Effect<ReflectorOutput> => ({ do: 'emit', output })
const arm = (timer: string, ms: number): Effect<ReflectorOutput> => ({ do: 'arm', timer, ms })
const disarm = (timer: string): Effect<ReflectorOutput> => ({ do: 'disarm', timer })

function without<Key extends keyof ReflectorState>(
  state: ReflectorState,
  key: Key,
): Omit<ReflectorState, Key> {
  const { [key]: _, ...rest } = state
  return rest
}

/**
 * Follows one kind: list, watch from there, and again when it broke, without ever forgetting what is known. What may be listed and not
 * watched is listed again and again. Everything that has to wait
 * waits for a random part of its time, so that a hundred nodes do not come back at once.
 */
export class Reflector {
  readonly #config: ReflectorConfig

  constructor(config: ReflectorConfig) {
    this.#config = config
  }

  readonly step = (state: ReflectorState, event: ReflectorEvent | TimerEvent, now: number): Next => {
    switch (event.type) {
      case 'start':
        return state.phase === 'idle' ? this.#list(state) : [state]
      case 'refresh':
        return this.#refresh(state)
      case 'page':
        return this.#page(state, event, now)
      case 'opened':
        return this.#opened(state, now)
      case 'progress':
        return this.#progress(state, event, now)
      case 'ended':
        return this.#ended(state, now)
      case 'failed':
        return this.#failed(state, event.error, now)
      case 'timer':
        return event.timer === 'retry' ? this.#resume(state) : this.#silence(state, now)
    }
  }

  #list(state: ReflectorState): Next {
    const limit = state.expired > 1 ? {} : { limit: this.#config.pageSize }
    return [
      { ...without(state, 'resourceVersion'), phase: 'listing', again: false },
      emit({ do: 'list', ...limit }),
    ]
  }

  #watch(state: ReflectorState, resourceVersion: string): Next {
    const timeoutSeconds = Math.round((this.#config.watchMs * (1 + this.#config.random())) / 1000)
    return [
      { ...state, phase: 'opening', resourceVersion, bookmarked: false, lastsMs: timeoutSeconds * 1000 },
      emit({ do: 'watch', resourceVersion, timeoutSeconds }),
    ]
  }

  #resume(state: ReflectorState): Next {
    if (state.phase !== 'waiting') return [state]
    return state.resourceVersion === undefined ? this.#list(state) : this.#watch(state, state.resourceVersion)
  }

  #refresh(state: ReflectorState): Next {
    switch (state.phase) {
      case 'idle':
        return [state]
      case 'listing':
        return [{ ...state, again: true }]
      case 'waiting': {
        // The pause is there for the server's sake; what is asked for after it is a list.
        return [without(state, 'resourceVersion')]
      }
      case 'opening':
      case 'watching': {
        const [next, ...effects] = this.#list(state)
        return [next, disarm('silence'), emit({ do: 'abandon' }), ...effects]
      }
    }
  }

  #page(state: ReflectorState, event: Extract<ReflectorEvent, { type: 'page' }>, now: number): Next {
    if (state.phase !== 'listing') return [state]
    if (event.continue !== undefined) {
      return [state, emit({ do: 'list', limit: this.#config.pageSize, continue: event.continue })]
    }
    // A list says nothing about whether a watch is allowed by now.
    const recovered = state.polling ? [] : recovery(state, now)
    const listed = state.polling ? state : without(state, 'failing')
    const whole: ReflectorState = { ...listed, expired: 0, synced: true }
    const [next, ...effects] = state.again ? this.#list(whole) : this.#watch(whole, event.resourceVersion)
    return [next, emit({ do: 'commit' }), ...recovered, ...effects]
  }

  #opened(state: ReflectorState, now: number): Next {
    if (state.phase !== 'opening') return [state]
    const endsAt = now + state.lastsMs + graceMs
    return [
      {
        ...without(state, 'failing'),
        phase: 'watching',
        openedAt: now,
        heardAt: now,
        endsAt,
        polling: false,
      },
      ...recovery(state, now),
      arm('silence', Math.min(this.#config.silenceMs, endsAt - now)),
    ]
  }

  #progress(state: ReflectorState, event: Extract<ReflectorEvent, { type: 'progress' }>, now: number): Next {
    if (state.phase !== 'watching') return [state]
    const { resourceVersion, bookmark } = event
    return [{ ...state, resourceVersion, heardAt: now, bookmarked: state.bookmarked || bookmark }]
  }

  /** Looks whether a watch has fallen silent. It is looked at now and then, so that nothing has to be done for each event. */
  #silence(state: ReflectorState, now: number): Next {
    if (state.phase !== 'watching') return [state]
    const until = state.bookmarked
      ? Math.min(state.heardAt + this.#config.silenceMs, state.endsAt)
      : state.endsAt
    if (now < until) return [state, arm('silence', Math.min(this.#config.silenceMs, until - now))]
    const [next, ...effects] = this.#watch(state, state.resourceVersion as string)
    return [next, emit({ do: 'abandon' }), ...effects]
  }

  #ended(state: ReflectorState, now: number): Next {
    if (state.phase !== 'watching' && state.phase !== 'opening') return [state]
    const brief =
      state.phase === 'opening' || (now - state.openedAt < briefMs && state.heardAt === state.openedAt)
    if (!brief) {
      const [next, ...effects] = this.#watch(state, state.resourceVersion as string)
      return [next, disarm('silence'), ...effects]
    }
    return [
      { ...state, phase: 'waiting' },
      disarm('silence'),
      arm('retry', this.#config.backOffMs * (0.5 + this.#config.random() / 2)),
    ]
  }

  #failed(state: ReflectorState, error: CarillonError, now: number): Next {
    if (state.phase === 'idle' || state.phase === 'waiting') return [state]
    const { code } = error
    if (code === 'API_GONE') {
      const [next, ...effects] = this.#list({
        ...state,
        expired: state.phase === 'listing' ? state.expired + 1 : 0,
      })
      // A list that is cut off again and again would otherwise be asked for without pause.
      if (next.expired <= 2) return [next, disarm('silence'), ...effects]
    }
    const attempts = (state.failing?.attempts ?? 0) + 1
    const failing: Failing = { since: state.failing?.since ?? now, attempts, error }
    // Of a kind that has gone, or a version that is not understood, a watch would never tell again.
    const polling = code === 'API_FORBIDDEN' && state.phase === 'opening'
    const relist = polling || code === 'API_NO_SUCH_RESOURCE' || code === 'API_INVALID' || code === 'API_GONE'
    const kept = relist ? without(state, 'resourceVersion') : state
    const none = !state.synced && this.#meansNone(code)
    return [
      { ...kept, phase: 'waiting', failing, synced: state.synced || none, again: false, polling },
      disarm('silence'),
      ...(none ? [emit({ do: 'none' })] : []),
      emit({ do: 'failing', error, attempts }),
      arm('retry', polling ? pollMs * (1 + this.#config.random() / 2) : this.#pause(error, attempts)),
    ]
  }

  #meansNone(code: string): boolean {
    const { whenMissing, whenForbidden } = this.#config
    if (code === 'API_NO_SUCH_RESOURCE') return whenMissing === 'none'
    return code === 'API_FORBIDDEN' && whenForbidden === 'none'
  }

  #pause({ code, details }: CarillonError, attempts: number): number {
    const { backOffMs, maxBackOffMs, random } = this.#config
    const slow = code === 'API_FORBIDDEN' || code === 'API_NO_SUCH_RESOURCE' || code === 'API_UNAUTHORIZED'
    const first = slow ? Math.max(backOffMs, slowBackOffMs) : backOffMs
    const doubled = Math.min(maxBackOffMs, first * 2 ** Math.min(attempts - 1, 16))
    const asked = typeof details.retryAfterMs === 'number' ? details.retryAfterMs : 0
    return Math.max(doubled * (0.5 + random() / 2), asked * (1 + random() / 4))
  }
}

function recovery(state: ReflectorState, now: number): readonly Effect<ReflectorOutput>[] {
  const { failing } = state
  if (!failing) return []
  return [emit({ do: 'recovered', afterMs: now - failing.since, attempts: failing.attempts })]
}
