import type { Stored } from './stored.ts'

/** What happened to one object. `current` of a deletion is the last state, at the revision of the deletion. */
export interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly revision: number
  readonly current: Stored
  readonly previous?: Stored
}
