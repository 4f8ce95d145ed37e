import { canonicalAddress, familyOf } from '../address.ts'
import type { Service } from '../resources/index.ts'
import { annotationOf, annotationPrefix } from './annotation.ts'

/** What a Service asks for. */
export interface Request {
  /** One address, or two of different families: canonical text, in the order of the request. Empty: any. */
  readonly addresses: readonly string[]
  /** Name of the pool it asks for. */
  readonly pool?: string
  /** Why the request cannot be read, and what to write instead. */
  readonly malformed?: string
}

const field = `${annotationPrefix}loadBalancerIPs`

function readAddresses(texts: readonly string[], where: string): Pick<Request, 'addresses' | 'malformed'> {
  const addresses: string[] = []
  for (const text of texts) {
    const address = canonicalAddress(text)
    if (address === undefined) {
      return {
        addresses: [],
        malformed: `${where}: "${text}" is not an IP address: write one address, or one IPv4 and one IPv6 address with a comma between them`,
      }
    }
    addresses.push(address)
  }
  if (addresses.length > 2) {
    return {
      addresses: [],
      malformed: `${where} asks for ${addresses.length} addresses: a Service can have one, or one of each family`,
    }
  }
  const [a, b] = addresses
  if (a !== undefined && b !== undefined && familyOf(a) === familyOf(b)) {
    return {
      addresses: [],
      malformed: `${where} asks for two IPv${familyOf(a)} addresses, ${a} and ${b}: a Service can have one of each family`,
    }
  }
  return { addresses }
}

/** Reads the requested pool and addresses of a Service; what cannot be read is told in `malformed`. */
export function requestOf({ metadata, spec }: Service): Request {
  const pool = annotationOf(metadata.annotations, 'address-pool')
  const list = annotationOf(metadata.annotations, 'loadBalancerIPs')
  const single = spec.loadBalancerIP
  const wish = pool ? { pool } : {}
  if (list && single) {
    return {
      addresses: [],
      malformed: `both spec.loadBalancerIP and the annotation ${field} ask for addresses: keep the annotation and remove spec.loadBalancerIP`,
      ...wish,
    }
  }
  if (list)
    return {
      ...readAddresses(
        list.split(',').map(text => text.trim()),
        field,
      ),
      ...wish,
    }
  if (single) return { ...readAddresses([single.trim()], 'spec.loadBalancerIP'), ...wish }
  return { addresses: [], ...wish }
}
