import type { NewObject } from '@carillon/kubernetes/testing'

/** How many nodes the cluster has; one of them is real. */
export const nodeCount = 100

/** The node that runs a speaker. */
export const realNode = 'node-0'

const own = { namespace: 'metallb-system' }

/** What is there before there are Services. */
export function cluster(podAddress: string): readonly NewObject[] {
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: own.namespace } },
    ...Array.from({ length: nodeCount }, (_, i) => ({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: `node-${i}`, labels: { 'kubernetes.io/hostname': `node-${i}`, rack: `${i % 10}` } },
      status: { conditions: [{ type: 'Ready', status: 'True' }] },
    })),
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...own, name: `speaker-${realNode}`, labels: { component: 'speaker' } },
      spec: { containers: [{ name: 'speaker', image: 'carillon' }] },
      status: { phase: 'Running', podIP: podAddress },
    },
    {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'IPAddressPool',
      metadata: { ...own, name: 'lan' },
      spec: { addresses: ['10.77.64.0/18'] },
    },
    {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'IPAddressPool',
      metadata: { ...own, name: 'probes' },
      spec: { addresses: ['10.77.32.0/20'], autoAssign: false },
    },
    {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'L2Advertisement',
      metadata: { ...own, name: 'lan' },
      spec: { ipAddressPools: ['lan'] },
    },
    // Whatever is made while a watch is held on the segment is announced by the node that is there.
    {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'L2Advertisement',
      metadata: { ...own, name: 'probes' },
      spec: {
        ipAddressPools: ['probes'],
        nodeSelectors: [{ matchLabels: { 'kubernetes.io/hostname': realNode } }],
      },
    },
  ]
}

/** A Service as Helm charts make them, and its three endpoints on three nodes. */
export function service(name: string, number: number): readonly [service: NewObject, slice: NewObject] {
  const labels = { 'app.kubernetes.io/name': name, 'app.kubernetes.io/managed-by': 'Helm' }
  const ports = [
    { name: 'http', port: 80 },
    { name: 'https', port: 443 },
  ]
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: 'default', name, labels },
      spec: { type: 'LoadBalancer', selector: labels, ports },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        namespace: 'default',
        name: `${name}-slice`,
        labels: { ...labels, 'kubernetes.io/service-name': name },
      },
      addressType: 'IPv4',
      ports,
      endpoints: [0, 33, 66].map(step => ({
        addresses: [`10.244.${(number + step) % nodeCount}.${1 + (number % 250)}`],
        conditions: { ready: true, serving: true, terminating: false },
        nodeName: `node-${(number + step) % nodeCount}`,
      })),
    },
  ]
}
