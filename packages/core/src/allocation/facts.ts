import { canonicalAddress } from '../address.ts'
import type { Service } from '../resources/index.ts'
import type { Facts } from './claimant.ts'
import { familiesOf } from './families.ts'
import { requestOf } from './request.ts'
import { type ClassOptions, notOurs } from './service-class.ts'
import { sharingOf } from './sharing.ts'

/** Reads a Service once, so that nothing is parsed again while it stays the same object. */
export function factsOf(service: Service, options: ClassOptions, standalone: boolean): Facts {
  const request = requestOf(service)
  const status = service.status.loadBalancer.ingress
    .map(({ ip }) => canonicalAddress(ip))
    .filter(address => address !== undefined)
  return {
    ignored: notOurs(service, options),
    families: familiesOf(service, request, standalone),
    request,
    sharing: sharingOf(service),
    status: status.length > 1 ? [...new Set(status)] : status,
  }
}
