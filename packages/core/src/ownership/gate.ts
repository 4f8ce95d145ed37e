import type { NodeFacts } from './cluster.ts'
import type { Because } from './verdict.ts'

/** One of the questions that decide whether a node may speak for what a Service claims. */
export interface Gate<Claim> {
  /** The word for a node that does not pass. */
  readonly because: Because
  passes(claim: Claim, facts: NodeFacts): boolean
}

/** Whether a node got past a question; `gate` is the word for one that did not. */
export interface GateOutcome {
  readonly gate: Because
  readonly passed: boolean
}

/** The questions asked of a node in their order, up to the first that it does not pass. */
export function ask<Claim>(
  gates: readonly Gate<Claim>[],
  claim: Claim,
  facts: NodeFacts,
): readonly GateOutcome[] {
  const failed = gates.findIndex(gate => !gate.passes(claim, facts))
  const asked = failed < 0 ? gates : gates.slice(0, failed + 1)
  return asked.map(({ because }, i) => ({ gate: because, passed: i !== failed }))
}
