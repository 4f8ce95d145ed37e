import type { AddressRange, Pool, Selector, ServiceAllocation } from '../config/config.ts'
import { joinRanges, parseAddressEntry, rangeOf } from '../config/ranges.ts'
import type { Namespace, Service } from '../resources/index.ts'

/** What a test says about a Service; the rest is as Kubernetes would fill it in for a plain IPv4 Service. */
export interface ServiceSketch {
  readonly namespace?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly type?: string
  readonly class?: string
  readonly clusterIPs?: readonly string[]
  readonly families?: readonly string[]
  readonly policy?: string
  /** `metallb.io/loadBalancerIPs` */
  readonly ips?: string
  /** `spec.loadBalancerIP` */
  readonly ip?: string
  /** `metallb.io/address-pool` */
  readonly pool?: string
  /** `metallb.io/allow-shared-ip` */
  readonly share?: string
  readonly annotations?: Readonly<Record<string, string>>
  readonly traffic?: 'Cluster' | 'Local'
  readonly selector?: Readonly<Record<string, string>>
  readonly ports?: readonly (number | string)[]
  readonly status?: readonly string[]
}

export function service(name: string, sketch: ServiceSketch = {}): Service {
  const annotations: Record<string, string> = { ...sketch.annotations }
  if (sketch.ips !== undefined) annotations['metallb.io/loadBalancerIPs'] = sketch.ips
  if (sketch.pool !== undefined) annotations['metallb.io/address-pool'] = sketch.pool
  if (sketch.share !== undefined) annotations['metallb.io/allow-shared-ip'] = sketch.share
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: sketch.namespace ?? 'default', labels: sketch.labels ?? {}, annotations },
    spec: {
      type: sketch.type ?? 'LoadBalancer',
      ...(sketch.class === undefined ? {} : { loadBalancerClass: sketch.class }),
      ...(sketch.ip === undefined ? {} : { loadBalancerIP: sketch.ip }),
      clusterIPs: sketch.clusterIPs ?? ['10.96.0.1'],
      ...(sketch.policy === undefined ? {} : { ipFamilyPolicy: sketch.policy }),
      ipFamilies: sketch.families ?? [],
      externalTrafficPolicy: sketch.traffic ?? 'Cluster',
      selector: sketch.selector ?? { app: name },
      ports: (sketch.ports ?? [80]).map(text => {
        const [protocol, port] = String(text).includes('/') ? String(text).split('/') : ['TCP', String(text)]
        return { protocol: protocol as string, port: Number(port) }
      }),
    },
    status: { loadBalancer: { ingress: (sketch.status ?? []).map(ip => ({ ip })) } },
  }
}

export const dualStack = ['10.96.0.1', 'fd00:96::1']

/** A selector that wants exactly these labels. */
export const selector = (labels: Readonly<Record<string, string>>): Selector => ({
  text: Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(', '),
  matches: has => Object.entries(labels).every(([key, value]) => has[key] === value),
})

export interface PoolSketch {
  readonly autoAssign?: boolean
  readonly avoidBuggyIPs?: boolean
  /** `serviceAllocation`; `{}`: for every Service, before the pools that have none. */
  readonly rules?: Partial<Omit<ServiceAllocation, 'namespaces' | 'anyNamespace'>> & {
    readonly namespaces?: readonly string[]
  }
}

export function pool(name: string, addresses: readonly string[], sketch: PoolSketch = {}): Pool {
  const entries = addresses.map(parseAddressEntry)
  const ranges: readonly AddressRange[] = joinRanges(entries.map(rangeOf))
  const { rules } = sketch
  return {
    name,
    labels: {},
    entries,
    ranges,
    autoAssign: sketch.autoAssign ?? true,
    avoidBuggyIPs: sketch.avoidBuggyIPs ?? false,
    ...(rules
      ? {
          serviceAllocation: {
            priority: rules.priority ?? 0,
            anyNamespace: rules.namespaces === undefined && rules.namespaceSelectors === undefined,
            namespaces: new Set(rules.namespaces ?? []),
            namespaceSelectors: rules.namespaceSelectors ?? [],
            serviceSelectors: rules.serviceSelectors ?? [],
          },
        }
      : {}),
    l2Advertisements: [],
    bgpAdvertisements: [],
  }
}

export const namespace = (name: string, labels: Readonly<Record<string, string>> = {}): Namespace => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels, annotations: {} },
})
