import type { Problem } from '../config/problem.ts'
import type {
  BFDProfile,
  BGPAdvertisement,
  BGPPeer,
  Community,
  EndpointSlice,
  IPAddressPool,
  L2Advertisement,
  Namespace,
  Node,
  Secret,
  Service,
} from '../resources/index.ts'

/**
 * Everything that Carillon reads, at one moment. Immutable: what did not change keeps its identity from one snapshot to the
 * next (the arrays and each object in them), which is what makes the replay incremental.
 */
export interface Snapshot {
  readonly pools: readonly IPAddressPool[]
  readonly l2Advertisements: readonly L2Advertisement[]
  readonly bgpAdvertisements: readonly BGPAdvertisement[]
  readonly bgpPeers: readonly BGPPeer[]
  readonly bfdProfiles: readonly BFDProfile[]
  readonly communities: readonly Community[]
  readonly services: readonly Service[]
  readonly endpointSlices: readonly EndpointSlice[]
  readonly nodes: readonly Node[]
  readonly namespaces: readonly Namespace[]
  readonly secrets: readonly Secret[]
  /** Objects that could not be read at all (schema violations, the same object twice). */
  readonly problems: readonly Problem[]
  /** TCP-MD5 keys that are given beside the resources, by the name of the BGPPeer. */
  readonly passwords?: ReadonlyMap<string, string>
}

/** A snapshot without any object. */
export const emptySnapshot: Snapshot = {
  pools: [],
  l2Advertisements: [],
  bgpAdvertisements: [],
  bgpPeers: [],
  bfdProfiles: [],
  communities: [],
  services: [],
  endpointSlices: [],
  nodes: [],
  namespaces: [],
  secrets: [],
  problems: [],
}
