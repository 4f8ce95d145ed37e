import { clone } from '../api/clone.ts'
import type { ApiType } from '../kinds/api-type.ts'
import { admin } from '../registry/call.ts'
import { create } from '../registry/create.ts'
import type { Machinery } from '../registry/machinery.ts'

const namespaces = ['default', 'kube-node-lease', 'kube-public', 'kube-system']

const rbac = 'rbac.authorization.k8s.io'

/** Roles that every cluster has, by who has them. */
const roles = [
  {
    name: 'cluster-admin',
    group: 'system:masters',
    rules: [
      { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
      { nonResourceURLs: ['*'], verbs: ['*'] },
    ],
  },
  {
    name: 'system:discovery',
    group: 'system:authenticated',
    rules: [
      {
        nonResourceURLs: [
          '/api',
          '/api/*',
          '/apis',
          '/apis/*',
          '/openapi',
          '/openapi/*',
          '/version',
          '/version/',
        ],
        verbs: ['get'],
      },
    ],
  },
  {
    name: 'system:basic-user',
    group: 'system:authenticated',
    rules: [
      {
        apiGroups: ['authorization.k8s.io'],
        resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
        verbs: ['create'],
      },
      { apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'], verbs: ['create'] },
    ],
  },
]

/** What every cluster has from the start; `withRoles` where roles decide. */
export async function bootstrap(machinery: Machinery, port: number, withRoles: boolean): Promise<void> {
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
  if (!withRoles) return
  for (const { name, group, rules } of roles) {
    await make(rbac, 'clusterroles', undefined, { metadata: { name }, rules: clone(rules) })
    await make(rbac, 'clusterrolebindings', undefined, {
      metadata: { name },
      roleRef: { kind: 'ClusterRole', name },
      subjects: [{ kind: 'Group', name: group }],
    })
  }
}
