import type { BeatEvent, PartsEvent, RowsEvent } from '../api.ts'
import type { Store } from './store.ts'

/** Without a word for this long, in milliseconds, the connection is taken for lost; a beat comes every five seconds. */
const silenceMs = 12_000

/** From one attempt to the next, where the browser has given up. */
const againMs = 3000

/** Keeps the store as the speaker tells it, for as long as the page is open. */
export function follow(store: Store): void {
  let source: EventSource | undefined
  let watch: ReturnType<typeof setTimeout> | undefined
  let again: ReturnType<typeof setTimeout> | undefined
  const anew = (ms: number): void => {
    store.connected(false)
    source?.close()
    clearTimeout(watch)
    clearTimeout(again)
    again = setTimeout(open, ms)
  }
  const heard = (): void => {
    store.connected(true)
    clearTimeout(watch)
    watch = setTimeout(() => anew(0), silenceMs)
  }
  const on = <Data>(name: string, take: (data: Data) => void): void =>
    source?.addEventListener(name, event => {
      take(JSON.parse((event as MessageEvent<string>).data) as Data)
      heard()
    })
  const open = (): void => {
    source = new EventSource('api/v1/stream')
    on<PartsEvent>('parts', data => store.takeParts(data))
    on<RowsEvent>('rows', data => store.takeRows(data))
    on<BeatEvent>('beat', data => store.takeBeat(data))
    source.onerror = () => {
      // The browser tries again by itself, and says where it was, unless it was turned away.
      if (source?.readyState === EventSource.CLOSED) anew(againMs)
      else store.connected(false)
    }
  }
  open()
}
