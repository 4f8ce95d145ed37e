import { canonicalAddress } from '@carillon/core'
import type { LabNet } from './lab-net.ts'

interface KernelRoute {
  readonly dst?: string
  readonly gateway?: string
  readonly nexthops?: readonly { readonly gateway?: string }[]
}

/** The gateways of a route in what `ip -json route` printed; none where it printed no such route. Pure. */
export function gatewaysOf(json: string, address: string): readonly string[] {
  const routes = JSON.parse(json === '' ? '[]' : json) as readonly KernelRoute[]
  return routes
    .filter(({ dst }) => dst !== undefined && canonicalAddress(dst) === address)
    .flatMap(({ gateway, nexthops = [] }) => [gateway, ...nexthops.map(hop => hop.gateway)])
    .filter(gateway => gateway !== undefined)
}

/** Where the kernel of a lab host sends what is for an address. */
export async function nextHops(net: LabNet, host: string, address: string): Promise<readonly string[]> {
  const family = address.includes(':') ? '-6' : '-4'
  return gatewaysOf(await net.ipIn(host, family, '-json', 'route', 'show', address), address)
}
