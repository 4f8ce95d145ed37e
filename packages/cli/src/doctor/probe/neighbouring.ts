import { familyOf, formatAddress, type Link, maskAddress, parseAddress } from '@carillon/core'

/** Whether two addresses of one family lie in one subnet. */
const together = (a: string, b: string, prefixLength: number): boolean =>
  familyOf(a) === familyOf(b) &&
  formatAddress(maskAddress(parseAddress(a), prefixLength)) ===
    formatAddress(maskAddress(parseAddress(b), prefixLength))

/** The interface and the address of this host in whose subnet another address lies; undefined when there is none. */
export function neighbouring(
  address: string,
  links: readonly Link[],
): { readonly address: string; readonly link: Link } | undefined {
  for (const link of links) {
    if (link.loopback) continue
    for (const own of link.addresses)
      if (own.prefixLength > 0 && together(own.address, address, own.prefixLength))
        return { address: own.address, link }
  }
  return undefined
}
