import type { Decoded } from '../wire/index.ts'
import type { Message } from '../wire/message.ts'
import type { SessionCounters } from './status.ts'

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

const zero: SessionCounters = {
  messagesSent: 0,
  messagesReceived: 0,
  opensSent: 0,
  opensReceived: 0,
  updatesSent: 0,
  updatesReceived: 0,
  keepalivesSent: 0,
  keepalivesReceived: 0,
  notificationsSent: 0,
  notificationsReceived: 0,
  refreshesSent: 0,
  refreshesReceived: 0,
  prefixesReceived: 0,
  faultyUpdates: 0,
}

type Direction = 'Sent' | 'Received'

const nouns = {
  open: 'opens',
  update: 'updates',
  keepalive: 'keepalives',
  notification: 'notifications',
  routeRefresh: 'refreshes',
} as const satisfies Record<Message['type'], string>

/** Counts the messages of one session. */
export class Tally {
  readonly #counters: Mutable<SessionCounters> = { ...zero }
  readonly #counted: () => void

  /** `counted` is called whenever a number has grown. */
  constructor(counted: () => void) {
    this.#counted = counted
  }

  sent(type: Message['type'], count = 1): void {
    this.#count(type, 'Sent', count)
  }

  received({ message, faults }: Decoded): void {
    this.#count(message.type, 'Received', 1)
    if (message.type !== 'update') return
    this.#counters.prefixesReceived +=
      message.announced.length + (message.attributes.mpReach?.prefixes.length ?? 0)
    if (faults.length > 0) this.#counters.faultyUpdates++
  }

  #count(type: Message['type'], direction: Direction, count: number): void {
    this.#counters[`${nouns[type]}${direction}`] += count
    this.#counters[`messages${direction}`] += count
    this.#counted()
  }

  /** As of now. */
  read(): SessionCounters {
    return { ...this.#counters }
  }
}
