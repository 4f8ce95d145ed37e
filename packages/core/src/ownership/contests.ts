import type { Cluster } from './cluster.ts'
import { type Electorate, electorate, type Reach } from './electorate.ts'
import { compareDigests, type Hasher, ticket } from './hash/hasher.ts'
import { sha256 } from './hash/sha256.ts'

/** The election for one address among one set of candidates. */
export interface Contest {
  readonly address: string
  /** Who won; undefined: nobody stood, or it is not decided yet. */
  node: string | undefined
  /** Score and first 32 bits of the digest of the winner. */
  score: number
  head: number
  /** How many Services rely on it. */
  users: number
}

const precedes = (node: string, other: string, address: string): boolean =>
  compareDigests(sha256(ticket(node, address)), sha256(ticket(other, address))) < 0

/**
 * Names a set of candidates by what it depends on: Services of different pools and advertisements may share
 * an election.
 */
export function contestsKey(reaches: readonly Reach[], locals: ReadonlySet<string> | undefined): string {
  return JSON.stringify([reaches.map(({ text }) => text).sort(), locals && [...locals].sort()])
}

/**
 * All elections that have the same candidates. Keeps each winner with its digest, so that a newcomer costs
 * one hash an address and a loss concerns only the addresses of the lost node.
 */
export class Contests {
  /** Equal candidates have an equal key. */
  readonly key: string
  readonly #reaches: readonly Reach[]
  readonly #locals: ReadonlySet<string> | undefined
  readonly #contests = new Map<string, Contest>()
  #electorate: Electorate
  #undecided: Contest[] = []

  constructor(reaches: readonly Reach[], locals: ReadonlySet<string> | undefined, cluster: Cluster) {
    this.key = contestsKey(reaches, locals)
    this.#reaches = reaches
    this.#locals = locals
    this.#electorate = electorate(reaches, locals, cluster)
  }

  get size(): number {
    return this.#contests.size
  }

  /** The contest for an address, which stays until as many have left as have entered. */
  enter(address: string): Contest {
    let contest = this.#contests.get(address)
    if (!contest) {
      contest = { address, node: undefined, score: 0, head: 0, users: 0 }
      this.#contests.set(address, contest)
      this.#undecided.push(contest)
    }
    contest.users++
    return contest
  }

  leave(contest: Contest): void {
    if (--contest.users === 0) this.#contests.delete(contest.address)
  }

  /** Whether a node is among the candidates. */
  admits(node: string): boolean {
    return this.#electorate.scores.has(node)
  }

  /** Decides what has been entered since. */
  decide(hasher: Hasher): void {
    if (this.#undecided.length === 0) return
    this.#elect(this.#undecided, hasher)
    this.#undecided = []
  }

  /**
   * Replays the elections that a different cluster can have changed, and reports those whose winner is
   * another one.
   */
  revise(cluster: Cluster, hasher: Hasher, changed: (contest: Contest) => void): void {
    const before = this.#electorate
    const after = electorate(this.#reaches, this.#locals, cluster)
    const lost = new Set<string>()
    const gained: (readonly [node: string, score: number])[] = []
    for (const [node, score] of before.scores) if ((after.scores.get(node) ?? -1) < score) lost.add(node)
    for (const [node, score] of after.scores)
      if (score > (before.scores.get(node) ?? -1)) gained.push([node, score])
    if (lost.size === 0 && gained.length === 0) return
    this.#electorate = after

    const all = [...this.#contests.values()]
    const winners = all.map(contest => contest.node)
    // One hash for each newcomer and address is cheaper than an election only while newcomers are few.
    const few = 2 * gained.length <= after.top.length
    const open = all.filter(({ node }) => !few || node === undefined || lost.has(node))
    for (const contest of open) contest.node = undefined
    if (few) for (const [node, score] of gained) this.#challenge(node, score, all, hasher)
    this.#elect(open, hasher)
    for (const [i, contest] of all.entries()) if (contest.node !== winners[i]) changed(contest)
  }

  /** Lets one node stand, with its new score, against the winners of decided contests. */
  #challenge(node: string, score: number, contests: readonly Contest[], hasher: Hasher): void {
    const open = contests.filter(contest => contest.node !== undefined && contest.score <= score)
    const heads = hasher.heads(
      node,
      open.map(({ address }) => address),
    )
    for (const [i, contest] of open.entries()) {
      const head = heads[i] as number
      const wins =
        score > contest.score ||
        head < contest.head ||
        (head === contest.head && precedes(node, contest.node as string, contest.address))
      if (!wins) continue
      contest.node = node
      contest.score = score
      contest.head = head
    }
  }

  #elect(contests: readonly Contest[], hasher: Hasher): void {
    const { top, topScore } = this.#electorate
    const found =
      top.length === 0
        ? []
        : hasher.least(
            top,
            contests.map(({ address }) => address),
          )
    for (const [i, contest] of contests.entries()) {
      const smallest = found[i]
      contest.node = smallest && top[smallest.index]
      contest.score = topScore
      contest.head = smallest?.head ?? 0
    }
  }
}
