import type { ComponentChildren, JSX } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { spanOf } from './span.ts'

/** A column of a table. */
export interface Column<Item> {
  readonly name: string
  readonly title: ComponentChildren
  /** What a screen reader says instead of the title. */
  readonly label?: string
  readonly cell: (item: Item) => ComponentChildren
  readonly numeric?: boolean
  readonly sortable?: boolean
}

/** Which column the items are sorted by. */
export interface Sorting {
  readonly by: string
  readonly descending: boolean
}

export interface TableProps<Item> {
  /** What the table shows, for screen readers. */
  readonly label: string
  /** A word for its style sheet. */
  readonly kind: string
  readonly columns: readonly Column<Item>[]
  readonly items: readonly Item[]
  readonly keyOf: (item: Item) => string
  readonly classOf?: (item: Item) => string
  readonly sorting?: Sorting
  readonly sort?: (by: string) => void
  /** Told which items are in sight. */
  readonly seen?: (items: readonly Item[]) => void
  /** In place of items, where there are none. */
  readonly empty: ComponentChildren
}

/** Height of a row before one was measured: the style sheet decides, and gives it more where the screen is narrow. */
const usualHeight = 32
const beyond = 12

/** How the table stands in its window. */
interface Seen {
  readonly scrolled: number
  readonly windowHeight: number
  readonly rowHeight: number
}

/** What becomes of a click on the title of a column. */
export const sortedBy = (by: string, { by: before, descending }: Sorting): Sorting =>
  by === before ? { by, descending: !descending } : { by, descending: false }

/** Moves the focus from the button of a row to that of the next one, or of the one before. */
function walk(event: KeyboardEvent, scroll: HTMLElement): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
  const row = (event.target as Element).closest('tr[aria-rowindex]')
  if (step === undefined || !row) return
  const next = step > 0 ? row.nextElementSibling : row.previousElementSibling
  const button = next?.querySelector('button')
  if (!button) return
  event.preventDefault()
  button.focus({ preventScroll: true })
  const { top, bottom } = next?.getBoundingClientRect() ?? row.getBoundingClientRect()
  const window = scroll.getBoundingClientRect()
  const covered = window.top + (scroll.querySelector('thead')?.getBoundingClientRect().height ?? 0)
  if (top < covered) scroll.scrollTop -= covered - top
  else if (bottom > window.bottom) scroll.scrollTop += bottom - window.bottom
}

/** A table of any length, of which only what is in sight is in the document. Arrow keys walk from row to row. */
export function Table<Item>(props: TableProps<Item>): JSX.Element {
  const { label, kind, columns, items, keyOf, classOf, sorting, sort, seen, empty } = props
  const scroll = useRef<HTMLElement>(null)
  const [look, setLook] = useState<Seen>({ scrolled: 0, windowHeight: 800, rowHeight: usualHeight })
  const { rowHeight } = look
  const none = items.length === 0
  useLayoutEffect(() => {
    const element = scroll.current
    if (!element) return
    const measure = (): void =>
      setLook({
        scrolled: element.scrollTop,
        windowHeight: Math.min(element.clientHeight, 4000),
        rowHeight: element.querySelector('tbody tr')?.getBoundingClientRect().height ?? usualHeight,
      })
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => observer.disconnect()
  }, [none, kind])
  const span = spanOf({ count: items.length, itemHeight: rowHeight, beyond, ...look })
  const shown = items.slice(span.from, span.to)
  useLayoutEffect(() => seen?.(shown))
  return (
    <section
      class="scroll"
      ref={scroll}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard
      tabIndex={0}
      aria-label={label}
      style={{ '--rows': none ? 6 : items.length }}
      onScroll={({ currentTarget }) => {
        const { scrollTop: scrolled } = currentTarget
        // Only another span is another picture.
        if (Math.abs(scrolled - look.scrolled) >= rowHeight * 2) setLook({ ...look, scrolled })
      }}
      onKeyDown={event => walk(event, event.currentTarget)}
    >
      <table
        class={kind}
        aria-rowcount={items.length + 1}
        style={{ marginTop: `${span.before}px`, marginBottom: `${span.after}px` }}
      >
        <thead>
          <tr aria-rowindex={1}>
            {columns.map(({ name, title, label: said, numeric, sortable }) => (
              <th
                key={name}
                scope="col"
                class={`${name}${numeric ? ' numeric' : ''}`}
                aria-label={said}
                aria-sort={
                  sorting?.by === name ? (sorting.descending ? 'descending' : 'ascending') : undefined
                }
              >
                {sortable ? (
                  <button type="button" onClick={() => sort?.(name)}>
                    {title}
                  </button>
                ) : (
                  title
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((item, i) => (
            <tr key={keyOf(item)} class={classOf?.(item)} aria-rowindex={span.from + i + 2}>
              {columns.map(({ name, cell, numeric }, column) => {
                const Cell = column === 0 ? 'th' : 'td'
                return (
                  <Cell
                    key={name}
                    class={`${name}${numeric ? ' numeric' : ''}`}
                    scope={column === 0 ? 'row' : undefined}
                  >
                    {cell(item)}
                  </Cell>
                )
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {items.length === 0 && <div class="empty">{empty}</div>}
    </section>
  )
}
