import { type Endpoint, formatAddress, parseAddress, unmap } from '@carillon/core'

/** Where a member is reached: the bytes of its address exactly as it says them, 4 or 16, and its port. */
export interface NodeAddress {
  readonly addr: Uint8Array
  readonly port: number
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** For sending and showing; members themselves compare the bytes. */
export function endpointOf({ addr, port }: NodeAddress): Endpoint {
  return { address: formatAddress(unmap(addr)), port }
}

/** The address of a socket's other end; its zone is of no use to others. */
export function addressOf({ address, port }: Endpoint): NodeAddress {
  return { addr: parseAddress(address.split('%')[0] as string), port }
}
