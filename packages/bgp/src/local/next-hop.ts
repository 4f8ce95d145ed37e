import {
  type AddressBytes,
  compareAddresses,
  type Family,
  familyOf,
  type Link,
  parseAddress,
} from '@carillon/core'
import type { RouteFamily } from '../wire/message.ts'

/** Where traffic for our routes of one family is to go, or why there is no such place. */
export type NextHop = { readonly address: AddressBytes } | { readonly missing: string }

/** What the choice depends on. */
export interface NextHopQuestion {
  /** Our address on the session, without a zone. */
  readonly local: string
  readonly links: readonly Link[]
  /** IPv4 prefixes may have an IPv6 next hop (RFC 8950). */
  readonly extendedNextHop: boolean
}

const numbers: Readonly<Record<RouteFamily, Family>> = { ipv4: 4, ipv6: 6 }
const names: Readonly<Record<RouteFamily, string>> = { ipv4: 'IPv4', ipv6: 'IPv6' }

/** The address among these by which others reach this host: rather one of a subnet than a single one, then the lowest. */
function globalAddress(links: readonly Link[], family: Family): AddressBytes | undefined {
  const single = family === 4 ? 32 : 128
  const [first] = links
    .flatMap(link => link.addresses)
    .filter(one => familyOf(one.address) === family && one.scope === 'global' && one.usable)
    .map(one => ({ alone: one.prefixLength === single ? 1 : 0, bytes: parseAddress(one.address) }))
    .sort((a, b) => a.alone - b.alone || compareAddresses(a.bytes, b.bytes))
  return first?.bytes
}

/** The next hop of our routes of this family: our address on the session, or for the other family one of the same interface. */
export function nextHopOf(family: RouteFamily, { local, links, extendedNextHop }: NextHopQuestion): NextHop {
  const number = numbers[family]
  const bytes = parseAddress(local)
  const link = links.find(one => one.addresses.some(({ address }) => address === local))
  if (local.startsWith('127.') || local === '::1') {
    // The router is on this host: what it tells others has to lead them here.
    const address = globalAddress(
      links.filter(one => !one.loopback),
      number,
    )
    return address
      ? { address }
      : { missing: `this host has no ${names[family]} address that others could reach` }
  }
  if (familyOf(local) === number) return { address: bytes }
  if (family === 'ipv4' && extendedNextHop) return { address: bytes }
  if (!link) return { missing: `no interface of this host has ${local}, our address on the session` }
  const address = globalAddress([link], number)
  return address
    ? { address }
    : { missing: `${link.name} has no ${names[family]} address, which would be the next hop: give it one` }
}
