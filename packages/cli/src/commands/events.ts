import { CarillonError, type Clock, type SpeakerEvent } from '@carillon/core'
import { News } from '../news.ts'
import { paint, type Terminal } from '../terminal.ts'
import type { AskOptions } from './status.ts'

export interface EventsOptions extends AskOptions {
  readonly follow: boolean
}

/** What following events needs of the world. */
export interface Following {
  readonly clock: Clock
  /** Settles when it is to end. */
  readonly stopped: Promise<unknown>
}

/** Milliseconds between two questions. */
const everyMs = 1000

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
 * stopped. In JSON an array; when following, an object a line.
 */
export async function events(
  options: EventsOptions,
  terminal: Terminal,
  following: Following,
): Promise<number> {
  const first = await options.ask(noService)
  if (!options.follow) {
    if (options.json) terminal.print(JSON.stringify(first.events, null, 2))
    else for (const event of first.events) terminal.print(line(event, terminal))
    return 0
  }
  const news = new News()
  const tell = (happened: readonly SpeakerEvent[]): void => {
    for (const event of happened) terminal.print(options.json ? JSON.stringify(event) : line(event, terminal))
  }
  tell(news.of(first))
  const { clock, stopped } = following
  let stop = false
  const ended = stopped.then(() => {
    stop = true
  })
  let away = false
  for (;;) {
    await Promise.race([ended, new Promise<void>(resolve => clock.after(everyMs, resolve))])
    if (stop) return 0
    try {
      const answer = await options.ask(noService)
      if (away) terminal.warn(`carillon: ${answer.node} answers again`)
      away = false
      tell(news.of(answer))
    } catch (error) {
      if (!(error instanceof CarillonError)) throw error
      if (!away) terminal.warn(`carillon: ${error.message}; asking again`)
      away = true
    }
  }
}
