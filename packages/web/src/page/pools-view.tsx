import type { JSX } from 'preact'
import type { PoolRow } from '../api.ts'
import type { Store } from './store.ts'
import { type Column, Table } from './table.tsx'
import { number, percent } from './words.ts'

/** The pools that match. */
export function findPools(pools: readonly PoolRow[], search: string): readonly PoolRow[] {
  return search === '' ? pools : pools.filter(({ name }) => name.toLowerCase().includes(search))
}

/** How much of one family is in use. */
function Usage({ name, used, free }: { name: string; used: number; free: number }): JSX.Element {
  const all = used + free
  if (all === 0) return <span class="quiet">none</span>
  const share = used / all
  const tone = share >= 0.98 ? 'full' : share >= 0.9 ? 'tight' : ''
  return (
    <span class="figure wide">
      {/* biome-ignore lint/a11y/useSemanticElements: browsers do not let a meter element look like the other bars */}
      <span
        class={`bar ${tone}`}
        role="meter"
        aria-label={name}
        aria-valuemin={0}
        aria-valuemax={all}
        aria-valuenow={used}
        aria-valuetext={`${number(used)} of ${number(all)}`}
      >
        <span style={{ width: `${Math.max(used > 0 ? 1 : 0, share * 100)}%` }} />
      </span>
      <span>
        {number(used)} <span class="quiet">of {number(all)}</span>
      </span>
      <span class={tone === '' ? 'quiet' : tone === 'full' ? 'bad' : 'warn'}>{percent(share)}</span>
    </span>
  )
}

/** Every pool, and how full it is. */
export function PoolsView({ store, items }: { store: Store; items: readonly PoolRow[] }): JSX.Element {
  const columns: readonly Column<PoolRow>[] = [
    { name: 'name', title: 'Pool', cell: ({ name }) => name },
    {
      name: 'v4',
      title: 'IPv4',
      cell: ({ name, assignedIPv4, availableIPv4 }) => (
        <Usage name={`IPv4 of ${name}`} used={assignedIPv4} free={availableIPv4} />
      ),
    },
    {
      name: 'v6',
      title: 'IPv6',
      cell: ({ name, assignedIPv6, availableIPv6 }) => (
        <Usage name={`IPv6 of ${name}`} used={assignedIPv6} free={availableIPv6} />
      ),
    },
  ]
  return (
    <Table
      label="Pools"
      kind="pools"
      columns={columns}
      items={items}
      keyOf={({ name }) => name}
      empty={
        (store.parts?.pools.length ?? 0) > 0
          ? 'No pool matches.'
          : 'There is no pool. Create an IPAddressPool: without one no Service gets an address.'
      }
    />
  )
}
