import type { Because, Plan, ServicePlan } from '@carillon/core'
import type { AddressRow, RowsEvent, Totals } from '@carillon/web'

/** Since when a Service has its owner; undefined: it has none. */
export type SinceOf = (service: string) => Date | undefined

/** Services that nobody announces, or that have no address. */
export interface Unserved {
  readonly service: string
  /** Of one without address. */
  readonly reason?: { readonly code: string; readonly message: string }
  /** Of one that nobody announces: what keeps most nodes from it. */
  readonly because?: Because
  /** No advertisement selects its pool. */
  readonly unselected?: true
}

/** Nodes that are asked why nobody announces a Service on the local segment: more would say the same. */
const asked = 20

const sameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((item, i) => item === b[i])

const same = (a: AddressRow, b: AddressRow): boolean =>
  a.owner === b.owner &&
  a.since === b.since &&
  a.longer === b.longer &&
  a.pool === b.pool &&
  sameList(a.services, b.services) &&
  sameList(a.protocols, b.protocols)

/** What keeps most nodes from announcing a Service; undefined where one does announce it. */
function silence(service: ServicePlan, nodes: readonly string[]): Because | undefined {
  const counts = new Map<Because, number>()
  for (const protocol of service.protocols)
    for (const node of protocol === 'bgp' ? nodes : nodes.slice(0, asked)) {
      const verdict = service.verdict(node, protocol)
      if (verdict.speak) return undefined
      counts.set(verdict.because, (counts.get(verdict.because) ?? 0) + 1)
    }
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0]
}

/** The addresses of a plan as the page shows them. Keeps rows that stay the same, and tells which do not. */
export class RowBook {
  #rows = new Map<string, AddressRow>()
  #unserved: readonly Unserved[] = []
  #owned: ReadonlyMap<string, number> = new Map()
  #totals: Totals = { services: 0, pending: 0, addresses: 0, announced: 0 }

  /** Every row, in no particular order. */
  rows(): readonly AddressRow[] {
    return [...this.#rows.values()]
  }

  get unserved(): readonly Unserved[] {
    return this.#unserved
  }

  /** How many addresses each node owns. */
  get owned(): ReadonlyMap<string, number> {
    return this.#owned
  }

  get totals(): Totals {
    return this.#totals
  }

  row(address: string): AddressRow | undefined {
    return this.#rows.get(address)
  }

  /** Shows another plan. Gives what is different. */
  show(plan: Plan, sinceOf: SinceOf, startedAt: Date): Pick<RowsEvent, 'rows' | 'gone'> {
    const rows = new Map<string, AddressRow>()
    const different: AddressRow[] = []
    const owned = new Map<string, number>()
    const unserved = this.#look(plan)
    const silent = new Set(unserved.map(({ service }) => service))
    let announced = 0
    for (const { address, services, node, decidedBy } of plan.addresses.values()) {
      const [first = ''] = services
      const service = plan.services.get(decidedBy ?? first)
      const since = node === undefined || decidedBy === undefined ? undefined : sinceOf(decidedBy)
      // Who has it when we come has had it before.
      const longer = since !== undefined && since.getTime() - startedAt.getTime() < 5000
      const row: AddressRow = {
        address,
        services,
        pool: service?.pool ?? '',
        protocols: service?.protocols ?? [],
        ...(node === undefined ? {} : { owner: node }),
        ...(since === undefined ? {} : { since: since.toISOString() }),
        ...(longer ? { longer } : {}),
      }
      if (node !== undefined) owned.set(node, (owned.get(node) ?? 0) + 1)
      if (services.some(key => !silent.has(key))) announced++
      const before = this.#rows.get(address)
      const kept = before && same(before, row) ? before : row
      if (kept !== before) different.push(row)
      rows.set(address, kept)
    }
    const gone = [...this.#rows.keys()].filter(address => !rows.has(address))
    const pending = unserved.filter(({ reason }) => reason !== undefined).length
    this.#rows = rows
    this.#unserved = unserved
    this.#owned = owned
    const services = [...plan.services.values()].filter(({ state }) => state !== 'ignored').length
    this.#totals = { services, pending, addresses: rows.size, announced }
    return { rows: different, gone }
  }

  clear(): void {
    this.#rows = new Map()
  }

  #look(plan: Plan): readonly Unserved[] {
    const found: Unserved[] = []
    const nodes = [...plan.nodes.keys()].sort()
    for (const service of plan.services.values()) {
      const { key, state, reason, owner, protocols } = service
      if (state === 'pending') {
        found.push({
          service: key,
          reason: reason ?? { code: 'noIPAllocated', message: 'it has no address' },
        })
      } else if (state === 'assigned' && owner === undefined) {
        if (protocols.length === 0) found.push({ service: key, unselected: true })
        else {
          const because = silence(service, nodes)
          if (because !== undefined) found.push({ service: key, because })
        }
      }
    }
    return found.sort((a, b) => (a.service < b.service ? -1 : 1))
  }
}
