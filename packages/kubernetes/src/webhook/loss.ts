import {
  type AddressRange,
  addressToNumber,
  CarillonError,
  type Family,
  type IPAddressPool,
  parseAddressEntry,
  rangeOf,
  type Service,
  tryParseAddress,
} from '@carillon/core'

/** A Service and the addresses that it loses. */
export interface Loss {
  readonly service: Service
  readonly addresses: readonly string[]
}

function rangesOf(pools: readonly IPAddressPool[]): readonly AddressRange[] {
  return pools
    .flatMap(({ spec }) => spec.addresses)
    .flatMap(text => {
      try {
        return [rangeOf(parseAddressEntry(text))]
      } catch (error) {
        if (error instanceof CarillonError) return []
        throw error
      }
    })
}

const familyOfBytes = (bytes: Uint8Array): Family => (bytes.length === 4 ? 4 : 6)

function holds(ranges: readonly AddressRange[], text: string): boolean {
  const bytes = tryParseAddress(text)
  if (bytes === undefined) return false
  const [family, value] = [familyOfBytes(bytes), addressToNumber(bytes)]
  return ranges.some(range => range.family === family && range.first <= value && value <= range.last)
}

/** The Services whose addresses are in some pool before a change, and in none after. */
export function losses(
  before: readonly IPAddressPool[],
  after: readonly IPAddressPool[],
  services: readonly Service[],
): readonly Loss[] {
  const [had, has] = [rangesOf(before), rangesOf(after)]
  return services.flatMap(service => {
    if (service.spec.type !== 'LoadBalancer') return []
    const addresses = service.status.loadBalancer.ingress
      .map(({ ip }) => ip)
      .filter(ip => holds(had, ip) && !holds(has, ip))
    return addresses.length === 0 ? [] : [{ service, addresses }]
  })
}
