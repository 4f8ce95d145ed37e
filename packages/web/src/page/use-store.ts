import { useEffect, useReducer } from 'preact/hooks'
import type { Store } from './store.ts'

/** Has a component rendered anew when the store is different, once for each picture that the screen shows. */
export function useStore(store: Store): void {
  const [, again] = useReducer((count: number) => count + 1, 0)
  useEffect(() => {
    let frame = 0
    const stop = store.read(() => {
      // A hidden page gets no frames; it is brought up to date when it is looked at.
      frame ||= requestAnimationFrame(() => {
        frame = 0
        again(undefined)
      })
    })
    return () => {
      stop()
      cancelAnimationFrame(frame)
    }
  }, [store])
}
