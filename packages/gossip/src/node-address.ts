import { type Endpoint, formatAddress, parseAddress, unmap } from '@carillon/core'
import { Recall } from './wire/recall.ts'

/** Where a member is reached: the bytes of its address exactly as it says them, 4 or 16, and its port. */
export interface NodeAddress {
  readonly addr: Uint8Array
  readonly port: number
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

const texts = new Recall((bytes, from, to) => formatAddress(unmap(bytes.subarray(from, to))))

/** An address as text, in one form for each; empty for what is none. */
export const addressText = (addr: Uint8Array): string =>
  addr.length === 4 || addr.length === 16 ? texts.read(addr, 0, addr.length) : ''

/** For sending and showing; members themselves compare the bytes. */
export function endpointOf({ addr, port }: NodeAddress): Endpoint {
  return { address: addressText(addr), port }
}

/** The address of a socket's other end; its zone is of no use to others. */
export function addressOf({ address, port }: Endpoint): NodeAddress {
  return { addr: parseAddress(address.split('%')[0] as string), port }
}
