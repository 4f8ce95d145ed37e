import { compareAddresses, familyOf, type Link, maskAddress, parseAddress } from '@carillon/core'

/** Whether an address is in a subnet of this host, so that no router lies between. */
export function isOnLink(address: string, links: readonly Link[]): boolean {
  const bytes = parseAddress(address)
  return links
    .flatMap(link => link.addresses)
    .some(
      own =>
        familyOf(own.address) === familyOf(bytes) &&
        compareAddresses(
          maskAddress(parseAddress(own.address), own.prefixLength),
          maskAddress(bytes, own.prefixLength),
        ) === 0,
    )
}
