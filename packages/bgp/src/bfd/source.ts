import { CarillonError, type Datagrams, familyOf, type Network } from '@carillon/core'
import type { SessionKey } from './options.ts'

/** RFC 5881 section 4: the source port lies here, is the session's own, and stays the same while the session lasts. */
const FIRST_PORT = 49152
const PORTS = 65536 - FIRST_PORT
const TRIES = 64

/** All addresses of a family. */
export const everyAddress = (of: string): string => (familyOf(of) === 6 ? '::' : '0.0.0.0')

/** Opens the socket that a session sends from: TTL 255, a port of its own. Rejects with what the network says. */
export async function openSource(
  network: Network,
  { device, local, peer }: SessionKey,
  random: () => number,
): Promise<Datagrams> {
  const address = local ?? everyAddress(peer)
  for (let tries = 1; ; tries++) {
    const port = FIRST_PORT + Math.floor(random() * PORTS)
    try {
      return await network.datagrams({ address, port }, { ttl: 255, ...(device !== undefined && { device }) })
    } catch (error) {
      const taken = error instanceof CarillonError && error.code === 'EADDRINUSE'
      if (!taken || tries === TRIES) throw error
    }
  }
}
