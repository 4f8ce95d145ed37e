import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Attention } from '../api.ts'
import { AddressesView, useAddresses } from './addresses-view.tsx'
import { AttentionList, findAttention } from './attention-list.tsx'
import { Details } from './details.tsx'
import { News } from './news.tsx'
import { findNodes, NodesView } from './nodes-view.tsx'
import { findPools, PoolsView } from './pools-view.tsx'
import { findSessions, SessionsView } from './sessions-view.tsx'
import type { Store } from './store.ts'
import type { Succession } from './succession.ts'
import { Summary } from './summary.tsx'
import { type Sorting, sortedBy } from './table.tsx'
import { applyTheme, nextTheme, rememberedTheme } from './theme.ts'
import { findEntries, TimelineList } from './timeline-list.tsx'
import { useStore } from './use-store.ts'
import { lasting, moment, number } from './words.ts'

const views = ['addresses', 'nodes', 'bgp', 'pools'] as const
type View = (typeof views)[number]

const titles: Readonly<Record<View, string>> = {
  addresses: 'Addresses',
  nodes: 'Nodes',
  bgp: 'BGP',
  pools: 'Pools',
}

/** Times in words are brought up to date this often, in milliseconds. */
const agingMs = 2000

const viewOf = (hash: string): View => views.find(view => `#${view}` === hash) ?? 'addresses'

function useView(): View {
  const [view, setView] = useState(() => viewOf(location.hash))
  useEffect(() => {
    const look = (): void => setView(viewOf(location.hash))
    addEventListener('hashchange', look)
    return () => removeEventListener('hashchange', look)
  }, [])
  return view
}

function useAging(): void {
  const [, age] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => age(count => count + 1), agingMs)
    return () => clearInterval(timer)
  }, [])
}

function ConnectionState({ store }: { store: Store }): JSX.Element {
  const { connection } = store
  const words = { connecting: 'connecting', live: 'live', lost: 'connection lost' }
  return (
    <span class={`connection ${connection.state}`}>
      <i aria-hidden="true" />
      {words[connection.state]}
    </span>
  )
}

function ThemeButton(): JSX.Element {
  const [theme, setTheme] = useState(rememberedTheme)
  const words = { system: 'auto', light: 'light', dark: 'dark' }
  return (
    <button
      type="button"
      class="theme"
      aria-label={`Theme: ${words[theme]}`}
      onClick={() => {
        const next = nextTheme(theme)
        applyTheme(next)
        setTheme(next)
      }}
    >
      <span class="word">Theme: </span>
      {words[theme]}
    </button>
  )
}

function Banner({ store }: { store: Store }): JSX.Element | null {
  const { connection, parts } = store
  if (connection.state !== 'lost') return null
  const at = new Date(connection.at).toISOString()
  return (
    <div class="banner">
      <b>Not up to date.</b> The connection to {parts?.seen.node ?? 'the speaker'} was lost at{' '}
      <time dateTime={at}>{moment(at, Date.now())}</time>, {lasting(Date.now() - connection.at)} ago.
      Everything below is as it was then; trying to connect again.
    </div>
  )
}

/** A way to what needs attention: where that is far below for everybody, else for those who walk by keyboard. */
function AttentionButton({ items }: { items: readonly Attention[] }): JSX.Element | null {
  if (items.length === 0) return null
  const tone = items.some(({ severity }) => severity === 'error') ? 'bad' : 'warn'
  return (
    <button
      type="button"
      class={`jump ${tone}`}
      onClick={() => document.getElementById('attention-title')?.focus()}
    >
      {number(items.length)} {items.length === 1 ? 'thing needs' : 'things need'} attention
    </button>
  )
}

function Tabs({
  view,
  counts,
}: {
  view: View
  counts: Readonly<Record<View, ComponentChildren>>
}): JSX.Element {
  return (
    <nav aria-label="Views">
      {views.map(one => (
        <a key={one} href={`#${one}`} aria-current={one === view ? 'page' : undefined}>
          {titles[one]} <span class="count">{counts[one]}</span>
        </a>
      ))}
    </nav>
  )
}

