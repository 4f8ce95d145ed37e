import { type AddressBytes, type Link, maskAddress, parseAddress } from '@carillon/core'
import type { SessionKey } from '../options.ts'
import { sameBytes } from './same-bytes.ts'

/** The interface that a peer is on, and the address that we have there. */
export interface Place {
  readonly link: Link
  readonly local: AddressBytes
}

/** The Ethernet interface whose network the peer is on; undefined where there is none. */
export function placeOf(links: readonly Link[], key: SessionKey): Place | undefined {
  const peer = parseAddress(key.peer)
  const device = links.find(({ name }) => name === key.device)
  if (key.device !== undefined && device === undefined) return undefined
  for (const link of links) {
    if (link.mac.length !== 6 || !link.up) continue
    // The device is the interface itself, or the VRF that it belongs to.
    if (device && link !== device && link.master !== device.index) continue
    for (const { address, prefixLength } of link.addresses) {
      const local = parseAddress(address)
      if (local.length !== peer.length || (key.local !== undefined && key.local !== address)) continue
      if (sameBytes(maskAddress(local, prefixLength), maskAddress(peer, prefixLength))) return { link, local }
    }
  }
  return undefined
}
