import { CarillonError } from '@carillon/core'
import {
  type Client,
  isKubeObject,
  type KubeMeta,
  type KubeObject,
  type OwnerReference,
  type ResourceType,
} from '../client/index.ts'
import { sameValue } from '../source/same-value.ts'
import { asNewAs } from './resource-version.ts'
import { StatusPatcher } from './status-patcher.ts'
import { type Task, WriteQueue, type WriterOptions, type WriterStatus } from './write-queue.ts'

type Labels = Readonly<Record<string, string>>

/** An object whose status says something, and which is there only for that. */
export interface StatusObject {
  readonly labels: Labels
  /** What its status is to be, given what it is; undefined: there is none yet. */
  readonly status: (present: unknown) => object
}

/** What a writer of such objects needs. */
export interface StatusObjectsOptions extends WriterOptions {
  readonly client: Client
  readonly namespace: string
  /** Goes along with this, its Pod as a rule. */
  readonly owner?: OwnerReference
  /**
   * What is there is looked at again after this long, up to a quarter longer, in milliseconds: somebody may have deleted or edited it.
   * @default 600000
   */
  readonly resyncMs?: number
}

interface KindOptions {
  readonly type: ResourceType
  readonly name: string
  /** Which objects are this writer's own. */
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly intervalMs?: number
}

/** An object as it was seen or written last. */
interface Present {
  readonly uid: string | undefined
  readonly version: string
  readonly labels: Labels
  readonly owners: readonly OwnerReference[]
  readonly status: unknown
}

const presentOf = (object: KubeObject): Present => {
  const { uid, resourceVersion = '', labels = {}, ownerReferences = [] } = object.metadata
  return { uid, version: resourceVersion, labels, owners: ownerReferences, status: object.status }
}

/** The key under which the look at what is there is queued; no object has such a name. */
const look = '*'

type Desire =
  | { readonly do: 'look' }
  | { readonly do: 'write'; readonly object: StatusObject }
  | { readonly do: 'delete' }

/** Failures that say: it is not as it was known to be. */
const changedByOthers: ReadonlySet<string> = new Set(['API_EXISTS', 'API_CONFLICT', 'API_NOT_FOUND'])

const lookDesire: Desire = { do: 'look' }
const deleteDesire: Desire = { do: 'delete' }

/**
 * Keeps a set of objects that exist for their status. It looks at what is there before it writes anything, and then knows: it writes
 * differences, and nothing else.
 */
export class StatusObjects implements AsyncDisposable {
  readonly #options: StatusObjectsOptions
  readonly #kind: KindOptions
  readonly #queue: WriteQueue<Desire>
  readonly #patcher: StatusPatcher
  readonly #present = new Map<string, Present>()
  #desired = new Map<string, StatusObject>()
  #looked = false
  #cancelResync: (() => void) | undefined

