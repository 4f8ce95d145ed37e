import type { JSX } from 'preact'
import type { NodeRow } from '../api.ts'
import { byName } from './shown-address.ts'
import type { Store } from './store.ts'
import { type Column, type Sorting, Table } from './table.tsx'
import { lasting, megabytes, number, percent } from './words.ts'

const livenessWords: Readonly<Record<NodeRow['liveness'], string>> = {
  alive: 'alive',
  suspect: 'suspected',
  dead: 'dead',
  left: 'left',
  absent: 'no speaker',
}

const unfitWords: Readonly<Record<string, string>> = {
  nodeLabeledExcludeBalancers: 'excluded by label',
  nodeNetworkUnavailable: 'network unavailable',
  heldDown: 'came back a moment ago',
}

const orders: Readonly<Record<string, (a: NodeRow, b: NodeRow) => number>> = {
  name: (a, b) => byName(a.name, b.name),
  liveness: (a, b) => byName(a.liveness, b.liveness),
  owns: (a, b) => b.owns - a.owns,
  health: (a, b) => (b.report?.health ?? -1) - (a.report?.health ?? -1),
  load: (a, b) => (b.report?.load ?? -1) - (a.report?.load ?? -1),
  cpu: (a, b) => (b.report?.cpu ?? -1) - (a.report?.cpu ?? -1),
}

/** The nodes that match, in order. */
export function findNodes(
  nodes: readonly NodeRow[],
  search: string,
  { by, descending }: Sorting,
): readonly NodeRow[] {
  const order = orders[by] ?? orders.name
  const found =
    search === ''
      ? nodes
      : nodes.filter(({ name, address }) => `${name} ${address}`.toLowerCase().includes(search))
  return order
    ? [...found].sort((a, b) => (descending ? -1 : 1) * order(a, b) || byName(a.name, b.name))
    : found
}

/** A bar beside its figure. */
export function Bar({ share, label, tone }: { share: number; label: string; tone?: string }): JSX.Element {
  const width = `${Math.min(100, Math.max(share > 0 ? 2 : 0, share * 100))}%`
  return (
    <span class={`bar ${tone ?? ''}`} role="img" aria-label={label} title={label}>
      <span style={{ width }} />
    </span>
  )
}

function Health({ score }: { score: number | undefined }): JSX.Element {
  if (score === undefined) return <span class="quiet">–</span>
  if (score === 0) return <span title="hears the others well">0</span>
  return (
    <span class={score > 2 ? 'bad' : 'warn'} title="the higher, the worse it hears the others">
      {score}
    </span>
  )
}

function remarks({ unfit, report, liveness }: NodeRow): string {
  const words = [
    ...(unfit !== undefined && unfitWords[unfit] !== undefined ? [unfitWords[unfit]] : []),
    ...(report && report.standing !== 'confirmed' ? [report.standing] : []),
    ...(report && report.configuration !== 'valid' ? [`configuration ${report.configuration}`] : []),
    ...(report?.failures ?? []),
    ...(!report && liveness === 'alive' ? ['tells nothing of itself'] : []),
  ]
  return words.join(', ')
}

export interface NodesProps {
  readonly store: Store
  readonly items: readonly NodeRow[]
  readonly sorting: Sorting
  readonly sort: (by: string) => void
  readonly find: (text: string) => void
}

/** Every node: whether it lives, what it owns, how it hears, and how busy it is. */
export function NodesView({ store, items, sorting, sort, find }: NodesProps): JSX.Element {
  const now = store.now()
  const most = Math.max(1, ...(store.parts?.nodes ?? []).map(({ owns }) => owns))
  const seen = store.parts?.seen.node
  const columns: readonly Column<NodeRow>[] = [
    {
      name: 'name',
      title: 'Node',
      sortable: true,
      cell: ({ name, address }) => (
        <>
          <button type="button" class="open" title={`Show what ${name} has`} onClick={() => find(name)}>
            {name}
          </button>
          {name === seen && <span class="tag">this one</span>}
          {address !== undefined && <span class="quiet under"> {address.replace(/:7946$/, '')}</span>}
        </>
      ),
    },
    {
      name: 'liveness',
      title: 'State',
      sortable: true,
      cell: ({ liveness }) => (
        <span class={`state ${liveness}`}>
          <i aria-hidden="true" />
          {livenessWords[liveness]}
        </span>
      ),
    },
    {
      name: 'owns',
      title: 'Addresses',
      sortable: true,
      cell: ({ owns }) => (
        <span class="figure">
          <Bar share={owns / most} label={`owns ${number(owns)}`} />
          {number(owns)}
        </span>
      ),
    },
    {
      name: 'health',
      title: 'Health',
      label: 'Health score',
      sortable: true,
      numeric: true,
      cell: ({ report }) => <Health score={report?.health} />,
    },
    {
      name: 'load',
      title: 'Load',
      label: 'Load average of the host for each processor',
      sortable: true,
      numeric: true,
      cell: ({ report }) =>
        report ? (
          <span class={report.load > 1.5 ? 'warn' : ''}>{report.load.toFixed(2)}</span>
        ) : (
          <span class="quiet">–</span>
        ),
    },
    {
      name: 'cpu',
      title: 'Speaker',
      label: 'Processor time of the speaker',
      sortable: true,
      numeric: true,
      cell: ({ report }) => (report ? percent(report.cpu) : '–'),
    },
    {
      name: 'memory',
      title: 'Memory',
      numeric: true,
      cell: ({ report }) => (report ? megabytes(report.memory) : '–'),
    },
    {
      name: 'bgp',
      title: 'BGP',
      label: 'BGP sessions that are up',
      numeric: true,
      cell: ({ report }) => {
        if (!report || report.sessions.length === 0) return <span class="quiet">–</span>
        const up = report.sessions.filter(({ state }) => state === 'Established').length
        return (
          <span class={up < report.sessions.length ? 'bad' : ''}>
            {up}/{report.sessions.length}
          </span>
        )
      },
    },
    {
      name: 'up',
      title: 'Up for',
      numeric: true,
      cell: ({ report }) => (report ? lasting(now - Date.parse(report.startedAt)) : '–'),
    },
    {
      name: 'remarks',
      title: 'Remarks',
      cell: node => (
        <span class="quiet two-lines" title={remarks(node)}>
          {remarks(node)}
        </span>
      ),
    },
  ]
  return (
    <Table
      label="Nodes"
      kind={items.some(node => remarks(node) !== '') ? 'nodes remarked' : 'nodes'}
      columns={columns}
      items={items}
      keyOf={({ name }) => name}
      classOf={({ liveness }) => liveness}
      sorting={sorting}
      sort={sort}
      empty="No node matches."
    />
  )
}
