import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Attention } from '../api.ts'
import { number } from './words.ts'

/** Shown before one asks for more. */
const first = 6

/** The items that match. */
export function findAttention(items: readonly Attention[], search: string): readonly Attention[] {
  if (search === '') return items
  return items.filter(({ title, detail }) => `${title} ${detail}`.toLowerCase().includes(search))
}

/** What somebody should look at, and what to do about it. */
export function AttentionList({
  items,
  searching,
  find,
}: {
  readonly items: readonly Attention[]
  /** Only what matches is shown. */
  readonly searching: boolean
  readonly find: (text: string) => void
}): JSX.Element {
  const [all, setAll] = useState(false)
  const shown = all ? items : items.slice(0, first)
  return (
    <section
      class="attention"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard
      tabIndex={0}
      aria-labelledby="attention-title"
    >
      <h2 id="attention-title" tabIndex={-1}>
        Needs attention {items.length > 0 && <span class="count">{number(items.length)}</span>}
      </h2>
      {items.length === 0 ? (
        <p class="calm">
          {searching
            ? 'Nothing that matches.'
            : 'Nothing. Every Service has its address, and somebody announces it.'}
        </p>
      ) : (
        <ul>
          {shown.map(({ id, severity, title, detail, advice, search }) => (
            <li key={id} class={severity}>
              <h3>
                <span class="badge">{severity === 'error' ? 'Error' : 'Warning'}</span>
                {search === undefined ? (
                  title
                ) : (
                  <button type="button" class="plain" onClick={() => find(search)}>
                    {title}
                  </button>
                )}
              </h3>
              <p>{detail}</p>
              {advice !== undefined && <p class="advice">{advice}</p>}
            </li>
          ))}
        </ul>
      )}
      {items.length > first && (
        <button type="button" class="more" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? 'Show fewer' : `Show ${number(items.length - first)} more`}
        </button>
      )}
    </section>
  )
}
