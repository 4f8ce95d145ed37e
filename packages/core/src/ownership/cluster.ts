import type { LabelMap } from '../config/config.ts'
import type { Node } from '../resources/index.ts'

/**
 * What the plan needs to know of a node. Unchanged nodes keep their identity from one cluster to the next.
 */
export interface NodeFacts {
  readonly name: string
  /** Undefined: there is no Node object, so no advertisement includes it. */
  readonly labels: LabelMap | undefined
  readonly alive: boolean
  /** Alive, but not to be elected yet. */
  readonly held: boolean
  readonly networkUnavailable: boolean
  /** Labelled to take no part, and the label is heeded. */
  readonly excluded: boolean
}

/** Every known node by name: Node objects and members. */
export type Cluster = ReadonlyMap<string, NodeFacts>

/** What is known of the nodes. */
export interface ClusterInputs {
  readonly nodes: readonly Node[]
  /** Names of living members (alive or suspect); undefined: every Node object counts as one. */
  readonly alive: ReadonlySet<string> | undefined
  /**
   * Those of the living that are not to be elected yet. What every eligible node announces does not depend on it.
   *
   * @default none
   */
  readonly held?: ReadonlySet<string>
  /** A member without a Node object has the label `kubernetes.io/hostname` instead of none. */
  readonly standalone: boolean
  /** Do not heed the label `node.kubernetes.io/exclude-from-external-load-balancers`. */
  readonly ignoreExcludeLb: boolean
}

const excludeLabel = 'node.kubernetes.io/exclude-from-external-load-balancers'

function sameLabels(a: LabelMap | undefined, b: LabelMap | undefined): boolean {
  if (a === b) return true
  if (!a || !b) return false
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every(key => a[key] === b[key])
}

function sameFacts(a: NodeFacts, b: NodeFacts): boolean {
  return (
    a.alive === b.alive &&
    a.held === b.held &&
    a.networkUnavailable === b.networkUnavailable &&
    a.excluded === b.excluded &&
    sameLabels(a.labels, b.labels)
  )
}

/** Puts together what is known of the nodes; gives `previous` itself when nothing in it is different. */
export function cluster(inputs: ClusterInputs, previous: Cluster = new Map()): Cluster {
  const { nodes, alive, held, standalone, ignoreExcludeLb } = inputs
  const isHeld = (name: string): boolean => held?.has(name) ?? false
  const next = new Map<string, NodeFacts>()
  let same = true
  const add = (facts: NodeFacts): void => {
    const before = previous.get(facts.name)
    const kept = before && sameFacts(before, facts) ? before : facts
    if (kept !== before) same = false
    next.set(facts.name, kept)
  }
  for (const { metadata, status } of nodes) {
    add({
      name: metadata.name,
      labels: metadata.labels,
      alive: alive === undefined || alive.has(metadata.name),
      held: isHeld(metadata.name),
      networkUnavailable: status.conditions.some(
        condition => condition.type === 'NetworkUnavailable' && condition.status === 'True',
      ),
      excluded: !ignoreExcludeLb && Object.hasOwn(metadata.labels, excludeLabel),
    })
  }
  for (const name of alive ?? []) {
    if (next.has(name)) continue
    const labels = standalone ? { 'kubernetes.io/hostname': name } : undefined
    add({ name, labels, alive: true, held: isHeld(name), networkUnavailable: false, excluded: false })
  }
  return same && next.size === previous.size ? previous : next
}

/** Whether nothing keeps the node from being elected, whatever the Service. */
export function mayStand({ alive, held, networkUnavailable, excluded }: NodeFacts): boolean {
  return alive && !held && !networkUnavailable && !excluded
}
