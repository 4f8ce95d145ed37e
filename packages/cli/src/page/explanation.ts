import { type Because, explain, type Plan } from '@carillon/core'
import type { AddressRow, ExplanationAnswer, Silence } from '@carillon/web'

/** Names of the first few in line for an address, the owner first. */
const mostInLine = 4

/** Who follows, for each of these addresses; those that nobody is elected for are left out. */
export function successions(
  plan: Plan,
  addresses: readonly string[],
): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    addresses.flatMap(address => {
      const { decidedBy } = plan.addresses.get(address) ?? {}
      const line = decidedBy === undefined ? [] : (plan.services.get(decidedBy)?.succession() ?? [])
      return line.length === 0 ? [] : [[address, line.slice(0, mostInLine)]]
    }),
  )
}

/** Everything about one address; undefined where it is not assigned. */
export function explanation(plan: Plan, address: string, row: AddressRow): ExplanationAnswer | undefined {
  const planned = plan.addresses.get(address)
  const key = planned?.decidedBy ?? planned?.services[0]
  const service = key === undefined ? undefined : plan.services.get(key)
  const explained = key === undefined ? undefined : explain(plan, key)
  if (!service || !explained) return undefined
  const silent = new Map<string, Silence & { readonly nodes: string[] }>()
  for (const { protocol, node, verdict, meaning } of explained.nodes) {
    if (verdict.speak || !meaning) continue
    const { because }: { because: Because } = verdict
    const group = silent.get(`${protocol} ${because}`)
    if (group) group.nodes.push(node)
    else silent.set(`${protocol} ${because}`, { protocol, nodes: [node], because, ...meaning })
  }
  return {
    address,
    row,
    ...(planned?.decidedBy === undefined ? {} : { decidedBy: planned.decidedBy }),
    candidates: explained.succession.map(({ node, score, digest, aheadBy }) => ({
      node,
      score,
      digest,
      ...(aheadBy === undefined ? {} : { aheadBy }),
    })),
    announcements: service.announcements,
    silent: [...silent.values()],
  }
}
