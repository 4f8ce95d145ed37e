export { bgpPeerToV1beta1, bgpPeerToV1beta2, keptAnnotation } from './bgp-peer-conversion.ts'
export { formatDuration, tryParseDuration } from './duration.ts'
export type { Endpoint, EndpointConditions, EndpointSlice, TargetReference } from './endpoint-slice.ts'
export type { NamespacedMeta, ObjectMeta } from './metadata.ts'
export type { Namespace } from './namespace.ts'
export type { Node, NodeAddress, NodeCondition, Taint } from './node.ts'
export { type ParsedResource, parseResource, type Resource } from './parse.ts'
export { type Secret, secretText } from './secret.ts'
export type { Service, ServicePort, ServiceSpec } from './service.ts'
export type {
  BFDProfile,
  BFDProfileSpec,
  BGPAdvertisement,
  BGPAdvertisementSpec,
  BGPPeer,
  BGPPeerSpec,
  BGPPeerV1beta1,
  BGPPeerV1beta1Spec,
  BGPSessionState,
  BGPSessionStateStatus,
  Community,
  CommunitySpec,
  ConfigurationState,
  ConfigurationStateStatus,
  IPAddressPool,
  IPAddressPoolSpec,
  IPAddressPoolStatus,
  L2Advertisement,
  L2AdvertisementSpec,
  LabelSelector,
  LabelSelectorRequirement,
  ServiceBGPStatus,
  ServiceBGPStatusContent,
  ServiceL2Status,
  ServiceL2StatusContent,
} from './types.generated.ts'
