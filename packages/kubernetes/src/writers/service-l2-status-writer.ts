import { type Client, isKubeObject, resourceTypes } from '../client/index.ts'
import { digest, labelValue } from './labels.ts'
import { type StatusObject, StatusObjects, type StatusObjectsOptions } from './status-objects.ts'
import { type Task, WriteQueue, type WriterStatus } from './write-queue.ts'

/** How this node announces a Service on the local segment. */
export interface ServiceL2Announcement {
  readonly interfaces: 'all' | readonly string[]
  /** Nodes that announced it before and do not any more: what they have left behind is removed. */
  readonly after?: readonly string[]
}

/** What a writer of ServiceL2Status and ServiceBGPStatus needs. */
export interface ServiceStatusObjectsOptions extends StatusObjectsOptions {
  /** Name of this node. */
  readonly node: string
}

/** A Service, by the two parts of its key. */
export function splitKey(key: string): { readonly namespace: string; readonly name: string } {
  const at = key.indexOf('/')
  return { namespace: key.slice(0, at), name: key.slice(at + 1) }
}

/** The labels by which such objects are found. */
export function serviceLabels(node: string, key: string): Readonly<Record<string, string>> {
  const { namespace, name } = splitKey(key)
  return {
    'metallb.io/node': labelValue(node),
    'metallb.io/service-name': labelValue(name),
    'metallb.io/service-namespace': labelValue(namespace),
  }
}

const sameNames = (a: 'all' | readonly string[], b: 'all' | readonly string[]): boolean =>
  a === b || (a !== 'all' && b !== 'all' && a.length === b.length && a.every((name, i) => name === b[i]))

interface Kept {
  readonly name: string
  readonly interfaces: 'all' | readonly string[]
  readonly object: StatusObject
}

/**
 * Says which Services this node announces on the local segment: a ServiceL2Status for each. What a dead node has left behind is removed by
 * the node that took over, as nobody else will.
 */
export class ServiceL2StatusWriter implements AsyncDisposable {
  readonly #node: string
  readonly #client: Client
  readonly #namespace: string
  readonly #objects: StatusObjects
  readonly #sweeps: WriteQueue<ReadonlySet<string>>
  readonly #kept = new Map<string, Kept>()

  constructor(options: ServiceStatusObjectsOptions) {
    this.#node = options.node
    this.#client = options.client
    this.#namespace = options.namespace
    this.#objects = new StatusObjects(options, {
      type: resourceTypes.serviceL2Statuses,
      name: 'service-l2-status',
      labelSelector: `metallb.io/node=${labelValue(options.node)}`,
    })
    this.#sweeps = new WriteQueue({
      ...options,
      name: 'service-l2-status-sweep',
      concurrency: 1,
      intervalMs: 1000,
      write: task => this.#sweep(task),
    })
  }

  /** Makes the objects of this node be exactly these, by `namespace/name` of the Service. */
  reconcile(announced: ReadonlyMap<string, ServiceL2Announcement>): void {
    const gone = [...this.#kept.keys()].filter(key => !announced.has(key))
    this.change(new Map([...announced, ...gone.map(key => [key, undefined] as const)]))
  }

  /** Says how these Services are announced now, or that they are not where undefined; the others are announced as before. */
  change(announced: ReadonlyMap<string, ServiceL2Announcement | undefined>): void {
    const objects = new Map<string, StatusObject | undefined>()
    const left = new Map<string, Set<string>>()
    for (const [key, wanted] of announced) {
      const before = this.#kept.get(key)
      if (!wanted) {
        if (before) objects.set(before.name, undefined)
        this.#kept.delete(key)
        continue
      }
      const { interfaces, after = [] } = wanted
      if (!before || !sameNames(before.interfaces, interfaces)) {
        const kept = this.#keep(key, interfaces)
        this.#kept.set(key, kept)
        objects.set(kept.name, kept.object)
      }
      for (const node of after) left.set(node, (left.get(node) ?? new Set()).add(key))
    }
    this.#objects.change(objects)
    for (const [node, keys] of left) {
      if (node === this.#node) continue
      const waiting = this.#sweeps.desired(node)
      this.#sweeps.want(node, waiting ? new Set([...waiting, ...keys]) : keys)
    }
  }

  status(): WriterStatus {
    const own = this.#objects.status()
    return { ...own, pending: own.pending + this.#sweeps.status().pending }
  }

  /** Resolves when nothing is left to be written. */
  async idle(): Promise<void> {
    await Promise.all([this.#objects.idle(), this.#sweeps.idle()])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#objects[Symbol.asyncDispose](), this.#sweeps[Symbol.asyncDispose]()])
  }

  #keep(key: string, interfaces: 'all' | readonly string[]): Kept {
    const { namespace, name } = splitKey(key)
    const status = {
      node: this.#node,
      serviceName: name,
      serviceNamespace: namespace,
      ...(interfaces === 'all' ? {} : { interfaces: interfaces.map(one => ({ name: one })) }),
    }
    return {
      name: `l2-${digest(this.#node, key)}`,
      interfaces,
      object: { labels: serviceLabels(this.#node, key), status: () => status },
    }
  }

  /** Removes what a node left behind for these Services, where this node announces them still. */
  async #sweep({ key: node, desire: keys, signal }: Task<ReadonlySet<string>>): Promise<boolean> {
    const namespace = this.#namespace
    const type = resourceTypes.serviceL2Statuses
    const labelSelector = `metallb.io/node=${labelValue(node)}`
    const { items } = await this.#client.listAll(type, { namespace, labelSelector, limit: 500, signal })
    let written = false
    for (const { metadata } of items.filter(isKubeObject)) {
      const { name, uid, labels = {} } = metadata
      const key = `${labels['metallb.io/service-namespace']}/${labels['metallb.io/service-name']}`
      if (name === undefined || !keys.has(key) || !this.#kept.has(key)) continue
      try {
        await this.#client.delete(
          type,
          { namespace, name },
          { signal, ...(uid === undefined ? {} : { uid }) },
        )
        written = true
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'API_NOT_FOUND') throw error
      }
    }
    return written
  }
}
