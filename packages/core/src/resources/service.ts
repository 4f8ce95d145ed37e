import { type NamespacedMeta, readNamespacedMetadata } from './metadata.ts'
import type { Report } from './report.ts'
import {
  type Fields,
  itemsField,
  objectField,
  portField,
  textField,
  textMapField,
  textsField,
  type Writable,
} from './value.ts'

/** A port of a Service. */
export interface ServicePort {
  readonly name?: string
  /** `TCP` where the object says nothing. */
  readonly protocol: string
  readonly port: number
}

/** The fields of a Service that Carillon reads. Absent lists and maps are empty ones. */
export interface Service {
  readonly apiVersion: 'v1'
  readonly kind: 'Service'
  readonly metadata: NamespacedMeta
  readonly spec: ServiceSpec
  readonly status: {
    readonly loadBalancer: {
      /** Entries that have an address; host names are left out. */
      readonly ingress: readonly { readonly ip: string }[]
    }
  }
}

/** What a Service asks for. */
export interface ServiceSpec {
  /** `ClusterIP` where the object says nothing. */
  readonly type: string
  readonly loadBalancerClass?: string
  readonly loadBalancerIP?: string
  /** `clusterIPs`, else the one `clusterIP`; may be `None`. */
  readonly clusterIPs: readonly string[]
  readonly ipFamilyPolicy?: string
  /** `IPv4`, `IPv6` */
  readonly ipFamilies: readonly string[]
  /** `Cluster` where the object says nothing. */
  readonly externalTrafficPolicy: string
  readonly selector: Readonly<Record<string, string>>
  readonly ports: readonly ServicePort[]
}

function readPort(report: Report, from: Fields, path: string): ServicePort | undefined {
  const port = portField(report, from, path, 'port')
  const name = textField(report, from, path, 'name')
  const protocol = textField(report, from, path, 'protocol') ?? 'TCP'
  if (port === undefined) return undefined
  return name === undefined ? { protocol, port } : { name, protocol, port }
}

function readSpec(report: Report, from: Fields): ServiceSpec {
  const clusterIPs = textsField(report, from, 'spec', 'clusterIPs')
  const clusterIP = textField(report, from, 'spec', 'clusterIP')
  const spec: Writable<ServiceSpec> = {
    type: textField(report, from, 'spec', 'type') ?? 'ClusterIP',
    clusterIPs: clusterIPs.length === 0 && clusterIP ? [clusterIP] : clusterIPs,
    ipFamilies: textsField(report, from, 'spec', 'ipFamilies'),
    externalTrafficPolicy: textField(report, from, 'spec', 'externalTrafficPolicy') ?? 'Cluster',
    selector: textMapField(report, from, 'spec', 'selector'),
    ports: itemsField(report, from, 'spec', 'ports', (item, path) => readPort(report, item, path)),
  }
  const loadBalancerClass = textField(report, from, 'spec', 'loadBalancerClass')
  const loadBalancerIP = textField(report, from, 'spec', 'loadBalancerIP')
  const ipFamilyPolicy = textField(report, from, 'spec', 'ipFamilyPolicy')
  if (loadBalancerClass !== undefined) spec.loadBalancerClass = loadBalancerClass
  if (loadBalancerIP !== undefined) spec.loadBalancerIP = loadBalancerIP
  if (ipFamilyPolicy !== undefined) spec.ipFamilyPolicy = ipFamilyPolicy
  return spec
}

/** Reads a Service, reporting what is malformed among the fields that Carillon uses. */
export function readService(report: Report, object: Fields): Service {
  const status = objectField(report, object, '', 'status')
  const loadBalancer = objectField(report, status, 'status', 'loadBalancer')
  const ingress = itemsField(report, loadBalancer, 'status.loadBalancer', 'ingress', (item, path) => {
    const ip = textField(report, item, path, 'ip')
    return ip ? { ip } : undefined
  })
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: readNamespacedMetadata(report, object),
    spec: readSpec(report, objectField(report, object, '', 'spec')),
    status: { loadBalancer: { ingress } },
  }
}
