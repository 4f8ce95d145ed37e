import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import { type AddressOrder, type ShownAddress, sortAddresses } from './shown-address.ts'
import type { Store } from './store.ts'
import type { Succession } from './succession.ts'
import { type Column, type Sorting, Table } from './table.tsx'
import { lasting } from './words.ts'

export interface AddressesProps {
  readonly store: Store
  readonly succession: Succession
  /** In small letters. */
  readonly search: string
  readonly sorting: Sorting
  readonly selected: string | undefined
  readonly sort: (by: string) => void
  readonly open: (address: string) => void
  readonly find: (text: string) => void
}

/** For how long a row shows that its address has just moved, in milliseconds. */
const freshMs = 8000

/** The addresses that match, in order. */
export function useAddresses(
  store: Store,
  search: string,
  { by, descending }: Sorting,
): readonly ShownAddress[] {
  const { version } = store
  // The map is the same one; its version tells that it is different.
  const sorted = useMemo(
    () => sortAddresses(store.addresses.values(), by as AddressOrder, descending),
    [store, version, by, descending],
  )
  return useMemo(
    () => (search === '' ? sorted : sorted.filter(({ text }) => text.includes(search))),
    [sorted, search],
  )
}

/** A Service, its name first in sight. */
function ServiceName({ of }: { of: string }): JSX.Element {
  const [namespace, name] = of.split('/')
  return (
    <span title={of}>
      <span class="quiet">{namespace}/</span>
      {name}
    </span>
  )
}

/** Every address: who has it, since when, and who is next. */
export function AddressesView(
  props: AddressesProps & { readonly items: readonly ShownAddress[] },
): JSX.Element {
  const { store, succession, items, sorting, sort, selected, open, find, search } = props
  const now = store.now()
  const plan = store.parts?.seen.plan ?? 0
  const next = (address: string): string | undefined => succession.of(address)?.[1]
  const columns: readonly Column<ShownAddress>[] = [
    {
      name: 'address',
      title: 'Address',
      sortable: true,
      cell: ({ row }) => (
        <button
          type="button"
          class="open"
          aria-pressed={row.address === selected}
          onClick={() => open(row.address)}
        >
          {row.address}
        </button>
      ),
    },
    {
      name: 'service',
      title: 'Service',
      sortable: true,
      cell: ({ row }) => (
        <>
          <ServiceName of={row.services[0] ?? ''} />
          {row.services.length > 1 && (
            <span class="quiet" title={row.services.join(', ')}>
              {` +${row.services.length - 1}`}
            </span>
          )}
        </>
      ),
    },
    { name: 'pool', title: 'Pool', sortable: true, cell: ({ row }) => row.pool },
    {
      name: 'owner',
      title: 'Owner',
      sortable: true,
      cell: ({ row }) =>
        row.owner !== undefined ? (
          <button
            type="button"
            class="plain"
            title={`Show what ${row.owner} has`}
            onClick={() => find(row.owner ?? '')}
          >
            {row.owner}
          </button>
        ) : row.protocols.includes('bgp') ? (
          <span class="quiet">every node, by BGP</span>
        ) : (
          <span class="bad">nobody</span>
        ),
    },
    {
      name: 'since',
      title: 'For',
      sortable: true,
      numeric: true,
      cell: ({ row }) =>
        row.since === undefined ? (
          <span class="quiet absent">–</span>
        ) : (
          <time
            dateTime={row.since}
            title={row.longer ? `longer than since ${row.since}` : `since ${row.since}`}
          >
            {row.longer && <span class="quiet">≥ </span>}
            {lasting(now - Date.parse(row.since))}
          </time>
        ),
    },
    {
      name: 'next',
      title: 'Next in line',
      cell: ({ row }) =>
        next(row.address) ?? (
          <span class={row.owner === undefined ? 'quiet absent' : 'quiet'}>
            {row.owner === undefined ? '–' : succession.of(row.address) === undefined ? '…' : 'nobody'}
          </span>
        ),
    },
    {
      name: 'by',
      title: 'By',
      cell: ({ row }) => (
        <span class="quiet">
          {row.protocols
            .map(protocol => (protocol === 'bgp' ? 'BGP' : row.address.includes(':') ? 'NDP' : 'ARP'))
            .reverse()
            .join(' + ')}
        </span>
      ),
    },
  ]
  return (
    <Table
      label="Addresses"
      kind="addresses"
      columns={columns}
      items={items}
      keyOf={({ row }) => row.address}
      classOf={({ row, movedAt }) =>
        [
          row.address === selected ? 'selected' : '',
          movedAt !== undefined && Date.now() - movedAt < freshMs ? 'fresh' : '',
        ].join(' ')
      }
      sorting={sorting}
      sort={sort}
      seen={seen =>
        succession.want(
          seen.flatMap(({ row }) => (row.owner === undefined ? [] : row.address)),
          plan,
        )
      }
      empty={
        store.loading
          ? 'Listing addresses…'
          : search === ''
            ? 'No Service has an address yet. Create an IPAddressPool and a Service of type LoadBalancer; what keeps a Service from its address appears at the right.'
            : 'No address, Service, pool or owner matches.'
      }
    />
  )
}
