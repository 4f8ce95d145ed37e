import type { BgpAd, Peer, Pool } from './config.ts'

/**
 * True when two advertisements give different local preferences to the same route: they differ in `localPref`, they make
 * the same prefix of some address of the pool, and they share a peer and a node. Whether they share a Service is the
 * caller's to know.
 */
export function localPrefConflict(
  a: Pick<BgpAd, 'localPref' | 'aggregationLength' | 'aggregationLengthV6' | 'peers'>,
  b: Pick<BgpAd, 'localPref' | 'aggregationLength' | 'aggregationLengthV6' | 'peers'>,
  pool: Pick<Pool, 'ranges'>,
  nodesDisjoint: boolean,
): boolean {
  if (a.localPref === b.localPref || nodesDisjoint) return false
  if (a.peers.length > 0 && b.peers.length > 0 && !a.peers.some(peer => b.peers.includes(peer))) return false
  return pool.ranges.some(({ family }) =>
    family === 4
      ? a.aggregationLength === b.aggregationLength
      : a.aggregationLengthV6 === b.aggregationLengthV6,
  )
}

/**
 * Peers with equal keys cannot both be served by one node. A router tells its neighbours apart by the address they come
 * from, so two sessions to one address and port from one source address collide (RFC 4271 section 6.8) and keep closing
 * each other, whatever AS numbers they use. A different port, VRF or source address makes them two.
 */
export function sessionKey(
  peer: Pick<Peer, 'peerAddress' | 'interface' | 'vrf' | 'peerPort' | 'sourceAddress'>,
): string {
  const { peerAddress, interface: device, vrf, peerPort, sourceAddress } = peer
  return JSON.stringify([peerAddress ?? '', device ?? '', vrf ?? '', peerPort, sourceAddress ?? ''])
}
