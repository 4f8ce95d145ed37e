import type { EventEmitter } from 'eventemitter3'
import type { CarillonError } from '../errors.ts'
import type { Snapshot } from './snapshot.ts'

/** What a source tells. */
export interface SourceEvents {
  /** There is a newer snapshot. */
  'snapshot:changed': (snapshot: Snapshot) => void
  /** What it reads is out of reach or unreadable; the last snapshot stays in force. */
  'source:failed': (error: CarillonError) => void
}

/** Where resources come from: Kubernetes, a folder of manifests, memory. */
export interface Source extends AsyncDisposable {
  readonly events: EventEmitter<SourceEvents>
  /** Resolves when a first whole snapshot is there; rejects when there can be none. */
  start(): Promise<Snapshot>
  current(): Snapshot
}
