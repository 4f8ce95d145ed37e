import type { NamespacedMeta } from './metadata.ts'

export interface EndpointConditions {
  /** Absent means true, as Kubernetes says. */
  readonly ready?: boolean
  readonly serving?: boolean
  readonly terminating?: boolean
}

export interface Endpoint {
  readonly addresses: readonly string[]
  readonly conditions: EndpointConditions
  readonly nodeName?: string
  readonly targetRef?: { readonly kind?: string; readonly namespace?: string; readonly name?: string }
}

/** The fields of an EndpointSlice that Carillon reads. Its Service is in the label `kubernetes.io/service-name`. */
export interface EndpointSlice {
  readonly apiVersion: 'discovery.k8s.io/v1'
  readonly kind: 'EndpointSlice'
  readonly metadata: NamespacedMeta
  /** `IPv4`, `IPv6`, `FQDN` */
  readonly addressType: string
  readonly endpoints: readonly Endpoint[]
}
