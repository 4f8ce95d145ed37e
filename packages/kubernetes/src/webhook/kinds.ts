import type {
  BFDProfile,
  BGPAdvertisement,
  BGPPeer,
  Community,
  IPAddressPool,
  L2Advertisement,
} from '@carillon/core'

/** An object of those that make a configuration. */
export type ConfigResource =
  | IPAddressPool
  | L2Advertisement
  | BGPAdvertisement
  | BGPPeer
  | BFDProfile
  | Community

/** Kinds that make a configuration. */
export type ConfigKind = ConfigResource['kind']

/** The lists of a snapshot that hold them. */
export const configLists: {
  readonly IPAddressPool: 'pools'
  readonly L2Advertisement: 'l2Advertisements'
  readonly BGPAdvertisement: 'bgpAdvertisements'
  readonly BGPPeer: 'bgpPeers'
  readonly BFDProfile: 'bfdProfiles'
  readonly Community: 'communities'
} = {
  IPAddressPool: 'pools',
  L2Advertisement: 'l2Advertisements',
  BGPAdvertisement: 'bgpAdvertisements',
  BGPPeer: 'bgpPeers',
  BFDProfile: 'bfdProfiles',
  Community: 'communities',
}

/** Whether an object is of such a kind. */
export const isConfigResource = (resource: { readonly kind: string }): resource is ConfigResource =>
  Object.hasOwn(configLists, resource.kind)
