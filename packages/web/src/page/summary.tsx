import type { ComponentChildren, JSX } from 'preact'
import type { Parts } from '../api.ts'
import { brief, counted, lasting, number } from './words.ts'

function Tile({
  title,
  children,
  note,
  tone = '',
}: {
  title: string
  children: ComponentChildren
  note: ComponentChildren
  tone?: string
}): JSX.Element {
  return (
    <div class={`tile ${tone}`}>
      <dt>{title}</dt>
      <dd>
        <strong>{children}</strong>
        <span>{note}</span>
      </dd>
    </div>
  )
}

/** How things stand, in five figures. */
export function Summary({ parts, now }: { parts: Parts; now: number }): JSX.Element {
  const { totals, nodes, sessions, timeline, pools } = parts
  const alive = nodes.filter(({ liveness }) => liveness === 'alive').length
  const absent = nodes.filter(({ liveness }) => liveness === 'absent').length
  const gone = nodes.length - alive - absent
  const up = sessions.filter(({ state }) => state === 'Established').length
  const unheard = sessions.length > 0 && up === 0
  const moved = timeline.find(({ type, from }) => type === 'moved' && from !== undefined)
  const silent = totals.addresses - totals.announced
  const free = pools.reduce((sum, pool) => sum + pool.availableIPv4, 0)
  return (
    <dl class="summary">
      <Tile
        title="Addresses"
        tone={silent > 0 || unheard ? 'bad' : ''}
        note={
          silent > 0
            ? `${number(silent)} announced by nobody`
            : unheard
              ? 'by BGP no router is told'
              : 'all announced'
        }
      >
        {number(totals.addresses)}
      </Tile>
      <Tile
        title="Services"
        tone={totals.pending > 0 ? 'warn' : ''}
        note={totals.pending > 0 ? `${number(totals.pending)} without address` : 'all have an address'}
      >
        {number(totals.services)}
      </Tile>
      <Tile
        title="Nodes"
        tone={gone > 0 ? 'bad' : absent > 0 ? 'warn' : ''}
        note={
          gone > 0
            ? `${number(gone)} not alive`
            : absent > 0
              ? `${number(absent)} without speaker`
              : 'all alive'
        }
      >
        {number(alive)}
        {alive < nodes.length && <small> of {number(nodes.length)}</small>}
      </Tile>
      {sessions.length > 0 ? (
        <Tile
          title="BGP sessions"
          tone={up < sessions.length ? 'bad' : ''}
          note={up < sessions.length ? `${number(sessions.length - up)} down` : 'all up'}
        >
          {number(up)}
          {up < sessions.length && <small> of {number(sessions.length)}</small>}
        </Tile>
      ) : (
        <Tile title="Free addresses" note={`IPv4, in ${counted(pools.length, 'pool')}`}>
          {number(free)}
        </Tile>
      )}
      <Tile
        title="Last move"
        note={
          moved === undefined
            ? 'since this speaker started'
            : `${counted(moved.count ?? 1, 'Service')}${
                moved.gapMs === undefined || moved.gapMs === 0 ? '' : `, gap about ${brief(moved.gapMs)}`
              }`
        }
      >
        {moved === undefined ? 'none' : `${lasting(now - Date.parse(moved.at))} ago`}
      </Tile>
    </dl>
  )
}
