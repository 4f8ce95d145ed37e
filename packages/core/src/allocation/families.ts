import { type Family, familyOf, tryParseAddress } from '../address.ts'
import type { Service } from '../resources/index.ts'
import type { Reason } from './assignment.ts'
import type { Request } from './request.ts'

/**
 * Which address families a Service takes: `one`; `both` or nothing; `prefer`: both where possible, else one, the primary
 * first; `any`: the pool decides.
 */
export type Wanted =
  | { readonly mode: 'one'; readonly family: Family }
  | { readonly mode: 'both' }
  | { readonly mode: 'prefer'; readonly primary: Family }
  | { readonly mode: 'any' }

/** The families that a Service takes, or why that cannot be told. */
export type Families =
  | { readonly wanted: Wanted }
  | { readonly refused: Reason /** Addresses that it has may stay. */; readonly keeps: boolean }

const fewClusterIPs = (count: number): Families => ({
  refused: {
    code: 'NotEnoughClusterIPs',
    message: `ipFamilyPolicy is RequireDualStack, but the Service has ${count === 1 ? 'one cluster IP' : `${count} cluster IPs`}: use PreferDualStack or SingleStack, or give the cluster both address families`,
  },
  keeps: false,
})

const noClusterIPs = (message: string, keeps = false): Families => ({
  refused: { code: 'NoClusterIPs', message },
  keeps,
})

const primaryOf = (service: Service): Family => (service.spec.ipFamilies[0] === 'IPv6' ? 6 : 4)

/** From the cluster IPs, as Kubernetes fills them in. */
function fromClusterIPs(service: Service, clusterIPs: readonly string[]): Families {
  const policy = service.spec.ipFamilyPolicy
  if (policy === 'RequireDualStack' && clusterIPs.length < 2) return fewClusterIPs(clusterIPs.length)
  if (clusterIPs.includes('None')) {
    return noClusterIPs(
      'the Service is headless (clusterIP: None), so nothing would serve its address: remove clusterIP',
    )
  }
  const families = clusterIPs.map(text => tryParseAddress(text)).map(bytes => bytes && familyOf(bytes))
  const [first, second] = families
  if (families.length > 2 || families.includes(undefined) || first === second || first === undefined) {
    return noClusterIPs(
      `the cluster IPs ${clusterIPs.join(', ')} are neither one address nor one of each family: correct spec.clusterIPs`,
      true,
    )
  }
  if (second === undefined) return { wanted: { mode: 'one', family: first } }
  if (policy !== 'PreferDualStack') return { wanted: { mode: 'both' } }
  return { wanted: { mode: 'prefer', primary: primaryOf(service) } }
}

/** Without Kubernetes nobody fills cluster IPs in: what the manifest asks for decides, then the pool. */
function fromManifest(service: Service, request: Request): Families {
  const { ipFamilies, ipFamilyPolicy: policy } = service.spec
  if (policy === 'RequireDualStack') return { wanted: { mode: 'both' } }
  if (
    policy === 'PreferDualStack' &&
    (ipFamilies.length > 1 || (ipFamilies.length === 0 && request.addresses.length === 0))
  ) {
    return { wanted: { mode: 'prefer', primary: primaryOf(service) } }
  }
  if (ipFamilies.length === 0) return { wanted: { mode: 'any' } }
  if (ipFamilies.length > 1 && policy !== 'SingleStack') return { wanted: { mode: 'both' } }
  return { wanted: { mode: 'one', family: primaryOf(service) } }
}

/** Finds the address families of a Service. `standalone`: there is no Kubernetes that would give it cluster IPs. */
export function familiesOf(service: Service, request: Request, standalone: boolean): Families {
  const clusterIPs = service.spec.clusterIPs.filter(text => text !== '')
  if (standalone && (clusterIPs.length === 0 || clusterIPs.includes('None')))
    return fromManifest(service, request)
  if (clusterIPs.length === 0) {
    return noClusterIPs(
      'the Service has no cluster IP: Kubernetes gives it one, unless spec.clusterIP is set by hand',
    )
  }
  return fromClusterIPs(service, clusterIPs)
}
