import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { TimelineEntry } from '../api.ts'
import type { Store } from './store.ts'
import { counted } from './words.ts'

/** A move is told once it has been going on for this long, in milliseconds, with all addresses that it concerns. */
const gatherMs = 1000

/** Moves that are told one by one; of more their number is told. */
const most = 3

const moves = ({ parts }: Store): readonly TimelineEntry[] =>
  parts?.timeline.filter(({ type, from }) => type === 'moved' && from !== undefined) ?? []

function sentence(entries: readonly TimelineEntry[]): string {
  const told = entries
    .slice(0, most)
    .map(({ message, count = 1 }) => `${message}: ${counted(count, 'Service')} moved.`)
  const more = entries.length - told.length
  return [...told, ...(more > 0 ? [`${counted(more, 'more move')} before.`] : [])].join(' ')
}

/** What a screen reader says by itself: that the connection is lost or back, and that addresses have moved. Nothing else. */
export function News({ store }: { store: Store }): JSX.Element {
  const [said, say] = useState('')
  const heard = useRef<number | undefined>(undefined)
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const state = store.connection.state
  const id = moves(store)[0]?.id ?? 0
  const known = store.parts !== undefined
  useEffect(() => {
    if (state === 'lost') say('Connection lost. What is shown is no longer up to date.')
    else if (state === 'live')
      say(before => (before.startsWith('Connection lost') ? 'Connected again.' : before))
  }, [state])
  useEffect(() => {
    if (!known) return
    // Another speaker, or one that was started anew, counts from the beginning.
    if (heard.current === undefined || id < heard.current) heard.current = id
    if (id === heard.current) return
    timer.current ??= setTimeout(() => {
      timer.current = undefined
      const since = heard.current ?? 0
      const fresh = moves(store).filter(entry => entry.id > since)
      heard.current = fresh[0]?.id ?? since
      say(sentence(fresh))
    }, gatherMs)
  }, [id, known])
  return (
    <p class="unseen" role="status">
      {said}
    </p>
  )
}
