export { formatDuration, tryParseDuration } from './duration.ts'
export type { Endpoint, EndpointConditions, EndpointSlice } from './endpoint-slice.ts'
export type { NamespacedMeta, ObjectMeta } from './metadata.ts'
export type { Namespace } from './namespace.ts'
export type { Node, NodeAddress, NodeCondition, Taint } from './node.ts'
export type { Secret } from './secret.ts'
export type { Service, ServicePort } from './service.ts'
export type {
  BFDProfile,
  BGPAdvertisement,
  BGPPeer,
  BGPPeerV1beta1,
  Community,
  ConfigurationState,
  IPAddressPool,
  L2Advertisement,
  LabelSelector,
  LabelSelectorRequirement,
  ServiceBGPStatus,
  ServiceL2Status,
} from './types.ts'
