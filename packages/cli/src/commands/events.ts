import { CarillonError, type Clock, type SpeakerEvent } from '@carillon/core'
import type { Listen, Told } from '../listen.ts'
import { paint, type Terminal } from '../terminal.ts'
import type { AskOptions } from './status.ts'

export interface EventsOptions extends AskOptions {
  readonly follow: boolean
}

/** What following events needs of the world. */
export interface Following {
  readonly listen: Listen
  readonly clock: Clock
  /** Settles when it is to end. */
  readonly stopped: Promise<unknown>
}

/** Milliseconds from one attempt to hear a speaker to the next: twice as long each time, up to the most. */
const shortestWaitMs = 250
const longestWaitMs = 5000

/** A speaker that has said nothing for so many milliseconds is taken for gone; it says something every five seconds. */
const silenceMs = 15_000

/** A question that needs no Service of the answer. */
const noService = '-'

const alarming: readonly SpeakerEvent['type'][] = [
  'addressConflict',
  'announcementFailed',
  'announcerFailed',
  'configurationRefused',
  'peerDown',
  'silenced',
  'sourceFailed',
]

function line({ at, type, message }: SpeakerEvent, terminal: Terminal): string {
  return `${at}  ${paint(terminal, alarming.includes(type) ? 'red' : 'cyan', type.padEnd(20))}  ${message}`
}

/**
 * `carillon events`: what a running speaker remembers, oldest first. With `follow` it goes on, through restarts of the speaker, until it is
 * stopped. In JSON an array; when following, an object a line. Where the speaker cannot be heard at all it throws what is in the way.
 */
export async function events(
  options: EventsOptions,
  terminal: Terminal,
  following: Following,
): Promise<number> {
  if (options.follow) return await new Follower(options, terminal, following).run()
  const { events: remembered } = await options.ask(noService)
  if (options.json) terminal.print(JSON.stringify(remembered, null, 2))
  else for (const event of remembered) terminal.print(line(event, terminal))
  return 0
}

const stop = Symbol('it is to end')
const silence = Symbol('nothing was heard for too long')

/** Tells each event once, in order, whatever becomes of the connection. */
class Follower {
  readonly #options: EventsOptions
  readonly #terminal: Terminal
  readonly #following: Following
  readonly #stopped: Promise<typeof stop>
  #last: string | undefined
  #node: string | undefined
  #away = false
  #waitMs = shortestWaitMs

  constructor(options: EventsOptions, terminal: Terminal, following: Following) {
    this.#options = options
    this.#terminal = terminal
    this.#following = following
    this.#stopped = following.stopped.then(() => stop)
  }

  async run(): Promise<number> {
    for (;;) {
      const why = await this.#hear()
      if (why === stop) return 0
      if (!this.#away) this.#terminal.warn(`carillon: ${why}; trying again`)
      this.#away = true
      const waitMs = this.#waitMs
      this.#waitMs = Math.min(longestWaitMs, waitMs * 2)
      if ((await this.#within(waitMs, this.#stopped)) === stop) return 0
    }
  }

  /** Waits for one of these, or until so many milliseconds have passed: then it gives `silence`. */
  async #within<T>(ms: number, ...promises: readonly Promise<T>[]): Promise<T | typeof silence> {
    let cancel = (): void => {}
    const late = new Promise<typeof silence>(resolve => {
      cancel = this.#following.clock.after(ms, () => resolve(silence))
    })
    try {
      return await Promise.race([...promises, late])
    } finally {
      cancel()
    }
  }

  /** Hears the speaker for as long as it speaks; gives why it does no more. */
  async #hear(): Promise<string | typeof stop> {
    const abort = new AbortController()
    const told = this.#following.listen(this.#last, abort.signal)[Symbol.asyncIterator]()
    try {
      for (;;) {
        const next = told.next()
        // What comes of it once nobody waits for it any more is of no interest.
        next.catch(() => {})
        const got = await this.#within<IteratorResult<Told> | typeof stop>(silenceMs, this.#stopped, next)
        if (got === stop) return stop
        if (got === silence)
          return `nothing was heard of ${this.#node ?? 'the speaker'} for ${silenceMs / 1000} s`
        if (got.done) return `${this.#node ?? 'the speaker'} has ended the connection`
        this.#take(got.value)
      }
    } catch (error) {
      // Who was never heard is perhaps not there at all.
      if (!(error instanceof CarillonError) || this.#node === undefined) throw error
      return error.message
    } finally {
      abort.abort()
    }
  }

  #take(told: Told): void {
    if (told.says === 'speaker') {
      const { node } = told
      if (this.#away) this.#terminal.warn(`carillon: ${node} answers${node === this.#node ? ' again' : ''}`)
      this.#node = node
      this.#away = false
      this.#waitMs = shortestWaitMs
    } else if (told.says === 'happened') {
      const missed = missing(this.#last, told.id)
      if (missed > 0) this.#terminal.warn(`carillon: ${missed} events came too fast, and are lost`)
      this.#last = told.id
      const { json } = this.#options
      this.#terminal.print(json ? JSON.stringify(told.event) : line(told.event, this.#terminal))
    }
  }
}

/** How many events of one process lie between two of them: an id is the process, and a number. */
function missing(before: string | undefined, now: string): number {
  const [process, number] = now.split('-')
  const [processBefore, numberBefore] = before?.split('-') ?? []
  return process === processBefore ? Number(number) - Number(numberBefore) - 1 : 0
}
