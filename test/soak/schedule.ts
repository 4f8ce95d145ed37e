import { seededRandom } from '@carillon/core/testing'
import {
  apiFaults,
  type Fault,
  type NodeFault,
  nodeFaults,
  type Round,
  type SourceName,
  sharedFaults,
} from './fault.ts'

/**
 * What happens in a soak run: the same seed gives the same rounds, a longer run more of them. Every kind of fault comes once before any
 * comes again. One round in three of those that begin with a node has a second fault, on another node; two in three of those that begin with the API
 * server or a controller, on any node, half of which are killed.
 *
 * @param witness the node that is never ended, so that its memory can be watched over the whole run
 */
export function* schedule(
  seed: number,
  source: SourceName,
  nodes: readonly string[],
  witness: string,
): Generator<Round, never> {
  const random = seededRandom(seed)
  const below = (n: number): number => Math.floor(random() * n)
  const pick = <T>(of: readonly T[]): T => of[below(of.length)] as T
  const duration = (): number => 800 + below(3200)
  const onNode = (kind: NodeFault, spared: readonly string[]): Fault => {
    const mortal = kind === 'kill' || kind === 'stop' ? [witness] : []
    const node = pick(nodes.filter(one => !spared.includes(one) && !mortal.includes(one)))
    return { kind, node, ms: duration() }
  }
  const shared = sharedFaults[source]
  const kinds = [...nodeFaults, ...shared]
  const waiting: (typeof kinds)[number][] = []
  for (;;) {
    if (waiting.length === 0) waiting.push(...kinds)
    const [kind] = waiting.splice(below(waiting.length), 1)
    const onAll = shared.find(one => one === kind)
    const first: Fault = onAll
      ? { kind: onAll, choice: below(6), ms: duration() }
      : onNode(kind as NodeFault, [])
    if ('node' in first) yield random() < 1 / 3 ? [first, onNode(pick(nodeFaults), [first.node])] : [first]
    else if (apiFaults.some(one => one === kind) && random() < 2 / 3)
      yield [first, onNode(random() < 1 / 2 ? 'kill' : pick(nodeFaults), [])]
    else yield [first]
  }
}
