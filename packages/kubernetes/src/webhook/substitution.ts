import type { Problem, Snapshot } from '@carillon/core'
import { type ConfigKind, type ConfigResource, configLists } from './kinds.ts'

/** Which object takes the place of which. */
export interface Substitution {
  readonly kind: ConfigKind
  readonly name: string
  /** Absent: the object is no more, or cannot be understood. */
  readonly resource?: ConfigResource
  /** What is wrong with the object as such. */
  readonly problems?: readonly Problem[]
}

/** The snapshot in which an object is as it is going to be. */
export function substituted(snapshot: Snapshot, substitution: Substitution): Snapshot {
  const { kind, name, resource, problems = [] } = substitution
  const list = configLists[kind]
  const others: readonly ConfigResource[] = snapshot[list]
  const rest = others.filter(other => other.metadata.name !== name)
  const kept = snapshot.problems.filter(problem => problem.kind !== kind || problem.name !== name)
  return {
    ...snapshot,
    [list]: resource ? [...rest, resource] : rest,
    problems: [...kept, ...problems],
  }
}
