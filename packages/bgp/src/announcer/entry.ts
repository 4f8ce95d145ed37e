import { type Advertisement, type AnnouncementStatus, CarillonError, type PeerRoute } from '@carillon/core'
import { type PathAttributesPool, readPrefix } from '../rib/index.ts'

/** What was made of one advertisement. */
export interface Entry {
  /** As it was given. */
  readonly address: string
  /** Whom to tell; none where it is refused. */
  readonly peers: readonly PeerRoute[]
  readonly refusal?: CarillonError
  /** As last told; absent until then. */
  status?: AnnouncementStatus
}

const isText = (value: unknown): value is string => typeof value === 'string'

function isPeerRoute(value: unknown): value is PeerRoute {
  if (typeof value !== 'object' || value === null) return false
  const { peer, localPref, communities } = value as Partial<Record<keyof PeerRoute, unknown>>
  const pref =
    Number.isInteger(localPref) && (localPref as number) >= 0 && (localPref as number) <= 0xffffffff
  return isText(peer) && pref && Array.isArray(communities) && communities.every(isText)
}

/** Reads an advertisement; what is wrong with it is in `refusal`. */
export function readEntry({ address, options }: Advertisement, pool: PathAttributesPool): Entry {
  const refuse = (refusal: CarillonError): Entry => ({ address, peers: [], refusal })
  try {
    readPrefix(address)
    const { peers } = options
    if (!Array.isArray(peers) || peers.length === 0 || !peers.every(isPeerRoute)) {
      const message = `${address} cannot be announced by bgp: options.peers must be a list of peers with localPref and communities`
      return refuse(new CarillonError('BAD_OPTIONS', message, { address }))
    }
    for (const { localPref, communities } of peers) pool.of(localPref, communities)
    return { address, peers }
  } catch (error) {
    if (error instanceof CarillonError) return refuse(error)
    throw error
  }
}
