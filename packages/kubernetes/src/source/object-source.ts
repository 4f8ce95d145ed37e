import { CarillonError, type Clock, type Logger, silentLogger, systemClock } from '@carillon/core'
import { EventEmitter } from 'eventemitter3'
import {
  type Client,
  type KubeObject,
  type ResourceType,
  resourceName,
  type Selection,
} from '../client/index.ts'
import { Follower } from './follower.ts'
import { ObjectList } from './object-list.ts'
import { Outages } from './outages.ts'
import { reflectorDefaults } from './reflector.ts'

/** Which objects to follow. */
export interface ObjectSourceOptions {
  readonly client: Client
  /** Any kind that the API server knows, of one's own for instance. */
  readonly type: ResourceType
  /**
   * Narrows it down by namespace, label or field.
   * @default all of the kind
   */
  readonly select?: Selection
  /** @default the process's own time */
  readonly clock?: Clock
  /**
   * 0 <= x < 1
   * @default Math.random
   */
  readonly random?: () => number
  readonly log?: Logger
}

/** What an `ObjectSource` tells. */
export interface ObjectSourceEvents<Item extends KubeObject> {
  /** Objects came, went or changed: these are all there are. */
  'objects:changed': (objects: readonly Item[]) => void
  /** The API server cannot be followed; once for each cause. What is known stays. */
  'source:failed': (error: CarillonError) => void
}

/**
 * All objects of one kind, kept as the API server has them: for kinds that Carillon does not know. Whatever happens to the API server, what
 * was known stays; once it is back, only what has really changed is told. `Item` is what the schema of the kind promises; nothing here
 * checks it.
 */
export class ObjectSource<Item extends KubeObject = KubeObject> implements AsyncDisposable {
  readonly events: EventEmitter<ObjectSourceEvents<Item>> = new EventEmitter()
  readonly #list = new ObjectList()
  readonly #follower: Follower
  readonly #clock: Clock
  readonly #outages = new Outages()
  readonly #resource: string
  readonly #log: Logger
  #started: Promise<readonly Item[]> | undefined
  #resolve: ((objects: readonly Item[]) => void) | undefined
  #reject: ((error: CarillonError) => void) | undefined
  #whole = false
  #cancel: (() => void) | undefined
  #closed = false

  constructor(options: ObjectSourceOptions) {
    const {
      client,
      type,
      select = {},
      clock = systemClock,
      random = Math.random,
      log = silentLogger,
    } = options
    this.#clock = clock
    this.#log = log
    this.#resource = resourceName(type)
    this.#follower = new Follower({
      kind: { type },
      client,
      clock,
      selection: select,
      shelf: this.#list,
      config: { ...reflectorDefaults, whenMissing: 'wait', whenForbidden: 'wait', random },
      told: {
        changed: objects => {
          if (objects > 0) this.#soon()
        },
        synced: () => this.#synced(),
        failing: (error, attempts) => this.#failing(error, attempts),
        recovered: () => this.#recovered(),
      },
    })
  }

  /** Resolves once all objects are known: with a kind that is not defined yet, when it is. Rejects when closed before. */
  start(): Promise<readonly Item[]> {
    this.#started ??= new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
      this.#follower.start()
    })
    return this.#started
  }

  /** In the order of namespace and name; the same array while nothing has changed. */
  current(): readonly Item[] {
    return this.#list.items() as readonly Item[]
  }

  /** Resolves with what the API server had when this was called, or later. */
  async refresh(): Promise<readonly Item[]> {
    await this.#follower.refresh()
    if (this.#closed) throw closed(this.#resource)
    return this.current()
  }

  /** Stops following. `start` rejects if it is still waiting. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#cancel?.()
    this.#follower.stop()
    this.#reject?.(closed(this.#resource))
    this.events.removeAllListeners()
  }

  /** What comes at once is told at once. */
  #soon(): void {
    if (!this.#whole || this.#closed || this.#cancel) return
    this.#cancel = this.#clock.after(0, () => {
      this.#cancel = undefined
      this.events.emit('objects:changed', this.current())
    })
  }

  #synced(): void {
    if (this.#whole) return
    this.#whole = true
    this.#resolve?.(this.current())
  }

  #failing(error: CarillonError, attempts: number): void {
    this.#log.debug({ resource: this.#resource, code: error.code, attempts }, 'cannot follow a kind')
    if (this.#outages.failed(this.#resource, error, attempts, this.#whole))
      this.events.emit('source:failed', error)
  }

  #recovered(): void {
    if (this.#outages.recovered(this.#resource))
      this.#log.info({ resource: this.#resource }, 'the API server can be followed again')
  }
}

const closed = (resource: string): CarillonError =>
  new CarillonError('API_CANCELLED', `the source of ${resource} was closed`)
