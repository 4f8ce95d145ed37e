import type { AnnouncerContext } from '@carillon/core'
import { type BgpAnnouncer, BgpPeersAnnouncer } from './announcer.ts'
import { type BgpOptions, checkOptions } from './options.ts'

/**
 * Announces prefixes to the BGPPeers of the configuration: `options.peers` of each advertisement says whom to tell, and how
 * (`PeerRoute`). Throws `BAD_OPTIONS`.
 */
export function bgp(options: BgpOptions = {}): (context: AnnouncerContext) => BgpAnnouncer {
  checkOptions(options)
  return context => new BgpPeersAnnouncer(options, context)
}
