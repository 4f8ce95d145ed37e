import { seededRandom } from '@carillon/core/testing'
import { type Fault, nodeFaults, type Round, sharedFaults } from './fault.ts'

const kinds = [...nodeFaults, ...sharedFaults]

/**
 * What happens in a soak run: the same seed gives the same rounds, a longer run more of them. Every kind of fault comes once before any
 * comes again; one round in three has a second fault, on another node.
 *
 * @param witness the node that is never ended, so that its memory can be watched over the whole run
 */
export function* schedule(seed: number, nodes: readonly string[], witness: string): Generator<Round, never> {
  const random = seededRandom(seed)
  const below = (n: number): number => Math.floor(random() * n)
  const pick = <T>(of: readonly T[]): T => of[below(of.length)] as T
  const duration = (): number => 800 + below(3200)
  const onNode = (kind: (typeof nodeFaults)[number], spared: readonly string[]): Fault => {
    const mortal = kind === 'kill' || kind === 'stop' ? [witness] : []
    const node = pick(nodes.filter(one => !spared.includes(one) && !mortal.includes(one)))
    return { kind, node, ms: duration() }
  }
  const waiting: (typeof kinds)[number][] = []
  for (;;) {
    if (waiting.length === 0) waiting.push(...kinds)
    const [kind] = waiting.splice(below(waiting.length), 1)
    const shared = sharedFaults.find(one => one === kind)
    if (shared) {
      yield [{ kind: shared, choice: below(6), ms: duration() }]
      continue
    }
    const first = onNode(kind as (typeof nodeFaults)[number], [])
    yield random() < 1 / 3 && 'node' in first ? [first, onNode(pick(nodeFaults), [first.node])] : [first]
  }
}
