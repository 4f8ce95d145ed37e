/** A kind of object, by the names that the API server has for it. */
export interface ResourceType {
  /** Empty for the core group. */
  readonly group: string
  readonly version: string
  /** As in URLs and in RBAC rules: `services`. */
  readonly plural: string
  readonly kind: string
  /** Whether its objects live in namespaces. */
  readonly namespaced: boolean
}

const type = (
  group: string,
  version: string,
  plural: string,
  kind: string,
  namespaced = true,
): ResourceType => ({ group, version, plural, kind, namespaced })

/** Names under which `resourceTypes` has them. */
export type ResourceTypeName =
  | 'services'
  | 'endpointSlices'
  | 'nodes'
  | 'namespaces'
  | 'secrets'
  | 'pods'
  | 'events'
  | 'leases'
  | 'deployments'
  | 'ipAddressPools'
  | 'l2Advertisements'
  | 'bgpAdvertisements'
  | 'bgpPeers'
  | 'bfdProfiles'
  | 'communities'
  | 'serviceL2Statuses'
  | 'serviceBgpStatuses'
  | 'configurationStates'
  | 'bgpSessionStates'
  | 'validatingWebhookConfigurations'
  | 'customResourceDefinitions'
  | 'tokenReviews'
  | 'subjectAccessReviews'

/** The kinds that Carillon reads and writes. */
export const resourceTypes: { readonly [Name in ResourceTypeName]: ResourceType } = {
  services: type('', 'v1', 'services', 'Service'),
  endpointSlices: type('discovery.k8s.io', 'v1', 'endpointslices', 'EndpointSlice'),
  nodes: type('', 'v1', 'nodes', 'Node', false),
  namespaces: type('', 'v1', 'namespaces', 'Namespace', false),
  secrets: type('', 'v1', 'secrets', 'Secret'),
  pods: type('', 'v1', 'pods', 'Pod'),
  events: type('', 'v1', 'events', 'Event'),
  deployments: type('apps', 'v1', 'deployments', 'Deployment'),
  leases: type('coordination.k8s.io', 'v1', 'leases', 'Lease'),
  ipAddressPools: type('metallb.io', 'v1beta1', 'ipaddresspools', 'IPAddressPool'),
  l2Advertisements: type('metallb.io', 'v1beta1', 'l2advertisements', 'L2Advertisement'),
  bgpAdvertisements: type('metallb.io', 'v1beta1', 'bgpadvertisements', 'BGPAdvertisement'),
  bgpPeers: type('metallb.io', 'v1beta2', 'bgppeers', 'BGPPeer'),
  bfdProfiles: type('metallb.io', 'v1beta1', 'bfdprofiles', 'BFDProfile'),
  communities: type('metallb.io', 'v1beta1', 'communities', 'Community'),
  serviceL2Statuses: type('metallb.io', 'v1beta1', 'servicel2statuses', 'ServiceL2Status'),
  serviceBgpStatuses: type('metallb.io', 'v1beta1', 'servicebgpstatuses', 'ServiceBGPStatus'),
  configurationStates: type('metallb.io', 'v1beta1', 'configurationstates', 'ConfigurationState'),
  bgpSessionStates: type('carillon.io', 'v1alpha1', 'bgpsessionstates', 'BGPSessionState'),
  validatingWebhookConfigurations: type(
    'admissionregistration.k8s.io',
    'v1',
    'validatingwebhookconfigurations',
    'ValidatingWebhookConfiguration',
    false,
  ),
  customResourceDefinitions: type(
    'apiextensions.k8s.io',
    'v1',
    'customresourcedefinitions',
    'CustomResourceDefinition',
    false,
  ),
  tokenReviews: type('authentication.k8s.io', 'v1', 'tokenreviews', 'TokenReview', false),
  subjectAccessReviews: type(
    'authorization.k8s.io',
    'v1',
    'subjectaccessreviews',
    'SubjectAccessReview',
    false,
  ),
}

/** `v1`, `metallb.io/v1beta1` */
export const apiVersionOf = ({ group, version }: ResourceType): string =>
  group === '' ? version : `${group}/${version}`

/** As RBAC and error messages name it: `services`, `ipaddresspools.metallb.io`. */
export const resourceName = ({ group, plural }: ResourceType): string =>
  group === '' ? plural : `${plural}.${group}`
