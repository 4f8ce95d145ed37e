import type { Advertisement } from '../speaker/announcer.ts'
import type { AddressPlan, Layer2Advertisement } from './address-plan.ts'
import { patchSorted } from './sorted-list.ts'

/** An address whose announcement on layer 2 is different now. */
export interface Move {
  readonly address: string
  readonly from: string | undefined
  readonly to: string | undefined
  readonly advertisement: Layer2Advertisement | undefined
}

const addressOf = ({ address }: Advertisement): string => address

const byAddress = (a: Advertisement, b: Advertisement): number =>
  a.address < b.address ? -1 : a.address > b.address ? 1 : 0

/**
 * What each node announces on layer 2, sorted by address: computed when asked for, then kept up to date move
 * by move.
 */
export class AddressLists {
  readonly #lists: Map<string, readonly Layer2Advertisement[]>

  constructor(lists: Map<string, readonly Layer2Advertisement[]> = new Map()) {
    this.#lists = lists
  }

  /** The lists after these moves; those of nodes that none of them touches keep their identity. */
  with(moves: readonly Move[]): AddressLists {
    if (moves.length === 0) return this
    const byNode = new Map<string, Map<string, Layer2Advertisement | undefined>>()
    for (const { address, from, to, advertisement } of moves) {
      for (const node of new Set([from, to])) {
        if (node === undefined || !this.#lists.has(node)) continue
        let changes = byNode.get(node)
        if (!changes) {
          changes = new Map()
          byNode.set(node, changes)
        }
        changes.set(address, to === node ? advertisement : undefined)
      }
    }
    const lists = new Map(this.#lists)
    for (const [node, changes] of byNode)
      lists.set(node, patchSorted(lists.get(node) ?? [], addressOf, changes))
    return new AddressLists(lists)
  }

  /** @param addresses the addresses that these lists belong to */
  of(node: string, addresses: ReadonlyMap<string, AddressPlan>): readonly Layer2Advertisement[] {
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
