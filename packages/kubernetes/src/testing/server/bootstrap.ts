import type { ApiType } from '../kinds/api-type.ts'
import { admin } from '../registry/call.ts'
import { create } from '../registry/create.ts'
import type { Machinery } from '../registry/machinery.ts'

const namespaces = ['default', 'kube-node-lease', 'kube-public', 'kube-system']

/** What every cluster has from the start. */
export async function bootstrap(machinery: Machinery, port: number): Promise<void> {
  const make = async (
    group: string,
    plural: string,
    namespace: string | undefined,
    object: object,
  ): Promise<void> => {
    const type = machinery.types.find(group, 'v1', plural) as ApiType
    const call = { type, namespace, name: '', subresource: '', user: admin, dryRun: false } as const
    await create(
      machinery,
      { ...call, manager: 'kube-apiserver', validation: 'Strict', warnings: [] },
      object,
    )
  }
  for (const name of namespaces) await make('', 'namespaces', undefined, { metadata: { name } })
  const labels = { component: 'apiserver', provider: 'kubernetes' }
  const https = { name: 'https', protocol: 'TCP', port: 443, targetPort: port }
  await make('', 'services', 'default', {
    metadata: { name: 'kubernetes', labels },
    spec: { type: 'ClusterIP', ports: [https] },
  })
  await make('discovery.k8s.io', 'endpointslices', 'default', {
    metadata: { name: 'kubernetes', labels: { 'kubernetes.io/service-name': 'kubernetes' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
    ports: [{ name: 'https', protocol: 'TCP', port }],
  })
}
