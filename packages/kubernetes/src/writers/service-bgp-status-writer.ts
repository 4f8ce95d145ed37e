import { resourceTypes } from '../client/index.ts'
import { digest, labelValue } from './labels.ts'
import { type ServiceStatusObjectsOptions, serviceLabels, splitKey } from './service-l2-status-writer.ts'
import { type StatusObject, StatusObjects } from './status-objects.ts'
import type { WriterStatus } from './write-queue.ts'

interface Kept {
  readonly name: string
  readonly peers: readonly string[]
  readonly object: StatusObject
}

const same = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((name, i) => name === b[i])

/** Says to which BGP peers this node announces each Service: a ServiceBGPStatus for each. */
export class ServiceBgpStatusWriter implements AsyncDisposable {
  readonly #node: string
  readonly #objects: StatusObjects
  readonly #kept = new Map<string, Kept>()

  constructor(options: ServiceStatusObjectsOptions) {
    this.#node = options.node
    this.#objects = new StatusObjects(options, {
      type: resourceTypes.serviceBgpStatuses,
      name: 'service-bgp-status',
      labelSelector: `metallb.io/node=${labelValue(options.node)}`,
    })
  }

  /** Makes the objects of this node be exactly these: names of peers, by `namespace/name` of the Service. One without peers has none. */
  reconcile(announced: ReadonlyMap<string, Iterable<string>>): void {
    const gone = [...this.#kept.keys()].filter(key => !announced.has(key))
    this.change(new Map([...announced, ...gone.map(key => [key, []] as const)]))
  }

  /** Says to which peers these Services are announced now; the others are announced as before. */
  change(announced: ReadonlyMap<string, Iterable<string>>): void {
    const objects = new Map<string, StatusObject | undefined>()
    for (const [key, names] of announced) {
      const peers = [...new Set(names)].sort()
      const before = this.#kept.get(key)
      if (peers.length === 0) {
        if (before) objects.set(before.name, undefined)
        this.#kept.delete(key)
      } else if (!before || !same(before.peers, peers)) {
        const kept = this.#keep(key, peers)
        this.#kept.set(key, kept)
        objects.set(kept.name, kept.object)
      }
    }
    this.#objects.change(objects)
  }

  status(): WriterStatus {
    return this.#objects.status()
  }

  /** Resolves when nothing is left to be written. */
  idle(): Promise<void> {
    return this.#objects.idle()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#objects[Symbol.asyncDispose]()
  }

  #keep(key: string, peers: readonly string[]): Kept {
    const { namespace, name } = splitKey(key)
    const status = { node: this.#node, serviceName: name, serviceNamespace: namespace, peers }
    return {
      name: `bgp-${digest(this.#node, key)}`,
      peers,
      object: { labels: serviceLabels(this.#node, key), status: () => status },
    }
  }
}
