import type { IncomingMessage } from 'node:http'
import { createInterface } from 'node:readline'
import type { Json } from './api.ts'

export interface WatchEvent {
  readonly type: string
  readonly object: Json
}

/** A watch, event by event. */
export class Watching {
  readonly code: number
  readonly #response: IncomingMessage
  readonly #events: AsyncIterator<string>
  #broken = false

  constructor(response: IncomingMessage) {
    this.#response = response
    this.code = response.statusCode ?? 0
    response.on('error', () => {
      this.#broken = true
    })
    this.#events = createInterface({ input: response })[Symbol.asyncIterator]()
  }

  /** The next event; nothing when the server has ended the watch. */
  async next(): Promise<WatchEvent | undefined> {
    const { value, done } = await this.#events.next()
    return done === true ? undefined : (JSON.parse(value) as WatchEvent)
  }

  /** The next events, as type and name. */
  async take(count: number): Promise<readonly string[]> {
    const seen: string[] = []
    while (seen.length < count) {
      const event = await this.next()
      if (event === undefined) break
      seen.push(`${event.type} ${event.object.metadata.name}`)
    }
    return seen
  }

  /** Reads on until an event is what the test waits for. */
  async until(wanted: (event: WatchEvent) => boolean): Promise<WatchEvent> {
    for (let event = await this.next(); event !== undefined; event = await this.next())
      if (wanted(event)) return event
    throw new Error('the watch ended before what was waited for')
  }

  /** Whether the connection was broken off rather than ended; to be asked after the end. */
  get broken(): boolean {
    return this.#broken
  }

  close(): void {
    this.#response.destroy()
  }
}