/** The whole page. */
export function App({ store, succession }: { store: Store; succession: Succession }): JSX.Element {
  useStore(store)
  useAging()
  const view = useView()
  const [text, setText] = useState('')
  const [addressSorting, sortAddresses] = useState<Sorting>({ by: 'address', descending: false })
  const [nodeSorting, sortNodes] = useState<Sorting>({ by: 'name', descending: false })
  const [selected, select] = useState<string | undefined>(undefined)
  const field = useRef<HTMLInputElement>(null)
  const opener = useRef<Element | null>(null)
  const search = text.trim().toLowerCase()
  const { parts } = store
  const addresses = useAddresses(store, search, addressSorting)
  const nodes = useMemo(
    () => findNodes(parts?.nodes ?? [], search, nodeSorting),
    [parts?.nodes, search, nodeSorting],
  )
  const sessions = useMemo(() => findSessions(parts?.sessions ?? [], search), [parts?.sessions, search])
  const pools = useMemo(() => findPools(parts?.pools ?? [], search), [parts?.pools, search])
  const timeline = useMemo(() => findEntries(parts?.timeline ?? [], search), [parts?.timeline, search])

  const attention = useMemo(() => findAttention(parts?.attention ?? [], search), [parts?.attention, search])

  const close = (): void => {
    select(undefined)
    if (opener.current instanceof HTMLElement && opener.current.isConnected) opener.current.focus()
  }
  const open = (address: string): void => {
    opener.current = document.activeElement
    select(address)
  }
  const find = (wanted: string): void => {
    setText(wanted)
    location.hash = '#addresses'
  }

  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      const typing = event.target instanceof HTMLInputElement
      if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault()
        field.current?.focus()
        field.current?.select()
      } else if (event.key === 'Escape') {
        if (typing) setText('')
        else if (selected !== undefined) close()
      }
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [selected])

  const counts: Readonly<Record<View, string>> = {
    addresses: number(addresses.length),
    nodes: number(nodes.length),
    bgp: number(sessions.length),
    pools: number(pools.length),
  }
  const stale = store.connection.state === 'lost'
  return (
    <div class={`app${stale ? ' stale' : ''}`}>
      <header class="top">
        <h1>
          <img src="icon.svg" alt="" width="26" height="26" /> Carillon
        </h1>
        {parts && (
          <p class="seen">
            as <b>{parts.seen.node}</b> sees it <span class="quiet">{parts.seen.version}</span>
          </p>
        )}
        <search>
          <input
            ref={field}
            type="search"
            aria-label="Search by address, Service, pool or node"
            placeholder="Address, Service, pool or node"
            aria-keyshortcuts="/"
            autocomplete="off"
            spellcheck={false}
            value={text}
            onInput={({ currentTarget }) => setText(currentTarget.value)}
          />
        </search>
        <ConnectionState store={store} />
        <ThemeButton />
      </header>
      <News store={store} />
      <Banner store={store} />
      {parts ? (
        <>
          <section aria-label="Summary">
            <Summary parts={parts} now={store.now()} />
            <AttentionButton items={attention} />
          </section>
          <div class="body">
            <main>
              <Tabs view={view} counts={counts} />
              {view === 'addresses' && (
                <AddressesView
                  store={store}
                  succession={succession}
                  items={addresses}
                  search={search}
                  sorting={addressSorting}
                  sort={by => sortAddresses(sortedBy(by, addressSorting))}
                  selected={selected}
                  open={open}
                  find={find}
                />
              )}
              {view === 'nodes' && (
                <NodesView
                  store={store}
                  items={nodes}
                  sorting={nodeSorting}
                  sort={by => sortNodes(sortedBy(by, nodeSorting))}
                  find={find}
                />
              )}
              {view === 'bgp' && <SessionsView store={store} items={sessions} />}
              {view === 'pools' && <PoolsView store={store} items={pools} />}
            </main>
            <aside aria-label="Details, attention and timeline">
              {selected !== undefined && <Details store={store} address={selected} close={close} />}
              <AttentionList items={attention} searching={search !== ''} find={find} />
              <TimelineList items={timeline} now={store.now()} />
            </aside>
          </div>
        </>
      ) : (
        <p class="waiting">
          {stale ? 'The speaker does not answer.' : 'Asking the speaker for what it knows…'}
        </p>
      )}
    </div>
  )
}
