import type { EndpointConditions, ObjectMeta, Resource, ServiceEndpoint } from '@carillon/core'

/** Prefixes of the annotations that mean something to Carillon. */
const meaningful = ['metallb.io/', 'metallb.universe.tf/', 'carillon.io/']

const none: Readonly<Record<string, string>> = Object.freeze({})

/** The label by which an EndpointSlice belongs to a Service. */
const serviceLabel = 'kubernetes.io/service-name'

function pick(
  map: Readonly<Record<string, string>>,
  wanted: (key: string) => boolean,
): Readonly<Record<string, string>> {
  const kept = Object.entries(map).filter(([key]) => wanted(key))
  return kept.length === 0 ? none : Object.fromEntries(kept)
}

const isMeaningful = (key: string): boolean => meaningful.some(prefix => key.startsWith(prefix))

function trimMetadata<Meta extends ObjectMeta>(
  meta: Meta,
  labels: (map: Meta['labels']) => Meta['labels'],
): Meta {
  // The resource version moves with changes that nobody here reads, so an object that carried it would never be the same.
  const { resourceVersion: _, generation: _g, creationTimestamp: _c, ...kept } = meta
  return {
    ...(kept as unknown as Meta),
    labels: labels(meta.labels),
    annotations: pick(meta.annotations, isMeaningful),
  }
}

const all = <Map>(labels: Map): Map => labels

/** The texts of many objects: equal ones are the same one. It holds no more than that many different ones. */
class Texts {
  readonly #known = new Map<string, string>()

  share(text: string): string {
    const known = this.#known.get(text)
    if (known !== undefined) return known
    if (this.#known.size >= maxTexts) this.#known.clear()
    this.#known.set(text, text)
    return text
  }
}

const maxTexts = 20_000

/**
 * Drops what nobody reads of objects that were parsed: what remains is compared to tell whether anything has changed, and is all that
 * is kept in memory. Secrets keep nothing but a `password`. What is equal in thousands of objects is kept once.
 */
export class Trimmer {
  readonly #nodes = new Texts()
  readonly #conditions = new Map<string, EndpointConditions>()

  trim(resource: Resource): Resource {
    switch (resource.kind) {
      case 'EndpointSlice': {
        const metadata = trimMetadata(resource.metadata, labels => pick(labels, key => key === serviceLabel))
        return { ...resource, metadata, endpoints: resource.endpoints.map(one => this.#endpoint(one)) }
      }
      case 'Secret':
        return {
          ...resource,
          metadata: trimMetadata(resource.metadata, () => none),
          data: pick(resource.data, key => key === 'password'),
        }
      case 'IPAddressPool': {
        // It is ours, and changes with every allocation.
        const { status: _, ...rest } = resource
        return { ...rest, metadata: trimMetadata(resource.metadata, all) }
      }
      case 'Service':
        return { ...resource, metadata: trimMetadata(resource.metadata, all) }
      default:
        return { ...resource, metadata: trimMetadata(resource.metadata, all) } as Resource
    }
  }

  #endpoint({ addresses, conditions, nodeName }: ServiceEndpoint): ServiceEndpoint {
    const shared = this.#shared(conditions)
    if (nodeName === undefined) return { addresses, conditions: shared }
    return { addresses, conditions: shared, nodeName: this.#nodes.share(nodeName) }
  }

  #shared(conditions: EndpointConditions): EndpointConditions {
    const { ready, serving, terminating } = conditions
    const key = `${ready} ${serving} ${terminating}`
    const known = this.#conditions.get(key) ?? conditions
    this.#conditions.set(key, known)
    return known
  }
}
