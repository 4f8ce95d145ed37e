import { equal } from '../api/equal.ts'
import { type FieldError, invalidValue } from '../api/field-error.ts'
import { type Family, familyOf, isHeadless, type Service } from './service.ts'

/** Settles `ipFamilyPolicy` and `ipFamilies` of a Service for a cluster with these families; says what cannot be. */
export function settleFamilies(
  service: Service,
  old: Service | undefined,
  cluster: readonly Family[],
): readonly FieldError[] {
  const { spec } = service
  if (spec.type === 'ExternalName') return []
  const errors: FieldError[] = []
  const selectorless = isHeadless(spec) && Object.keys(spec.selector ?? {}).length === 0
  spec.ipFamilyPolicy ??= old?.spec.ipFamilyPolicy ?? (selectorless ? 'RequireDualStack' : 'SingleStack')
  const policy = (detail: string): void => {
    errors.push(invalidValue('spec.ipFamilyPolicy', spec.ipFamilyPolicy, detail))
  }
  if (old !== undefined) narrow(service, old, policy)
  const dual = "must be 'RequireDualStack' or 'PreferDualStack' when multiple"
  if (spec.ipFamilyPolicy === 'SingleStack') {
    if ((spec.clusterIPs ?? []).length > 1) policy(`${dual} cluster IPs are specified`)
    if ((spec.ipFamilies ?? []).length > 1) policy(`${dual} IP families are specified`)
  }
  const families = [...(spec.ipFamilies ?? [])]
  const addresses = isHeadless(spec) ? [] : (spec.clusterIPs ?? [])
  for (const address of addresses.slice(families.length)) {
    const family = familyOf(address)
    if (cluster.includes(family)) families.push(family)
    else
      errors.push(
        invalidValue('spec.clusterIPs[0]', addresses, `${family} is not configured on this cluster`),
      )
  }
  if (errors.length > 0) return errors
  if (!selectorless) {
    if (spec.ipFamilyPolicy === 'RequireDualStack' && cluster.length < 2)
      policy('this cluster is not configured for dual-stack services')
    families.forEach((family, index) => {
      if (!cluster.includes(family))
        errors.push(invalidValue(`spec.ipFamilies[${index}]`, family, 'not configured on this cluster'))
    })
    if (errors.length > 0) return errors
  }
  if (families.length === 0) families.push(cluster[0] as Family)
  const second: Family = families[0] === 'IPv4' ? 'IPv6' : 'IPv4'
  if (
    spec.ipFamilyPolicy !== 'SingleStack' &&
    families.length === 1 &&
    (selectorless || cluster.includes(second))
  )
    families.push(second)
  spec.ipFamilies = families
  return errors
}

/** What it means for the second family that the policy changed, or did not. */
function narrow({ spec }: Service, { spec: old }: Service, policy: (detail: string) => void): void {
  if (spec.ipFamilyPolicy === 'SingleStack') {
    if (equal(spec.clusterIPs, old.clusterIPs) && (spec.clusterIPs ?? []).length > 1)
      spec.clusterIPs = spec.clusterIPs?.slice(0, 1) as string[]
    if (equal(spec.ipFamilies, old.ipFamilies) && (spec.ipFamilies ?? []).length > 1)
      spec.ipFamilies = spec.ipFamilies?.slice(0, 1) as Family[]
    return
  }
  const reduced = (now: readonly string[] = [], was: readonly string[] = []): boolean =>
    now.length === 1 && was.length === 2 && now[0] === was[0]
  if (reduced(spec.clusterIPs, old.clusterIPs))
    policy("must be 'SingleStack' to release the secondary cluster IP")
  if (reduced(spec.ipFamilies, old.ipFamilies))
    policy("must be 'SingleStack' to release the secondary IP family")
}
