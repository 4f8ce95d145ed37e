import type { JSX } from 'preact'
import type { TimelineEntry } from '../api.ts'
import { brief, counted, few, moment, number } from './words.ts'

/** Shown at most: older ones are of little help, and each is in the document. */
const most = 60

const kinds: Readonly<Record<string, string>> = {
  moved: 'moved',
  peerUp: 'good',
  unsilenced: 'good',
  peerDown: 'bad',
  sourceFailed: 'bad',
  configurationRefused: 'bad',
  announcementFailed: 'bad',
  announcerFailed: 'bad',
  addressConflict: 'bad',
  silenced: 'bad',
}

/** For how long nobody answered, as far as that is known. */
function Gap({ entry }: { entry: TimelineEntry }): JSX.Element | null {
  const { from, because, gapMs } = entry
  if (from === undefined) return null
  if (gapMs === 0) return <span class="gap none">no gap</span>
  if (gapMs !== undefined) return <span class="gap">gap about {brief(gapMs)}</span>
  if (because === 'notAlive') return <span class="gap">gap unknown</span>
  return <span class="gap none">no gap expected</span>
}

function Destinations({ to = [] }: Pick<TimelineEntry, 'to'>): JSX.Element {
  return (
    <>
      {to.slice(0, 4).map(({ node, count }, i) => (
        <span key={node ?? ''}>
          {i > 0 && ', '}
          <b class={node === undefined ? 'bad' : ''}>{node ?? 'nobody'}</b>
          {to.length > 1 && <span class="quiet"> {number(count)}</span>}
        </span>
      ))}
      {to.length > 4 && <span class="quiet"> and {counted(to.length - 4, 'more node')}</span>}
    </>
  )
}

function Entry({ entry, now }: { entry: TimelineEntry; now: number }): JSX.Element {
  const { at, type, message, to, count = 1, addresses = [], from } = entry
  const lost = to?.some(({ node }) => node === undefined) ?? false
  return (
    <li class={lost && from !== undefined ? 'bad' : (kinds[type] ?? 'plain')}>
      <time dateTime={at}>{moment(at, now)}</time>
      <p class="what">
        {type === 'moved'
          ? from === undefined
            ? `${counted(count, 'Service')} ${message}`
            : message
          : message}
        {type !== 'moved' && count > 1 && <span class="quiet"> ×{number(count)}</span>}
      </p>
      {type === 'moved' && (
        <p class="how">
          {from !== undefined && (
            <>
              {count === 1 ? addresses[0] : counted(count, 'Service')}
              <span class="arrow" role="img" aria-label="went to">
                {' → '}
              </span>
            </>
          )}
          <Destinations {...(to && { to })} /> <Gap entry={entry} />
        </p>
      )}
      {count > 1 && addresses.length > 1 && !(type === 'moved' && from === undefined) && (
        <p class="which">
          {few(addresses, 3)}
          {count > addresses.length ? ' …' : ''}
        </p>
      )}
    </li>
  )
}

/** The entries that match. */
export function findEntries(entries: readonly TimelineEntry[], search: string): readonly TimelineEntry[] {
  if (search === '') return entries
  return entries.filter(({ message, addresses = [], to = [], from }) =>
    [message, from, ...addresses, ...to.map(({ node }) => node)].join(' ').toLowerCase().includes(search),
  )
}

/** What happened, newest first. */
export function TimelineList({ items, now }: { items: readonly TimelineEntry[]; now: number }): JSX.Element {
  return (
    <section
      class="timeline"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard
      tabIndex={0}
      aria-labelledby="timeline-title"
    >
      <h2 id="timeline-title">What happened</h2>
      {items.length === 0 ? (
        <p class="calm">Nothing that matches, since this speaker started.</p>
      ) : (
        <ol>
          {items.slice(0, most).map(entry => (
            <Entry key={entry.id} entry={entry} now={now} />
          ))}
        </ol>
      )}
    </section>
  )
}
