import type { L2Ad, LabelMap } from '../config/config.ts'
import { matchesAny } from '../config/selector.ts'
import { type Cluster, mayStand } from './cluster.ts'

/**
 * Which nodes an advertisement includes and how much it prefers each. Remembers its answers by the identity
 * of the labels.
 */
export class Reach {
  /** Equal reaches have equal text. */
  readonly text: string
  readonly #ad: L2Ad
  readonly #scores = new WeakMap<LabelMap, number>()

  constructor(ad: L2Ad) {
    this.#ad = ad
    this.text = Reach.textOf(ad)
  }

  static textOf({ nodeSelectors, preferences }: L2Ad): string {
    return JSON.stringify([
      nodeSelectors.map(selector => selector.text),
      preferences.map(({ weight, selector }) => [weight, selector.text]),
    ])
  }

  /**
   * Sum of the weights of the preferences that match a node with these labels; undefined: the node is not
   * included.
   */
  score(labels: LabelMap | undefined): number | undefined {
    if (!labels) return undefined
    let score = this.#scores.get(labels)
    if (score === undefined) {
      score = -1
      if (matchesAny(this.#ad.nodeSelectors, labels)) {
        score = 0
        for (const { weight, selector } of this.#ad.preferences) if (selector.matches(labels)) score += weight
      }
      this.#scores.set(labels, score)
    }
    return score < 0 ? undefined : score
  }
}

/**
 * The score of a node over all advertisements that match a Service; undefined: none of them includes the
 * node.
 */
export function totalScore(reaches: readonly Reach[], labels: LabelMap | undefined): number | undefined {
  let total: number | undefined
  for (const reach of reaches) {
    const score = reach.score(labels)
    if (score !== undefined) total = (total ?? 0) + score
  }
  return total
}

/** The candidates of an election. */
export interface Electorate {
  /** Score of each candidate. */
  readonly scores: ReadonlyMap<string, number>
  /** The candidates of the highest score, among whom the digest decides. */
  readonly top: readonly string[]
  readonly topScore: number
}

/**
 * Who may be elected: living nodes, without those whose network is unavailable or that are excluded by label,
 * that some of the advertisements includes, and, where `locals` are given, only those.
 */
export function electorate(
  reaches: readonly Reach[],
  locals: ReadonlySet<string> | undefined,
  cluster: Cluster,
): Electorate {
  const scores = new Map<string, number>()
  let top: string[] = []
  let topScore = 0
  for (const name of locals ?? cluster.keys()) {
    const facts = cluster.get(name)
    if (!facts || !mayStand(facts)) continue
    const score = totalScore(reaches, facts.labels)
    if (score === undefined) continue
    scores.set(name, score)
    if (score > topScore) {
      topScore = score
      top = []
    }
    if (score === topScore) top.push(name)
  }
  return { scores, top, topScore }
}
