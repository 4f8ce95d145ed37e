import { type Endpoint, formatAddress, parseAddress, unmap } from '@carillon/core'
import { linux, littleEndian } from './linux.ts'

/** How interface names become indexes and back; the kernel's, or a table in tests. */
export interface Zones {
  interfaceIndex(name: string): number
  interfaceName(index: number): string
}

/** An address as the kernel wants it: 4 or 16 bytes, and the interface of a link-local one (0: none). */
export interface ScopedAddress {
  readonly bytes: Uint8Array
  readonly scope: number
}

/** Reads `10.0.0.1`, `2001:db8::1`, `fe80::1%eth0`, `fe80::1%3`. Throws `BAD_ADDRESS`; an unknown zone is scope 0. */
export function parseScoped(text: string, zones: Zones): ScopedAddress {
  const percent = text.indexOf('%')
  if (percent < 0) return { bytes: parseAddress(text), scope: 0 }
  const zone = text.slice(percent + 1)
  const scope = /^\d+$/.test(zone) ? Number(zone) : zones.interfaceIndex(zone)
  return { bytes: parseAddress(text.slice(0, percent)), scope }
}

/** fe80::/10, or a multicast address whose scope is one link (ff02) or one interface (ff01). */
export function isLinkLocal(bytes: Uint8Array): boolean {
  if (bytes.length !== 16) return false
  const [first, second] = bytes as unknown as readonly [number, number]
  if (first === 0xfe) return (second & 0xc0) === 0x80
  return first === 0xff && ((second & 0xf) === 1 || (second & 0xf) === 2)
}

/** ::ffff:a.b.c.d, as an IPv6 socket speaks of an IPv4 address. */
export function mapped(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 16) return bytes
  const out = new Uint8Array(16)
  out.fill(0xff, 10, 12)
  out.set(bytes, 12)
  return out
}

/** `struct sockaddr_in` or `struct sockaddr_in6`, by the family of the socket: 4 or 6. */
export function inetName(family: 4 | 6, address: ScopedAddress, port: number): Uint8Array {
  const out = new Uint8Array(family === 4 ? 16 : 28)
  const view = new DataView(out.buffer)
  view.setUint16(0, family === 4 ? linux.AF_INET : linux.AF_INET6, littleEndian)
  view.setUint16(2, port)
  if (family === 4) out.set(address.bytes, 4)
  else {
    out.set(mapped(address.bytes), 8)
    view.setUint32(24, address.scope, littleEndian)
  }
  return out
}

/** Reads what `inetName` writes. IPv4-mapped addresses come back as IPv4; a scope becomes `%name`. */
export function readInetName(name: Uint8Array, zones: Zones): Endpoint {
  const view = new DataView(name.buffer, name.byteOffset, name.byteLength)
  const port = view.getUint16(2)
  if (view.getUint16(0, littleEndian) === linux.AF_INET) {
    return { address: formatAddress(name.subarray(4, 8)), port }
  }
  const bytes = name.subarray(8, 24)
  const address = formatAddress(unmap(bytes))
  const scope = view.getUint32(24, littleEndian)
  if (scope === 0 || !isLinkLocal(bytes)) return { address, port }
  return { address: `${address}%${zones.interfaceName(scope) || scope}`, port }
}

/** `struct sockaddr_ll`: frames of one EtherType on one interface. */
export function packetName(link: number, etherType: number): Uint8Array {
  const out = new Uint8Array(20)
  const view = new DataView(out.buffer)
  view.setUint16(0, linux.AF_PACKET, littleEndian)
  view.setUint16(2, etherType)
  view.setInt32(4, link, littleEndian)
  return out
}

/** `struct sockaddr_nl` of the kernel or of ourselves, in these multicast groups. */
export function netlinkName(groups: number): Uint8Array {
  const out = new Uint8Array(12)
  const view = new DataView(out.buffer)
  view.setUint16(0, linux.AF_NETLINK, littleEndian)
  view.setUint32(8, groups, littleEndian)
  return out
}
