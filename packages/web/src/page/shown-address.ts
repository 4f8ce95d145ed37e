import type { AddressRow } from '../api.ts'
import { addressKey } from './sort-key.ts'

/** An address as it is shown, with what sorting and searching need. */
export interface ShownAddress {
  readonly row: AddressRow
  readonly key: string
  /** In small letters: all that one may search for. */
  readonly text: string
  /** When its owner changed before our eyes, by the clock of the browser. */
  readonly movedAt: number | undefined
}

/** Takes in a row; `before` is what was shown of this address. */
export function shownAddress(row: AddressRow, before: ShownAddress | undefined, now: number): ShownAddress {
  const moved = before !== undefined && before.row.owner !== row.owner
  return {
    row,
    key: before?.key ?? addressKey(row.address),
    text: [row.address, ...row.services, row.pool, row.owner ?? ''].join(' ').toLowerCase(),
    movedAt: moved ? now : before?.movedAt,
  }
}

/** By what addresses can be sorted. */
export type AddressOrder = 'address' | 'service' | 'pool' | 'owner' | 'since'

const text = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
const names = new Intl.Collator('en', { numeric: true })

/** Two names, with their numbers as numbers. */
export const byName = (a: string, b: string): number => names.compare(a, b)

const orders: Readonly<Record<AddressOrder, (a: ShownAddress, b: ShownAddress) => number>> = {
  address: (a, b) => text(a.key, b.key),
  service: (a, b) => byName(a.row.services[0] ?? '', b.row.services[0] ?? ''),
  pool: (a, b) => byName(a.row.pool, b.row.pool),
  owner: (a, b) => byName(a.row.owner ?? '', b.row.owner ?? ''),
  // Who moved last comes first.
  since: (a, b) => text(b.row.since ?? '', a.row.since ?? ''),
}

/** Sorts addresses; among equals by address. */
export function sortAddresses(
  rows: Iterable<ShownAddress>,
  by: AddressOrder,
  descending: boolean,
): readonly ShownAddress[] {
  const order = orders[by]
  const sign = descending ? -1 : 1
  return [...rows].sort((a, b) => sign * order(a, b) || text(a.key, b.key))
}
