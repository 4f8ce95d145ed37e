/** One answer that a client had. */
export interface Answer {
  /** Milliseconds on the client's own clock. */
  readonly at: number
  /** The node that gave it. */
  readonly node: string
}

/** What a client saw of a move. */
export interface Seen {
  /** The longest time without an answer, in milliseconds. */
  readonly gapMs: number
  readonly from: string
  readonly to: string
  /** How often the answering node changed. */
  readonly changes: number
}

/** Sums up a run of answers, in order of time. Undefined when there are fewer than two. */
export function sumUp(answers: readonly Answer[]): Seen | undefined {
  const [first] = answers
  const last = answers.at(-1)
  if (!first || !last || first === last) return undefined
  let gapMs = 0
  let changes = 0
  let previous = first
  for (const answer of answers.slice(1)) {
    gapMs = Math.max(gapMs, answer.at - previous.at)
    if (answer.node !== previous.node) changes++
    previous = answer
  }
  return { gapMs, from: first.node, to: last.node, changes }
}
