import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Store } from './store.ts'
import { counted } from './words.ts'

/** A move is told once it has been going on for this long, in milliseconds, with all addresses that it concerns. */
const gatherMs = 1000

/** What a screen reader says by itself: that the connection is lost or back, and that addresses have moved. Nothing else. */
export function News({ store }: { store: Store }): JSX.Element {
  const [said, say] = useState('')
  const heard = useRef<number | undefined>(undefined)
  const state = store.connection.state
  const newest = store.parts?.timeline.find(({ type, from }) => type === 'moved' && from !== undefined)
  const id = newest?.id ?? 0
  const known = store.parts !== undefined
  useEffect(() => {
    if (state === 'lost') say('Connection lost. What is shown is no longer up to date.')
    else if (state === 'live')
      say(before => (before.startsWith('Connection lost') ? 'Connected again.' : before))
  }, [state])
  useEffect(() => {
    if (!known) return
    const first = heard.current === undefined
    if (!first && id !== heard.current && newest) {
      const text = `${newest.message}: ${counted(newest.count ?? 1, 'Service')} moved.`
      const timer = setTimeout(() => say(text), gatherMs)
      heard.current = id
      return () => clearTimeout(timer)
    }
    heard.current = id
    return undefined
  }, [id, known])
  return (
    <p class="unseen" role="status">
      {said}
    </p>
  )
}
