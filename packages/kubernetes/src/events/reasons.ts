/** What events are about, as MetalLB words it: scripts and dashboards look for these. */
export const eventReasons = {
  ipAllocated: 'IPAllocated',
  clearAssignment: 'ClearAssignment',
  additionalAssignFailed: 'AdditionalAssignFailed',
  allocationFailed: 'AllocationFailed',
  loadBalancerFailed: 'LoadBalancerFailed',
  notEnoughClusterIPs: 'not enough clusterips',
  noClusterIPs: 'noclusterIPsIPFamily',
  deprecatedAnnotation: 'deprecatedAnnotation',
  nodeAssigned: 'nodeAssigned',
  announceFailed: 'announceFailed',
} as const
