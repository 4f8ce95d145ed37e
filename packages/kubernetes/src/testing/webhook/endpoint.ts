import { fieldsOf, listOf } from '../api/object.ts'
import type { ClientConfig } from '../custom/definition.ts'
import type { Store } from '../store/store.ts'

/** A Service that a webhook is reached by. */
export interface ServiceReference {
  readonly namespace: string
  readonly name: string
  readonly port: number
}

/** Where a webhook listens, and the name that its certificate has to bear. */
export interface Endpoint {
  readonly url: string
  readonly serverName?: string
}

/** Finds out where a Service is reached from here: `https://127.0.0.1:9443`; nothing when it is not. */
export type ServiceResolver = (service: ServiceReference) => string | undefined

/** Where a webhook is. @throws Error when its Service leads nowhere */
export function endpointOf({ url, service }: ClientConfig, resolve: ServiceResolver): Endpoint {
  if (url !== undefined) return { url }
  if (service === undefined) throw new Error('clientConfig names neither url nor service')
  const { namespace, name, path = '', port = 443 } = service
  const base = resolve({ namespace, name, port })
  if (base === undefined)
    throw new Error(`no endpoints available for service "${name}" in namespace "${namespace}"`)
  return {
    url: `${base.replace(/\/$/, '')}/${path.replace(/^\//, '')}`,
    serverName: `${name}.${namespace}.svc`,
  }
}

/** Finds Services as a cluster does: at the first endpoint that is ready. */
export const bySlices =
  (store: Store): ServiceResolver =>
  ({ namespace, name, port }) => {
    const service = store.collection('services').get(namespace, name)
    const ports = listOf(fieldsOf(service?.object.spec).ports).map(fieldsOf)
    const wanted = ports.find(one => one.port === port)
    if (wanted === undefined) return undefined
    for (const { object } of store.collection('endpointslices.discovery.k8s.io').list(namespace)) {
      if (object.metadata.labels?.['kubernetes.io/service-name'] !== name) continue
      const target = listOf(object.ports)
        .map(fieldsOf)
        .find(one => (one.name ?? '') === (wanted.name ?? ''))?.port
      const address = listOf(object.endpoints)
        .map(fieldsOf)
        .find(one => fieldsOf(one.conditions).ready !== false)?.addresses
      const [first] = listOf(address)
      if (target !== undefined && typeof first === 'string')
        return `https://${first.includes(':') ? `[${first}]` : first}:${target}`
    }
    return undefined
  }
