import type { Accepted } from '../http/accept.ts'
import type { IncludeObject } from '../http/table.ts'
import type { Selection } from '../registry/list-options.ts'

/** How a watch is asked for. */
export interface WatchOptions extends Selection {
  readonly resourceVersion: string
  readonly resourceVersionMatch: string
  readonly bookmarks: boolean
  /** Whether what is there comes first; nothing where the client does not say. */
  readonly initialEvents: boolean | undefined
  readonly timeoutSeconds: number | undefined
  readonly as: Accepted['as']
  readonly include: IncludeObject
}

/** Where the events of a watch go. */
export interface Sink {
  write(line: string | Uint8Array): void
  end(): void
  /** Breaks the connection off, without a goodbye. */
  destroy(): void
  /** Bytes that the client has not taken yet. */
  readonly waiting: number
}
