import type { NamespacedMeta } from './metadata.ts'

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
  readonly spec: {
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
  readonly status: {
    readonly loadBalancer: {
      /** Entries that have an address; host names are left out. */
      readonly ingress: readonly { readonly ip: string }[]
    }
  }
}
