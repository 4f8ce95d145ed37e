import { type Problem, parseConfig, parseResource, type Snapshot } from '@carillon/core'
import { added } from './differences.ts'
import { isFields } from './fields.ts'
import { problemsButMissing } from './forgiving.ts'
import { type ConfigKind, type ConfigResource, isConfigResource } from './kinds.ts'
import { losses } from './loss.ts'
import { substituted } from './substitution.ts'

/** What somebody wants to do to an object, which is given as Kubernetes holds it. */
export interface Change {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE'
  readonly kind: ConfigKind
  readonly name: string
  readonly namespace: string
  /** As it is to be; of a deletion there is none. */
  readonly object?: unknown
}

/** What is to be said to it. */
export interface Verdict {
  readonly allowed: boolean
  /** Why not: everything that would be wrong because of the change. */
  readonly problems: readonly Problem[]
  /** What the change leaves to be done, or takes away. */
  readonly warnings: readonly string[]
}

/** One line for a problem: `BGPPeer "tor" spec.bfdProfile: there is no…` */
export const problemLine = ({ kind, name, field, message }: Problem): string =>
  `${kind} "${name}"${field === '' ? '' : ` ${field}`}: ${message}`

/**
 * Decides about a change to an object of the configuration, given what there is.
 *
 * It is refused when it makes something wrong that was not wrong before, in this object or in another one. What was wrong already is no
 * reason, and neither is a reference to an object that does not exist: it may be applied next. Such a reference is warned about.
 * Objects in other namespaces are refused, as nobody would read them. A BFDProfile that a BGPPeer uses cannot be deleted; anything else can,
 * with a warning that says what that does.
 */
export function judge(change: Change, snapshot: Snapshot, ownNamespace: string): Verdict {
  if (change.operation === 'DELETE')
    return change.namespace === ownNamespace ? judgeDeletion(change, snapshot) : fine
  const object = named(change)
  // Whoever takes the last finalizer off an object must not be kept from it.
  if (isBeingDeleted(object)) return fine
  if (change.namespace !== ownNamespace) return refused([wrongNamespace(change, ownNamespace)])
  const parsed = parseResource(object)
  const { kind, name } = change
  const resource = parsed?.resource && isConfigResource(parsed.resource) ? parsed.resource : undefined
  const next = substituted(snapshot, {
    kind,
    name,
    problems: parsed?.problems ?? [],
    ...(resource ? { resource } : {}),
  })
  const problems = added(problemsButMissing(snapshot), problemsButMissing(next)).filter(isError)
  if (problems.length > 0) return refused(problems)
  return {
    allowed: true,
    problems: [],
    warnings: [...open(change, snapshot, next), ...lost(change, snapshot, next)],
  }
}

const fine: Verdict = { allowed: true, problems: [], warnings: [] }

const refused = (problems: readonly Problem[]): Verdict => ({ allowed: false, problems, warnings: [] })

const isError = ({ severity }: Problem): boolean => severity === 'error'

function isBeingDeleted(object: unknown): boolean {
  const metadata = isFields(object) && isFields(object.metadata) ? object.metadata : {}
  return typeof metadata.deletionTimestamp === 'string'
}

/** An object whose name the API server is still to make up has one for the time being. */
function named({ object, name }: Change): unknown {
  if (!isFields(object) || !isFields(object.metadata) || object.metadata.name) return object
  return { ...object, metadata: { ...object.metadata, name } }
}

const wrongNamespace = ({ kind, name }: Change, ownNamespace: string): Problem => ({
  severity: 'error',
  kind,
  name,
  field: 'metadata.namespace',
  message: `must be created in the namespace ${ownNamespace}: in others it is not read`,
})

/** What a change leaves to be done: what is to be said of the object itself, and what it changes for others. */
function open({ kind, name }: Change, before: Snapshot, after: Snapshot): readonly string[] {
  const [were, are] = [parseConfig(before), parseConfig(after)]
  const isOwn = (problem: Problem): boolean => problem.kind === kind && problem.name === name
  const own = are.problems.filter(isOwn)
  const others = added(were.problems, are.problems).filter(problem => !isOwn(problem))
  return [...own, ...others].map(warningOf)
}

const warningOf = (problem: Problem): string =>
  isError(problem)
    ? `${problemLine(problem)}; until then no change of the configuration takes effect`
    : problemLine(problem)

/** Services that a change of pools takes addresses from. */
function lost({ kind }: Change, before: Snapshot, after: Snapshot): readonly string[] {
  if (kind !== 'IPAddressPool') return []
  const all = losses(before.pools, after.pools, before.services)
  if (all.length === 0) return []
  const shown = all
    .slice(0, 3)
    .map(
      ({ service: { metadata }, addresses }) =>
        `${metadata.namespace}/${metadata.name} (${addresses.join(', ')})`,
    )
  const more = all.length > shown.length ? ` and ${all.length - shown.length} more` : ''
  const who = all.length === 1 ? '1 Service loses its address' : `${all.length} Services lose their addresses`
  return [`${who}, which no pool has any more: ${shown.join(', ')}${more}`]
}

function judgeDeletion(change: Change, snapshot: Snapshot): Verdict {
  const { kind, name } = change
  const next = substituted(snapshot, { kind, name })
  if (kind === 'BFDProfile') {
    const users = snapshot.bgpPeers.filter(({ spec }) => spec.bfdProfile === name)
    if (users.length > 0) return refused(users.map(user => inUse(user, name)))
  }
  const others = added(parseConfig(snapshot).problems, parseConfig(next).problems).filter(
    problem => problem.kind !== kind || problem.name !== name,
  )
  return {
    allowed: true,
    problems: [],
    warnings: [...others.map(warningOf), ...lost(change, snapshot, next)],
  }
}

const inUse = ({ kind, metadata }: ConfigResource, profile: string): Problem => ({
  severity: 'error',
  kind,
  name: metadata.name,
  field: 'spec.bfdProfile',
  message: `uses BFDProfile "${profile}", which can only be deleted when no BGPPeer does: change the peer first`,
})
