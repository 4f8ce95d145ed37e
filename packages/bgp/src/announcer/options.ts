import { CarillonError, canonicalAddress } from '@carillon/core'
import type { NetworkModule } from '../bfd/index.ts'
import type { ListenOptions } from '../speaker/bgp-speaker.ts'

/** How a `bgp` announcer behaves. */
export interface BgpOptions {
  /**
   * Let peers connect to us. Only configured ones may.
   * @default only when a BGPPeer has the annotation `carillon.io/bgp-passive`
   */
  readonly listen?: ListenOptions
  /**
   * BGP identifier for peers that have no `routerID`.
   * @default this node's IPv4 address on the session, else its lowest one, else made of its name
   */
  readonly routerId?: string
  /**
   * A module that gives a network (`@carillon/sockets` does): BFD then runs in a thread of its own, and no busy moment of this one
   * loses a session.
   * @default BFD runs in this thread
   */
  readonly bfdNetwork?: NetworkModule
}

const bad = (field: string, value: unknown, wanted: string): CarillonError =>
  new CarillonError('BAD_OPTIONS', `${field} is ${JSON.stringify(value)}: give ${wanted}`, { field })

/** Checks the options. Throws `BAD_OPTIONS` that names the field. */
export function checkOptions({ listen, routerId }: BgpOptions): void {
  const { port, address } = listen ?? {}
  if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 65535))
    throw bad('listen.port', port, 'a TCP port')
  if (address !== undefined && canonicalAddress(address) === undefined)
    throw bad('listen.address', address, 'an IP address')
  if (routerId === undefined) return
  const canonical = canonicalAddress(routerId)
  if (canonical === undefined || canonical.includes(':') || canonical === '0.0.0.0')
    throw bad('routerId', routerId, 'an IPv4 address other than 0.0.0.0')
}
