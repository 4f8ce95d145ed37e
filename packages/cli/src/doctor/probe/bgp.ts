import { knock } from '@carillon/bgp'
import { type Clock, formatEndpoint, type Network, type Peer, type SessionDocument } from '@carillon/core'
import { checkPeer, checkSession, skippedPeer } from '../bgp.ts'
import type { Finding } from '../finding.ts'

export interface BgpProbe {
  readonly network: Network
  readonly clock: Clock
  /** BGPPeers of the manifests that select this node. */
  readonly peers: readonly Peer[]
  /** Sessions of the running speaker. */
  readonly sessions: readonly SessionDocument[]
}

/** Looks at each peer: by the session that the running speaker has with it, else by knocking. */
export async function probeBgp({ network, clock, peers, sessions }: BgpProbe): Promise<readonly Finding[]> {
  const known = new Map(sessions.map(session => [session.peer, session]))
  const findings = peers.map(async (peer): Promise<Finding> => {
    const session = known.get(peer.name)
    known.delete(peer.name)
    const told = session && checkSession(session)
    return told ?? (await ask(peer, network, clock))
  })
  const asked = await Promise.all(findings)
  // Of peers that are in no manifest only the address is known, and whether it wants a password is not.
  const rest = [...known.values()].map(async (session): Promise<Finding> => {
    const told = checkSession(session)
    if (told) return told
    const { peer, address, port = 179, interface: device, vrf, lastError } = session
    if (address === undefined) return skippedPeer(peer, 'the peer on its interface is not known yet')
    const outgoing = vrf ?? device
    const result = await knock({
      network,
      clock,
      to: { address, port },
      ...(outgoing === undefined ? {} : { device: outgoing }),
    })
    const finding = checkPeer({
      peer,
      at: formatEndpoint({ address, port }),
      as: undefined,
      ttl: undefined,
      signed: false,
      knock: result,
    })
    const why = lastError ? `; the running speaker says: ${lastError.message}` : ''
    return { ...finding, message: `${finding.message}${why}` }
  })
  return [...asked, ...(await Promise.all(rest))]
}

async function ask(peer: Peer, network: Network, clock: Clock): Promise<Finding> {
  const { name, peerAddress: address, peerPort: port, password } = peer
  if (peer.passive) return skippedPeer(name, 'it is to connect to this node (carillon.io/bgp-passive)')
  if (address === undefined)
    return skippedPeer(name, 'a peer on an interface is found by a running speaker only')
  const internal = peer.dynamicAsn === 'internal' || peer.peerAsn === peer.myAsn
  const ttl = peer.ttlSecurity !== undefined || internal || peer.ebgpMultiHop ? 255 : 1
  const device = peer.vrf ?? peer.interface
  const result = await knock({
    network,
    clock,
    to: { address, port },
    ttl,
    ...(password === undefined ? {} : { password }),
    ...(device === undefined ? {} : { device }),
    ...(peer.sourceAddress === undefined ? {} : { from: { address: peer.sourceAddress } }),
  })
  return checkPeer({
    peer: name,
    at: formatEndpoint({ address, port }),
    as: peer.peerAsn,
    ttl,
    signed: password !== undefined,
    knock: result,
  })
}
