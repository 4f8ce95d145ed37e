import type * as z from 'zod'
import type { bfdProfileSpec } from './bfd-profile.ts'
import type { bgpAdvertisementSpec } from './bgp-advertisement.ts'
import type { bgpPeerSpec, bgpPeerV1beta1Spec } from './bgp-peer.ts'
import type { communitySpec } from './community.ts'
import type { ipAddressPoolSpec, ipAddressPoolStatus } from './ip-address-pool.ts'
import type { l2AdvertisementSpec } from './l2-advertisement.ts'
import type { labelSelector, labelSelectorRequirement } from './label-selector.ts'
import type { ObjectMeta } from './metadata.ts'
import type { configurationStatus, serviceBgpStatus, serviceL2Status } from './status.ts'

type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Frozen<T[Key]> }
    : T

export type LabelSelector = Frozen<z.output<typeof labelSelector>>
export type LabelSelectorRequirement = Frozen<z.output<typeof labelSelectorRequirement>>

interface Object<Version, Kind> {
  readonly apiVersion: Version
  readonly kind: Kind
  readonly metadata: ObjectMeta
}

export interface IPAddressPool extends Object<'metallb.io/v1beta1', 'IPAddressPool'> {
  readonly spec: Frozen<z.output<typeof ipAddressPoolSpec>>
  readonly status?: Frozen<z.output<typeof ipAddressPoolStatus>>
}

export interface L2Advertisement extends Object<'metallb.io/v1beta1', 'L2Advertisement'> {
  readonly spec: Frozen<z.output<typeof l2AdvertisementSpec>>
}

export interface BGPAdvertisement extends Object<'metallb.io/v1beta1', 'BGPAdvertisement'> {
  readonly spec: Frozen<z.output<typeof bgpAdvertisementSpec>>
}

export interface BGPPeer extends Object<'metallb.io/v1beta2', 'BGPPeer'> {
  readonly spec: Frozen<z.output<typeof bgpPeerSpec>>
}

export interface BGPPeerV1beta1 extends Object<'metallb.io/v1beta1', 'BGPPeer'> {
  readonly spec: Frozen<z.output<typeof bgpPeerV1beta1Spec>>
}

export interface BFDProfile extends Object<'metallb.io/v1beta1', 'BFDProfile'> {
  readonly spec: Frozen<z.output<typeof bfdProfileSpec>>
}

export interface Community extends Object<'metallb.io/v1beta1', 'Community'> {
  readonly spec: Frozen<z.output<typeof communitySpec>>
}

export interface ServiceL2Status extends Object<'metallb.io/v1beta1', 'ServiceL2Status'> {
  readonly status?: Frozen<z.output<typeof serviceL2Status>>
}

export interface ServiceBGPStatus extends Object<'metallb.io/v1beta1', 'ServiceBGPStatus'> {
  readonly status?: Frozen<z.output<typeof serviceBgpStatus>>
}

export interface ConfigurationState extends Object<'metallb.io/v1beta1', 'ConfigurationState'> {
  readonly status?: Frozen<z.output<typeof configurationStatus>>
}
