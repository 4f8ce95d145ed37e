import type { Because, Member, Plan } from '@carillon/core'
import type { NodeRow, SessionRow } from '@carillon/web'
import type { Received } from './reports.ts'

const order = (a: { name: string }, b: { name: string }): number =>
  a.name.localeCompare(b.name, 'en', { numeric: true })

/** Why a node may not be elected for any address, however alive it is; undefined where it may. */
function unfitness(plan: Plan | undefined, name: string): Because | undefined {
  const facts = plan?.nodes.get(name)
  if (!facts) return undefined
  if (facts.excluded) return 'nodeLabeledExcludeBalancers'
  if (facts.networkUnavailable) return 'nodeNetworkUnavailable'
  return facts.held ? 'heldDown' : undefined
}

/** What the rows of nodes are made of. */
export interface NodeParts {
  readonly plan: Plan | undefined
  readonly members: readonly Member[]
  readonly owned: ReadonlyMap<string, number>
  readonly reportOf: (node: string) => Received | undefined
}

/** Every node of the plan and every member, by name. */
export function nodeRows({ plan, members, owned, reportOf }: NodeParts): readonly NodeRow[] {
  const known = new Map(members.map(member => [member.name, member]))
  const names = new Set([...(plan?.nodes.keys() ?? []), ...known.keys()])
  return Array.from(names, (name): NodeRow => {
    const member = known.get(name)
    const received = reportOf(name)
    const unfit = unfitness(plan, name)
    const liveness = member?.liveness ?? 'absent'
    const gone = liveness === 'dead' || liveness === 'left' || liveness === 'absent'
    return {
      name,
      ...(member && member.address !== '' ? { address: member.address } : {}),
      liveness,
      owns: owned.get(name) ?? 0,
      ...(unfit === undefined ? {} : { unfit }),
      // What the departed said last is no news.
      ...(received && !gone ? { report: received.report, reportedAt: received.at.toISOString() } : {}),
    }
  }).sort(order)
}

/** The sessions of all nodes that have told of theirs: what is not as it should be comes first. */
export function sessionRows(nodes: readonly NodeRow[]): readonly SessionRow[] {
  const bad = ({ state, bfd }: SessionRow): number =>
    state !== 'Established' || (bfd !== undefined && bfd !== 'up') ? 0 : 1
  return nodes
    .flatMap(({ name, report }) => (report?.sessions ?? []).map(session => ({ node: name, ...session })))
    .sort(
      (a, b) =>
        bad(a) - bad(b) ||
        order({ name: a.peer }, { name: b.peer }) ||
        order({ name: a.node }, { name: b.node }),
    )
}
