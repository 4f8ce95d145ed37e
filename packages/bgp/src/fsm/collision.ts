import { compareAddresses, parseAddress } from '@carillon/core'

/** One of the two ends of a session. */
export interface Speaker {
  /** BGP identifier. */
  readonly routerId: string
  readonly as: number
}

/**
 * Which of two connections between the same speakers stays: the one that the speaker with the higher BGP identifier has made
 * (RFC 4271 section 6.8), or where they are the same, that of the higher AS (RFC 6286 section 2.3).
 */
export function survivor(us: Speaker, peer: Speaker): 'ours' | 'theirs' {
  const order = compareAddresses(parseAddress(us.routerId), parseAddress(peer.routerId))
  return (order || us.as - peer.as) > 0 ? 'ours' : 'theirs'
}
