import type { Snapshot } from '@carillon/core'
import { type ResourceType, resourceTypes } from '../client/index.ts'

/** The lists of a snapshot that come from the API server. */
export type KindName = Exclude<keyof Snapshot, 'problems' | 'passwords'>

/** How one kind is followed. */
export interface WatchedKind {
  readonly type: ResourceType
  /** Followed in one's own namespace alone. */
  readonly own: boolean
  /**
   * What it means when the API server does not know the kind, or does not let us list it, and never has. `wait`: that there is no knowing, so
   * nothing may be announced. `none`: that there are none; whoever names one is refused, so nothing wrong comes of it.
   */
  readonly whenMissing: 'wait' | 'none'
  readonly whenForbidden: 'wait' | 'none'
}

const cluster = (type: ResourceType): WatchedKind => ({
  type,
  own: false,
  whenMissing: 'wait',
  whenForbidden: 'wait',
})

const own = (
  type: ResourceType,
  whenMissing: WatchedKind['whenMissing'],
  whenForbidden: WatchedKind['whenForbidden'],
): WatchedKind => ({ type, own: true, whenMissing, whenForbidden })

/**
 * Every kind that makes up a snapshot. Without its CRD a kind has no objects, for certain; pools are the exception, as no pools would mean
 * that every Service has to give its address back.
 */
export const watchedKinds: { readonly [Name in KindName]: WatchedKind } = {
  services: cluster(resourceTypes.services),
  endpointSlices: cluster(resourceTypes.endpointSlices),
  nodes: cluster(resourceTypes.nodes),
  namespaces: cluster(resourceTypes.namespaces),
  secrets: own(resourceTypes.secrets, 'wait', 'none'),
  pools: own(resourceTypes.ipAddressPools, 'wait', 'wait'),
  l2Advertisements: own(resourceTypes.l2Advertisements, 'none', 'wait'),
  bgpAdvertisements: own(resourceTypes.bgpAdvertisements, 'none', 'wait'),
  bgpPeers: own(resourceTypes.bgpPeers, 'none', 'wait'),
  bfdProfiles: own(resourceTypes.bfdProfiles, 'none', 'none'),
  communities: own(resourceTypes.communities, 'none', 'none'),
}
