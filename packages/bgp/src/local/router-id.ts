import { crc32 } from 'node:zlib'
import { compareAddresses, familyOf, formatAddress, type Link, parseAddress } from '@carillon/core'

const isLoopback = (address: string): boolean => address.startsWith('127.')

/**
 * The BGP identifier where none is configured: our IPv4 address on the session (`local`); else the lowest IPv4 address of this
 * host; else one made of the node's name, as MetalLB makes it. None of them is a loopback address.
 */
export function defaultRouterId(local: string, links: readonly Link[], node: string): string {
  if (familyOf(local) === 4 && !isLoopback(local)) return local
  const [lowest] = links
    .filter(link => !link.loopback)
    .flatMap(link => link.addresses)
    .filter(one => familyOf(one.address) === 4 && one.scope === 'global' && one.usable)
    .map(one => parseAddress(one.address))
    .sort(compareAddresses)
  if (lowest) return formatAddress(lowest)
  const hash = crc32(node)
  const bytes = [hash, hash >>> 8, hash >>> 16, hash >>> 24].map(byte => byte & 0xff)
  // 0.0.0.0 is no identifier (RFC 6286).
  return bytes.some(byte => byte !== 0) ? bytes.join('.') : '0.0.0.1'
}
