import { EventEmitter } from 'eventemitter3'
import type { Resource } from '../resources/index.ts'
import { collect } from './collect.ts'
import { emptySnapshot, type Snapshot } from './snapshot.ts'
import type { Source, SourceEvents } from './source.ts'

/** Resources that a program holds itself: for embedding, and for tests. */
export class MemorySource implements Source {
  readonly events: EventEmitter<SourceEvents> = new EventEmitter()
  #snapshot: Snapshot

  constructor(resources: readonly Resource[] = []) {
    this.#snapshot = collect(resources, [], emptySnapshot)
  }

  async start(): Promise<Snapshot> {
    return this.#snapshot
  }

  current(): Snapshot {
    return this.#snapshot
  }

  /** Replaces everything; objects that are the same as before keep what was computed from them. */
  set(resources: readonly Resource[]): void {
    this.#snapshot = collect(resources, [], this.#snapshot)
    this.events.emit('snapshot:changed', this.#snapshot)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.events.removeAllListeners()
  }
}
