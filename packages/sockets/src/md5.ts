import { CarillonError, type Md5Key } from '@carillon/core'
import { linux, littleEndian } from './linux.ts'
import { inetName, parseScoped, type Zones } from './sockaddr.ts'

const encoder = new TextEncoder()

/**
 * `struct tcp_md5sig`: sockaddr_storage (128), flags (1), prefix length (1), key length (2), interface (4), key (80).
 * `family` is the socket's; without a key the entry is removed. Throws `EINVAL` when the key is empty or longer than 80 bytes.
 */
export function md5Signature(family: 4 | 6, entry: Md5Key, remove: boolean, zones: Zones): Uint8Array {
  const key = encoder.encode(entry.key)
  if (key.length === 0 || key.length > 80) {
    throw new CarillonError(
      'EINVAL',
      `the TCP-MD5 key for ${entry.address} has ${key.length} bytes, 1 to 80 are possible`,
      {
        address: entry.address,
        length: key.length,
      },
    )
  }
  const out = new Uint8Array(216)
  const view = new DataView(out.buffer)
  out.set(inetName(family, parseScoped(entry.address, zones), 0))
  if (entry.prefixLength !== undefined) {
    out[128] = linux.TCP_MD5SIG_FLAG_PREFIX
    out[129] = entry.prefixLength
  }
  if (remove) return out
  view.setUint16(130, key.length, littleEndian)
  out.set(key, 136)
  return out
}

/** Which keys to set and which to remove to come from one set to another. */
export function md5Changes(
  before: readonly Md5Key[],
  after: readonly Md5Key[],
): { readonly remove: readonly Md5Key[]; readonly set: readonly Md5Key[] } {
  const place = (key: Md5Key): string => `${key.address}/${key.prefixLength ?? ''}`
  const old = new Map(before.map(key => [place(key), key]))
  const next = new Map(after.map(key => [place(key), key]))
  return {
    remove: before.filter(key => !next.has(place(key))),
    set: after.filter(key => old.get(place(key))?.key !== key.key),
  }
}
