import { CarillonError, type Clock, type Logger, type Resource, type Snapshot } from '@carillon/core'
import type { Client } from '../client/index.ts'
import { Shelf } from '../source/shelf.ts'
import { type KindName, watchedKinds } from '../source/watched-kind.ts'
import { configLists } from './kinds.ts'

/** What reading the newest takes. */
export interface LatestSnapshotOptions {
  readonly client: Client
  readonly namespace: string
  /** What is known of everything else, and of what cannot be read in time. */
  readonly current: () => Snapshot
  readonly clock: Clock
  readonly log: Logger
  /** Milliseconds after which what is known has to do. */
  readonly timeoutMs: number
}

/** For so many milliseconds an account that may not list Secrets does not ask for them again: a refusal is an alarm in many audit logs. */
const refusedMs = 60_000

/** What a configuration is read from in one's own namespace: few objects. */
const own: readonly KindName[] = [...Object.values(configLists), 'secrets']

/** What was read of one kind. */
interface ReadList {
  readonly list: KindName
  readonly items: readonly Resource[]
  readonly problems: Snapshot['problems']
}

/** Nothing is said of Secrets to an account that may not list them: there may be any. */
const secretsUnknown: ReadList = {
  list: 'secrets',
  items: [],
  problems: [
    {
      severity: 'error',
      kind: 'Secret',
      name: '',
      field: '',
      message: 'the Secrets of this namespace may not be listed',
    },
  ],
}

/**
 * The snapshot with the objects of the configuration, and the Secrets beside them, as the API server has them now. A watch is milliseconds
 * behind, which is too much for a decision about the second of two objects that are applied together. Nodes, of which there may be thousands, are
 * read only where none are known.
 */
export class LatestSnapshot {
  readonly #options: LatestSnapshotOptions
  readonly #shelves = new Map<KindName, Shelf>()
  #refusedUntil = Number.NEGATIVE_INFINITY

  constructor(options: LatestSnapshotOptions) {
    this.#options = options
  }

  async read(): Promise<Snapshot> {
    const { clock, timeoutMs, current } = this.#options
    const stop = new AbortController()
    const cancel = clock.after(timeoutMs, () => stop.abort())
    try {
      const known = current()
      const wanted: readonly KindName[] = known.nodes.length === 0 ? [...own, 'nodes'] : own
      const read = await Promise.all(wanted.map(list => this.#list(list, stop.signal)))
      const lists = read.filter(one => one !== undefined)
      const kinds = new Set(lists.map(({ list }) => watchedKinds[list].type.kind))
      return {
        ...known,
        ...Object.fromEntries(lists.map(({ list, items }) => [list, items])),
        problems: [
          ...known.problems.filter(({ kind }) => !kinds.has(kind)),
          ...lists.flatMap(({ problems }) => problems),
        ],
      }
    } finally {
      cancel()
    }
  }

  async #list(list: KindName, signal: AbortSignal): Promise<ReadList | undefined> {
    const { client, namespace, log, clock } = this.#options
    if (list === 'secrets' && clock.now() < this.#refusedUntil) return secretsUnknown
    const kind = watchedKinds[list]
    const { type } = kind
    const shelf = this.#shelves.get(list) ?? new Shelf(kind)
    this.#shelves.set(list, shelf)
    try {
      const { items } = await client.listAll(type, { ...(kind.own ? { namespace } : {}), limit: 500, signal })
      shelf.stage(items)
    } catch (error) {
      const failure = error instanceof CarillonError ? error : undefined
      if (list === 'secrets' && failure?.code === 'API_FORBIDDEN') {
        this.#refusedUntil = clock.now() + refusedMs
        return secretsUnknown
      }
      // Of a kind that does not exist there are no objects.
      if (failure?.code !== 'API_NO_SUCH_RESOURCE') {
        log.warn(
          { resource: type.plural, code: failure?.code, message: failure?.message ?? String(error) },
          'a webhook decides by what was known before, since the API server does not answer it',
        )
        return undefined
      }
    }
    shelf.commit()
    return { list, items: shelf.items(), problems: shelf.problems() }
  }
}
