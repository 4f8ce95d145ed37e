import type { JSX } from 'preact'
import type { SessionRow } from '../api.ts'
import type { Store } from './store.ts'
import { type Column, Table } from './table.tsx'
import { lasting, number } from './words.ts'

/** The sessions that match. */
export function findSessions(sessions: readonly SessionRow[], search: string): readonly SessionRow[] {
  if (search === '') return sessions
  return sessions.filter(({ node, peer, at }) => `${node} ${peer} ${at}`.toLowerCase().includes(search))
}

function Routes({ routes }: Pick<SessionRow, 'routes'>): JSX.Element {
  const [desired, announced, pending, failed] = routes
  const rest = [
    ...(pending > 0 ? [`${pending} waiting`] : []),
    ...(failed > 0 ? [`${failed} not possible`] : []),
  ]
  return (
    <span class={announced < desired ? 'warn' : ''} title={rest.join(', ')}>
      {announced === desired ? number(announced) : `${number(announced)} of ${number(desired)}`}
    </span>
  )
}

/** Every BGP session of every node that tells of its own; those that are down first. */
export function SessionsView({ store, items }: { store: Store; items: readonly SessionRow[] }): JSX.Element {
  const now = store.now()
  const columns: readonly Column<SessionRow>[] = [
    {
      name: 'peer',
      title: 'Peer',
      cell: ({ peer, at }) => (
        <>
          {peer} <span class="quiet">{at}</span>
        </>
      ),
    },
    { name: 'node', title: 'Node', cell: ({ node }) => node },
    { name: 'as', title: 'AS', numeric: true, cell: ({ peerAs }) => peerAs ?? '–' },
    {
      name: 'phase',
      title: 'State',
      cell: ({ state }) => (
        <span class={`state ${state === 'Established' ? 'alive' : 'dead'}`}>
          <i aria-hidden="true" />
          {state}
        </span>
      ),
    },
    {
      name: 'since',
      title: 'For',
      label: 'For how long it is up, or down',
      numeric: true,
      cell: ({ since }) => (
        <time dateTime={since} title={`since ${since}`}>
          {lasting(now - Date.parse(since))}
        </time>
      ),
    },
    { name: 'routes', title: 'Routes', numeric: true, cell: ({ routes }) => <Routes routes={routes} /> },
    {
      name: 'bfd',
      title: 'BFD',
      cell: ({ bfd }) =>
        bfd === undefined ? (
          <span class="quiet">–</span>
        ) : (
          <span class={bfd === 'up' ? '' : 'bad'}>{bfd}</span>
        ),
    },
    {
      name: 'trouble',
      title: 'What is wrong',
      cell: ({ trouble }) => (
        <span class="two-lines" title={trouble}>
          {trouble}
        </span>
      ),
    },
  ]
  return (
    <Table
      label="BGP sessions"
      kind={items.some(({ trouble }) => trouble !== undefined) ? 'sessions troubled' : 'sessions'}
      columns={columns}
      items={items}
      keyOf={({ node, peer, at }) => `${node} ${peer} ${at}`}
      empty={
        (store.parts?.sessions.length ?? 0) > 0
          ? 'No session matches.'
          : 'No node has a BGP session. A BGPPeer and a BGPAdvertisement make one.'
      }
    />
  )
}
