import { type AnnouncerFactory, type AnnouncerSettings, type Endpoint, matchesAny } from '@carillon/core'
import { late } from './late-announcer.ts'

/** How `carillon run` speaks BGP. */
export interface BgpRunOptions {
  /** Where peers may connect; absent: only where a BGPPeer is passive, on port 179 of every address. */
  readonly listen?: Endpoint
}

/** Whether this node has a BGP peer at all. */
export const hasPeer = ({ config, labels }: AnnouncerSettings): boolean =>
  config.peers.some(({ nodeSelectors }) => matchesAny(nodeSelectors, labels))

/** BGP, of which nothing is loaded or opened before this node has a peer. */
export function lateBgp({ listen }: BgpRunOptions = {}): AnnouncerFactory {
  return late({
    name: 'bgp',
    speakers: 'each',
    families: [4, 6],
    needed: hasPeer,
    async load() {
      const { bgp } = await import('@carillon/bgp')
      // BFD gets a network of its own, in a thread of its own.
      const bfdNetwork = { module: import.meta.resolve('@carillon/sockets') }
      return bgp({ bfdNetwork, ...(listen && { listen }) })
    },
  })
}
