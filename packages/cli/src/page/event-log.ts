/** One event of the stream, as it goes over the wire. */
export interface LoggedEvent {
  readonly sequence: number
  readonly text: string
}

/** An event in the format of server-sent events. `id`: where a reader that comes back goes on; empty: at the beginning. */
export function eventText(event: string, data: unknown, id: string): string {
  return `event: ${event}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`
}

/** The number of the event that an id names; undefined where it is of another process, or no id at all. */
export function parseEventId(id: string, ours: string): number | undefined {
  const [epoch, number = ''] = id.split('-')
  return epoch === ours && /^\d{1,15}$/.test(number) ? Number(number) : undefined
}

/** The latest events, for readers that follow and for those that come back. Bounded by characters; older events make room. */
export class EventLog {
  readonly #epoch: string
  readonly #capacity: number
  #events: LoggedEvent[] = []
  #size = 0
  #sequence = 0

  /**
   * @param epoch tells the events of this process from those of another one
   * @param capacity characters that are kept
   */
  constructor(epoch: string, capacity = 4_000_000) {
    this.#epoch = epoch
    this.#capacity = capacity
  }

  /** The number of the newest event. */
  get sequence(): number {
    return this.#sequence
  }

  /** By what a reader names an event. */
  idOf(sequence: number): string {
    return `${this.#epoch}-${sequence}`
  }

  /** The number of the event that a reader names; undefined where it is none of ours, or what followed it is not kept any more. */
  sequenceOf(id: string): number | undefined {
    const sequence = parseEventId(id, this.#epoch)
    return sequence !== undefined && this.covers(sequence) ? sequence : undefined
  }

  append(event: string, data: unknown): void {
    const sequence = ++this.#sequence
    const text = eventText(event, data, this.idOf(sequence))
    this.#events.push({ sequence, text })
    this.#size += text.length
    while (this.#size > this.#capacity && this.#events.length > 1)
      this.#size -= this.#events.shift()?.text.length ?? 0
  }

  /** Whether everything after that event is kept. */
  covers(sequence: number): boolean {
    const first = this.#events[0]?.sequence ?? this.#sequence + 1
    return sequence <= this.#sequence && sequence >= first - 1
  }

  /** The event after that one; undefined where there is none yet. */
  after(sequence: number): LoggedEvent | undefined {
    const first = this.#events[0]?.sequence ?? 0
    return this.#events[sequence + 1 - first]
  }

  /** Forgets all events; numbers go on, so that nobody goes on from a forgotten one. */
  clear(): void {
    this.#events = []
    this.#size = 0
    this.#sequence++
  }
}