  constructor(options: StatusObjectsOptions, kind: KindOptions) {
    this.#options = options
    this.#kind = kind
    this.#patcher = new StatusPatcher(options.client, kind.type)
    this.#queue = new WriteQueue({
      ...options,
      name: kind.name,
      concurrency: 4,
      ...(kind.intervalMs === undefined ? {} : { intervalMs: kind.intervalMs }),
      write: task => this.#perform(task),
    })
  }

  /** Makes the objects be exactly these, by name. One that is the same object as before needs no second look. */
  reconcile(desired: ReadonlyMap<string, StatusObject>): void {
    const changes = new Map<string, StatusObject | undefined>()
    for (const [name, object] of desired) if (this.#desired.get(name) !== object) changes.set(name, object)
    for (const name of this.#desired.keys()) if (!desired.has(name)) changes.set(name, undefined)
    this.change(changes)
  }

  /** Makes these objects be so, or not be where undefined; the others are to stay as they are. */
  change(changes: ReadonlyMap<string, StatusObject | undefined>): void {
    for (const [name, object] of changes) {
      if (object) this.#desired.set(name, object)
      else this.#desired.delete(name)
    }
    if (!this.#looked) this.#queue.want(look, lookDesire)
    else for (const name of changes.keys()) this.#compare(name)
  }

  status(): WriterStatus {
    return this.#queue.status()
  }

  /** Resolves when nothing is left to be written. */
  idle(): Promise<void> {
    return this.#queue.idle()
  }

  /** Writing is allowed again. What others have written meanwhile is looked at first. */
  resume(): void {
    this.#looked = false
    this.#queue.want(look, lookDesire)
    this.#queue.resume()
  }

  /** Writing is not allowed any more: gives up what is under way, and forgets what was wanted. */
  hold(): void {
    this.#queue.hold()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancelResync?.()
    await this.#queue[Symbol.asyncDispose]()
  }

  #compare(name: string): void {
    const desired = this.#desired.get(name)
    const present = this.#present.get(name)
    if (!desired) {
      if (present) this.#queue.want(name, deleteDesire)
      else this.#queue.drop(name)
    } else if (present && this.#asDesired(desired, present)) this.#queue.drop(name)
    else this.#queue.want(name, { do: 'write', object: desired })
  }

  #asDesired(desired: StatusObject, present: Present): boolean {
    return this.#wellLabelled(desired, present) && sameValue(present.status, desired.status(present.status))
  }

  #wellLabelled({ labels }: StatusObject, present: Present): boolean {
    const { owner } = this.#options
    return (
      Object.entries(labels).every(([key, value]) => present.labels[key] === value) &&
      (owner === undefined || present.owners.some(({ uid }) => uid === owner.uid))
    )
  }

  async #perform({ key, desire, signal }: Task<Desire>): Promise<boolean> {
    if (desire.do === 'look') {
      await this.#look(signal)
      return false
    }
    const written =
      desire.do === 'delete' ? await this.#delete(key, signal) : await this.#write(key, desire.object, signal)
    // While it was under way, what was wanted may have been compared to what was there before.
    this.#compare(key)
    return written
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { client, namespace, clock, random, resyncMs = 600_000 } = this.#options
    const { type, labelSelector, fieldSelector } = this.#kind
    const { items, resourceVersion } = await client.listAll(type, {
      namespace,
      limit: 500,
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
      signal,
    })
    const listed = new Map(
      items.filter(isKubeObject).map(object => [object.metadata.name ?? '', presentOf(object)] as const),
    )
    // What was written while the list was under way is newer than the list.
    for (const [name, { version }] of this.#present) {
      const other = listed.get(name)
      if (other ? asNewAs(other.version, version) : asNewAs(resourceVersion, version))
        this.#present.delete(name)
      else listed.delete(name)
    }
    for (const [name, present] of listed) this.#present.set(name, present)
    this.#looked = true
    for (const name of new Set([...this.#desired.keys(), ...this.#present.keys()])) this.#compare(name)
    this.#cancelResync?.()
    this.#cancelResync = clock.after(resyncMs * (1 + random() / 4), () => this.#queue.want(look, lookDesire))
  }

  async #delete(name: string, signal: AbortSignal): Promise<boolean> {
    const { client, namespace } = this.#options
    const uid = this.#present.get(name)?.uid
    try {
      await client.delete(
        this.#kind.type,
        { namespace, name },
        { signal, ...(uid === undefined ? {} : { uid }) },
      )
    } finally {
      // Gone, or not the one that was known.
      this.#present.delete(name)
    }
    return true
  }

  async #write(name: string, desired: StatusObject, signal: AbortSignal): Promise<boolean> {
    const { client, namespace } = this.#options
    const { type } = this.#kind
    let present = this.#present.get(name)
    let written = false
    const keep = (object: KubeObject): Present => {
      const next = presentOf(object)
      this.#present.set(name, next)
      written = true
      return next
    }
    try {
      if (!present)
        present = keep(await client.create(type, { metadata: this.#metadata(name, desired) }, { signal }))
      else if (!this.#wellLabelled(desired, present)) {
        const { labels, ownerReferences } = this.#metadata(name, desired)
        const metadata = { ...(labels ? { labels } : {}), ...(ownerReferences ? { ownerReferences } : {}) }
        present = keep(await client.patch(type, { namespace, name }, { metadata }, { signal }))
      }
      const status = desired.status(present.status)
      if (!sameValue(present.status, status)) {
        const metadata = present.uid === undefined ? {} : { uid: present.uid }
        keep(
          await this.#patcher.patch(
            { namespace, name },
            { metadata, status: replacing(present.status, status) },
            { signal },
          ),
        )
      }
    } catch (error) {
      // Somebody else made, changed or deleted it: it is looked at before it is tried again.
      if (!(error instanceof CarillonError) || !changedByOthers.has(error.code)) throw error
      await this.#again(name, signal)
      throw new CarillonError('API_CONFLICT', error.message, error.details, { cause: error })
    }
    return written
  }

  #metadata(name: string, { labels }: StatusObject): KubeMeta {
    const { namespace, owner } = this.#options
    return { name, namespace, labels, ...(owner ? { ownerReferences: [owner] } : {}) }
  }

  async #again(name: string, signal: AbortSignal): Promise<void> {
    const { client, namespace } = this.#options
    this.#present.delete(name)
    try {
      this.#present.set(name, presentOf(await client.get(this.#kind.type, { namespace, name }, { signal })))
    } catch (error) {
      if (!(error instanceof CarillonError) || error.code !== 'API_NOT_FOUND') throw error
    }
  }
}

/** A merge patch that leaves nothing of the status before. */
function replacing(before: unknown, after: object): object {
  const gone = Object.keys(before ?? {}).filter(key => !(key in after))
  return { ...Object.fromEntries(gone.map(key => [key, null])), ...after }
}
