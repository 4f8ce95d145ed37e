import type { Clock, Metrics } from '@carillon/core'
import type { NodeReport } from '@carillon/web'
import { decodeWord, encodeWord, fitting } from './words.ts'

/** How words reach the other speakers; the gossip. */
export interface Post {
  /** Tells every member, best effort. */
  tell(message: Uint8Array): void
  /** Tells one member. */
  answer(node: string, message: Uint8Array): Promise<void>
  heard(handle: (message: Uint8Array) => void): void
}

/** A report, and when it came. */
export interface Received {
  readonly report: NodeReport
  readonly at: Date
}

export interface ReportsOptions {
  readonly node: string
  /** Absent: there is nobody to ask. */
  readonly post: Post | undefined
  readonly clock: Clock
  readonly metrics: Metrics
  /** What to say of this node. */
  readonly own: () => NodeReport
}

/** Milliseconds from one answer to the next to the same node. */
const answerAgainMs = 400

/** Askers and reporters that are remembered: more than a cluster has nodes. */
const mostNodes = 5000

/** What the nodes say of themselves. Asks when told to, and answers whoever asks. */
export class Reports {
  readonly #options: ReportsOptions
  readonly #received = new Map<string, Received>()
  readonly #answered = new Map<string, number>()

  constructor(options: ReportsOptions) {
    this.#options = options
    const { post, metrics } = options
    const words = metrics.counter('carillon_page_words_total', 'Words of other speakers about themselves', [
      'says',
    ])
    post?.heard(message => {
      const word = decodeWord(message)
      if (!word || word.node === options.node) return
      words.inc({ says: word.says })
      if (word.says === 'ask') this.#answer(word.node)
      else this.#note(word.node, word.report)
    })
  }

  /** Asks everybody. Their answers arrive within a moment, or never. */
  ask(): void {
    const { node, own, post } = this.#options
    this.#note(node, own())
    post?.tell(encodeWord({ says: 'ask', node }))
  }

  /** What a node said last. */
  of(node: string): Received | undefined {
    return this.#received.get(node)
  }

  /** Forgets all reports. */
  clear(): void {
    this.#received.clear()
  }

  #note(node: string, report: NodeReport): void {
    if (this.#received.size < mostNodes || this.#received.has(node))
      this.#received.set(node, { report, at: this.#options.clock.date() })
  }

  #answer(asker: string): void {
    const { node, own, post, clock } = this.#options
    const now = clock.now()
    const last = this.#answered.get(asker)
    if (last !== undefined && now - last < answerAgainMs) return
    if (this.#answered.size >= mostNodes) this.#answered.clear()
    this.#answered.set(asker, now)
    // An asker that is no member, or cannot be reached, gets no answer.
    void post?.answer(asker, encodeWord({ says: 'report', node, report: fitting(own()) }))
  }
}
