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

interface Seen {
  readonly key: string
  /** Null: not looked at yet. */
  assignment: Assignment | undefined | null
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

/** Those that are not where they were before. */
function eachNew(
  before: readonly Service[],
  after: readonly Service[],
  look: (service: Service) => void,
): void {
  const same = before.length === after.length
  const least = Math.min(before.length, after.length)
  let head = 0
  while (head < least && before[head] === after[head]) head++
  let tail = 0
  while (tail < least - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++
  for (let i = head; i < after.length - tail; i++) {
    if (!same || before[i] !== after[i]) look(after[i] as Service)
  }
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
  /** Services as they were seen last, and what was wanted of them then: what is the same as then needs no second look. */
  readonly #seen = new Map<Service, Seen>()
  readonly #current = new Map<string, Service>()
  #services: readonly Service[] = []

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

  /**
   * Makes the Services of a snapshot say what their assignments say. Those without an assignment are left alone.
   *
   * @param changed `namespace/name` of those whose assignment may differ from the last call, where that is known; it saves a look at all
   */
  reconcile(
    services: readonly Service[],
    assignments: ReadonlyMap<string, Assignment>,
    changed?: readonly string[],
  ): void {
    const look = (service: Service): void => this.#look(service, assignments)
    if (changed) {
      eachNew(this.#services, services, look)
      for (const key of changed) {
        const service = this.#current.get(key)
        if (service) look(service)
      }
    } else services.forEach(look)
    this.#services = services
    if (this.#current.size > services.length) this.#forget(new Set(services))
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

  /** Writing is not allowed any more: gives up what is under way, and forgets what was wanted. */
  hold(): void {
    this.#queue.hold()
    this.#seen.clear()
    this.#current.clear()
    this.#services = []
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue[Symbol.asyncDispose]()
  }

  #look(service: Service, assignments: ReadonlyMap<string, Assignment>): void {
    const seen = this.#seen.get(service) ?? this.#see(service)
    const assignment = assignments.get(seen.key)
    if (assignment === seen.assignment) return
    seen.assignment = assignment
    if (assignment) this.#compare(seen.key, service, assignment)
    else this.#queue.drop(seen.key)
  }

  #see(service: Service): Seen {
    const seen: Seen = { key: keyOf(service), assignment: null }
    const before = this.#current.get(seen.key)
    if (before) this.#seen.delete(before)
    this.#current.set(seen.key, service)
    this.#seen.set(service, seen)
    return seen
  }

  #forget(present: ReadonlySet<Service>): void {
    for (const [key, service] of this.#current) {
      if (present.has(service)) continue
      this.#current.delete(key)
      this.#seen.delete(service)
      this.#written.delete(key)
      this.#queue.drop(key)
    }
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
    if (version !== undefined && this.#current.has(key)) this.#written.set(key, { addresses, pool, version })
    return true
  }
}
