import { type Assignment, annotationPrefix, deprecatedPrefix, type Service } from '@carillon/core'
import { type Client, type KubeObject, resourceTypes } from '../client/index.ts'
import { asNewAs } from './resource-version.ts'
import { StatusPatcher } from './status-patcher.ts'
import { type Task, WriteQueue, type WriterOptions, type WriterStatus } from './write-queue.ts'

/** The annotation that names the pool of a Service's addresses, without its prefix. */
const poolAnnotation = 'ip-allocated-from-pool'

const annotation = annotationPrefix + poolAnnotation
const oldAnnotation = deprecatedPrefix + poolAnnotation

/** What a Service's status is to say. */
interface Published {
  readonly addresses: readonly string[]
  readonly pool: string | undefined
}

interface Desire extends Published {
  readonly service: Service
}

/** What was written, until the source shows it. */
interface Written extends Published {
  readonly version: string
}

/** What a writer of Service status needs. */
export interface ServiceStatusOptions extends WriterOptions {
  readonly client: Client
  /** The version that a Service of the snapshot has; of `KubernetesSource`. */
  readonly versionOf: (service: Service) => string | undefined
  /**
   * Writes under way at one time.
   * @default 16
   */
  readonly concurrency?: number
}

/** Least time between two writes to one Service, in milliseconds: whoever writes the same field is not fought at full speed. */
const intervalMs = 250

const keyOf = ({ metadata }: Service): string => `${metadata.namespace}/${metadata.name}`

const same = (a: Published, b: Published): boolean =>
  a.pool === b.pool &&
  a.addresses.length === b.addresses.length &&
  a.addresses.every((address, i) => address === b.addresses[i])

const publishedBy = ({ metadata, status }: Service): Published => ({
  addresses: status.loadBalancer.ingress.map(({ ip }) => ip),
  pool: metadata.annotations[annotation],
})

/** Undefined: whatever it says is right, as it is not ours. */
function wanted({ publish, addresses, pool }: Assignment): Published | undefined {
  if (publish === 'asIs') return undefined
  return publish === 'addresses' ? { addresses, pool } : { addresses: [], pool: undefined }
}

/**
 * Publishes what Services have: addresses in their status, and the pool in their annotation, by one write for both. It writes where the
 * two differ and nowhere else, and only over the version that the decision was made on: a Service that has changed meanwhile is
 * decided on anew.
 */
export class ServiceStatusWriter implements AsyncDisposable {
  readonly #options: ServiceStatusOptions
  readonly #queue: WriteQueue<Desire>
  readonly #patcher: StatusPatcher
  readonly #written = new Map<string, Written>()
  readonly #seen = new Map<string, readonly [Service, Assignment]>()

  constructor(options: ServiceStatusOptions) {
    this.#options = options
    this.#patcher = new StatusPatcher(options.client, resourceTypes.services)
    this.#queue = new WriteQueue({
      ...options,
      name: 'service-status',
      concurrency: options.concurrency ?? 16,
      intervalMs,
      write: task => this.#write(task),
    })
  }

  /** Makes the Services of a snapshot say what their assignments say. Those without an assignment are left alone. */
  reconcile(services: readonly Service[], assignments: ReadonlyMap<string, Assignment>): void {
    const gone = new Set(this.#seen.keys())
    for (const service of services) {
      const key = keyOf(service)
      gone.delete(key)
      const assignment = assignments.get(key)
      if (!assignment) continue
      const seen = this.#seen.get(key)
      if (seen?.[0] === service && seen[1] === assignment) continue
      this.#seen.set(key, [service, assignment])
      this.#compare(key, service, assignment)
    }
    for (const key of gone) {
      this.#seen.delete(key)
      this.#written.delete(key)
      this.#queue.drop(key)
    }
  }

  status(): WriterStatus {
    return this.#queue.status()
  }

  /** Resolves when nothing is left to be written. */
  idle(): Promise<void> {
    return this.#queue.idle()
  }

  /** Writing is allowed again. */
  resume(): void {
    this.#queue.resume()
  }

  /** Writing is not allowed any more: gives up what is under way. */
  hold(): void {
    this.#queue.hold()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue[Symbol.asyncDispose]()
  }

  #compare(key: string, service: Service, assignment: Assignment): void {
    const want = wanted(assignment)
    if (!want || same(want, this.#present(key, service))) this.#queue.drop(key)
    else this.#queue.want(key, { ...want, service })
  }

  /** What a Service says, or what was written since. */
  #present(key: string, service: Service): Published {
    const written = this.#written.get(key)
    if (!written) return publishedBy(service)
    const version = this.#options.versionOf(service)
    if (version === undefined || !asNewAs(version, written.version)) return written
    this.#written.delete(key)
    return publishedBy(service)
  }

  async #write({ key, desire, signal }: Task<Desire>): Promise<boolean> {
    const { service, addresses, pool } = desire
    if (same(desire, this.#present(key, service))) return false
    const { namespace, name, annotations } = service.metadata
    const resourceVersion = this.#options.versionOf(service)
    const patch: KubeObject = {
      metadata: {
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
        annotations: {
          [annotation]: pool ?? null,
          ...(oldAnnotation in annotations ? { [oldAnnotation]: null } : {}),
        },
      },
      status: {
        loadBalancer: {
          ingress: addresses.length === 0 ? null : addresses.map(ip => ({ ip, ipMode: 'VIP' })),
        },
      },
    }
    const object = await this.#patcher.patch({ namespace, name }, patch, { signal })
    const version = object.metadata.resourceVersion
    if (version !== undefined && this.#seen.has(key)) this.#written.set(key, { addresses, pool, version })
    return true
  }
}
