import type { ApiType } from '../kinds/api-type.ts'
import { admin, type Call } from '../registry/call.ts'
import type { Stored } from '../store/stored.ts'

/** A request by one of the controllers that belong to a cluster, about an object. */
export const controllerCall = (controller: string, type: ApiType, { object }: Stored): Call => ({
  type,
  namespace: object.metadata.namespace,
  name: object.metadata.name ?? '',
  subresource: '',
  user: { ...admin, name: `system:serviceaccount:kube-system:${controller}` },
  dryRun: false,
  manager: 'kube-controller-manager',
  validation: 'Ignore',
  warnings: [],
})
