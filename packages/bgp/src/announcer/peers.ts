import { type AnnouncerSettings, type Config, matchesAny, type Peer } from '@carillon/core'
import type { BgpPeer } from '../speaker/peer.ts'

/** A BGPPeer as the speaker knows it. */
export function bgpPeer(peer: Peer, profiles: Config['bfdProfiles']): BgpPeer {
  const { nodeSelectors: _, bfdProfile, ...rest } = peer
  const bfd = bfdProfile === undefined ? undefined : profiles.get(bfdProfile)
  return { ...rest, ...(bfd && { bfd }) }
}

/** The peers that this node speaks with. */
export function peersOf({ config, labels }: AnnouncerSettings): readonly BgpPeer[] {
  return config.peers
    .filter(peer => matchesAny(peer.nodeSelectors, labels))
    .map(peer => bgpPeer(peer, config.bfdProfiles))
}
