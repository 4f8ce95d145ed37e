import type { AddressPlan, Layer2Advertisement } from './address-plan.ts'

type List = readonly Layer2Advertisement[]

/** An address whose announcement is different now. */
export interface Move {
  readonly address: string
  readonly from: string | undefined
  readonly to: string | undefined
  readonly advertisement: Layer2Advertisement | undefined
}

const byAddress = (a: Layer2Advertisement, b: Layer2Advertisement): number =>
  a.address < b.address ? -1 : a.address > b.address ? 1 : 0

/** Beyond this share of a list, sorting it anew is cheaper than changing it entry by entry. */
const fewMoves = 64

/** Where `address` is in the list, or belongs. */
function placeOf(list: List, address: string): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((list[middle] as Layer2Advertisement).address < address) low = middle + 1
    else high = middle
  }
  return low
}

function patch(list: List, node: string, moves: readonly Move[]): List {
  if (moves.length > fewMoves) {
    const gone = new Set(moves.map(({ address }) => address))
    const added = moves.flatMap(({ to, advertisement }) =>
      to === node && advertisement ? advertisement : [],
    )
    return [...list.filter(({ address }) => !gone.has(address)), ...added].sort(byAddress)
  }
  const next = [...list]
  for (const { address, to, advertisement } of moves) {
    const at = placeOf(next, address)
    const present = next[at]?.address === address ? 1 : 0
    if (to === node && advertisement) next.splice(at, present, advertisement)
    else next.splice(at, present)
  }
  return next
}

/**
 * What each node announces, sorted by address: computed when asked for, then kept up to date move by move.
 */
export class AdvertisementLists {
  readonly #lists: Map<string, List>

  constructor(lists: Map<string, List> = new Map()) {
    this.#lists = lists
  }

  /** The lists after these moves; those of nodes that none of them touches keep their identity. */
  with(moves: readonly Move[]): AdvertisementLists {
    if (moves.length === 0) return this
    const byNode = new Map<string, Move[]>()
    for (const move of moves) {
      for (const node of new Set([move.from, move.to])) {
        if (node === undefined || !this.#lists.has(node)) continue
        const others = byNode.get(node)
        if (others) others.push(move)
        else byNode.set(node, [move])
      }
    }
    const lists = new Map(this.#lists)
    for (const [node, own] of byNode) lists.set(node, patch(lists.get(node) ?? [], node, own))
    return new AdvertisementLists(lists)
  }

  /** @param addresses the addresses that these lists belong to */
  of(node: string, addresses: ReadonlyMap<string, AddressPlan>): List {
    let list = this.#lists.get(node)
    if (!list) {
      const own: Layer2Advertisement[] = []
      for (const plan of addresses.values())
        if (plan.node === node && plan.advertisement) own.push(plan.advertisement)
      list = own.sort(byAddress)
      this.#lists.set(node, list)
    }
    return list
  }
}
