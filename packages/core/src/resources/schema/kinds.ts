import type * as z from 'zod'
import { bfdProfileSpec } from './bfd-profile.ts'
import { bgpAdvertisementSpec } from './bgp-advertisement.ts'
import { bgpPeerSpec, bgpPeerV1beta1Spec } from './bgp-peer.ts'
import { communitySpec } from './community.ts'
import { ipAddressPoolSpec, ipAddressPoolStatus } from './ip-address-pool.ts'
import { l2AdvertisementSpec } from './l2-advertisement.ts'
import { bgpSessionStatus, configurationStatus, serviceBgpStatus, serviceL2Status } from './status.ts'

/** A column of `kubectl get`. */
export interface Column {
  readonly name: string
  readonly type: 'string' | 'boolean' | 'integer' | 'date'
  readonly jsonPath: string
  readonly priority?: number
}

/** One version of a kind. Without a schema, `spec` or `status` is an empty object, or absent where `noSpec` says so. */
export interface KindVersion {
  readonly name: string
  readonly spec?: z.ZodType
  readonly noSpec?: boolean
  readonly specRequired?: boolean
  readonly status?: z.ZodType
  readonly deprecationWarning?: string
}

/** A kind, with all that its CRD needs. The last version is the stored one. */
export interface KindDefinition {
  /** `metallb.io`, or `carillon.io` for what MetalLB does not have. */
  readonly group: 'metallb.io' | 'carillon.io'
  readonly kind: string
  readonly plural: string
  readonly description: string
  readonly columns: readonly Column[]
  readonly versions: readonly KindVersion[]
  /** Path at which the webhook converts between versions. */
  readonly conversionPath?: string
}

const column = (
  name: string,
  jsonPath: string,
  type: Column['type'] = 'string',
  priority?: number,
): Column => ({
  name,
  type,
  jsonPath,
  ...(priority === undefined ? {} : { priority }),
})

/** Every kind of MetalLB that Carillon serves, and those of its own. */
export const kinds: readonly KindDefinition[] = [
  {
    group: 'metallb.io',
    kind: 'IPAddressPool',
    plural: 'ipaddresspools',
    description: 'Addresses that may be given to Services of type LoadBalancer.',
    columns: [
      column('Auto Assign', '.spec.autoAssign', 'boolean'),
      column('Avoid Buggy IPs', '.spec.avoidBuggyIPs', 'boolean'),
      column('Addresses', '.spec.addresses'),
    ],
    versions: [{ name: 'v1beta1', spec: ipAddressPoolSpec, specRequired: true, status: ipAddressPoolStatus }],
  },
  {
    group: 'metallb.io',
    kind: 'L2Advertisement',
    plural: 'l2advertisements',
    description: 'Announces the addresses of pools on the local segment, with ARP and NDP.',
    columns: [
      column('IPAddressPools', '.spec.ipAddressPools'),
      column('IPAddressPool Selectors', '.spec.ipAddressPoolSelectors'),
      column('Interfaces', '.spec.interfaces'),
      column('Node Selectors', '.spec.nodeSelectors', 'string', 10),
    ],
    versions: [{ name: 'v1beta1', spec: l2AdvertisementSpec }],
  },
  {
    group: 'metallb.io',
    kind: 'BGPAdvertisement',
    plural: 'bgpadvertisements',
    description: 'Announces the addresses of pools to BGP peers.',
    columns: [
      column('IPAddressPools', '.spec.ipAddressPools'),
      column('IPAddressPool Selectors', '.spec.ipAddressPoolSelectors'),
      column('Peers', '.spec.peers'),
      column('Node Selectors', '.spec.nodeSelectors', 'string', 10),
    ],
    versions: [{ name: 'v1beta1', spec: bgpAdvertisementSpec }],
  },
  {
    group: 'metallb.io',
    kind: 'BGPPeer',
    plural: 'bgppeers',
    description: 'A router that nodes open a BGP session with.',
    columns: [
      column('Address', '.spec.peerAddress'),
      column('ASN', '.spec.peerASN'),
      column('BFD Profile', '.spec.bfdProfile'),
      column('Multi Hops', '.spec.ebgpMultiHop'),
    ],
    versions: [
      {
        name: 'v1beta1',
        spec: bgpPeerV1beta1Spec,
        deprecationWarning: 'metallb.io/v1beta1 BGPPeer is deprecated; use metallb.io/v1beta2 BGPPeer',
      },
      { name: 'v1beta2', spec: bgpPeerSpec },
    ],
    conversionPath: '/convert',
  },
  {
    group: 'metallb.io',
    kind: 'BFDProfile',
    plural: 'bfdprofiles',
    description: 'Timers with which BFD watches the BGP sessions that name the profile.',
    columns: [
      column('Passive Mode', '.spec.passiveMode', 'boolean'),
      column('Transmit Interval', '.spec.transmitInterval', 'integer'),
      column('Receive Interval', '.spec.receiveInterval', 'integer'),
      column('Multiplier', '.spec.detectMultiplier', 'integer'),
    ],
    versions: [{ name: 'v1beta1', spec: bfdProfileSpec }],
  },
  {
    group: 'metallb.io',
    kind: 'Community',
    plural: 'communities',
    description: 'Names for BGP communities.',
    columns: [],
    versions: [{ name: 'v1beta1', spec: communitySpec }],
  },
  {
    group: 'metallb.io',
    kind: 'ServiceL2Status',
    plural: 'servicel2statuses',
    description: 'Says which node announces a Service on the local segment. Speakers write it.',
    columns: [
      column('Allocated Node', '.status.node'),
      column('Service Name', '.status.serviceName'),
      column('Service Namespace', '.status.serviceNamespace'),
    ],
    versions: [{ name: 'v1beta1', status: serviceL2Status }],
  },
  {
    group: 'metallb.io',
    kind: 'ServiceBGPStatus',
    plural: 'servicebgpstatuses',
    description: 'Says to which BGP peers a node announces a Service. Speakers write it.',
    columns: [
      column('Node', '.status.node'),
      column('Service Name', '.status.serviceName'),
      column('Service Namespace', '.status.serviceNamespace'),
    ],
    versions: [{ name: 'v1beta1', status: serviceBgpStatus }],
  },
  {
    group: 'metallb.io',
    kind: 'ConfigurationState',
    plural: 'configurationstates',
    description: 'Says whether the configuration is in force. The controller and every speaker write one.',
    columns: [
      column('Result', '.status.result'),
      column('ErrorSummary', '.status.errorSummary'),
      column('Age', '.metadata.creationTimestamp', 'date'),
    ],
    versions: [{ name: 'v1beta1', noSpec: true, status: configurationStatus }],
  },
  {
    group: 'carillon.io',
    kind: 'BGPSessionState',
    plural: 'bgpsessionstates',
    description: 'Says how the BGP session of a node with a BGPPeer stands. Speakers write it.',
    columns: [
      column('Node', '.status.node'),
      column('Peer', '.status.peer'),
      column('State', '.status.bgpStatus'),
      column('BFD', '.status.bfdStatus'),
      column('Since', '.status.since', 'date'),
      column('Address', '.status.peerAddress', 'string', 1),
      column('Reason', '.status.reason', 'string', 1),
    ],
    versions: [{ name: 'v1alpha1', noSpec: true, status: bgpSessionStatus }],
  },
]
