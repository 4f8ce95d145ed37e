import { fieldsOf, type KubeObject } from '../../api/object.ts'
import type { User } from '../../registry/call.ts'
import type { Column } from '../column.ts'
import { plainStrategy, type Strategy } from '../strategy.ts'
import { daemonSetStrategy, deploymentStrategy, replicaSetStrategy, statefulSetStrategy } from './apps.ts'
import { nodeColumns } from './columns/node-columns.ts'
import {
  bindingColumns,
  configMapColumns,
  createdColumns,
  disruptionColumns,
  eventColumns,
  leaseColumns,
  namespaceColumns,
  networkPolicyColumns,
  priorityClassColumns,
  secretColumns,
  webhookColumns,
} from './columns/other-columns.ts'
import { endpointSliceColumns, endpointsColumns } from './columns/service-columns.ts'
import {
  daemonSetColumns,
  deploymentColumns,
  podColumns,
  replicaSetColumns,
  statefulSetColumns,
} from './columns/workload-columns.ts'
import {
  configMapStrategy,
  endpointsStrategy,
  namespaceStrategy,
  nodeStrategy,
  podStrategy,
  secretStrategy,
  serviceAccountStrategy,
} from './core.ts'
import { coreEventDefaults, validateEvent } from './events.ts'
import {
  disruptionStrategy,
  endpointSliceStrategy,
  leaseStrategy,
  networkPolicyStrategy,
  roleBindingStrategy,
  roleStrategy,
  webhookStrategy,
} from './others.ts'

/** One of Kubernetes' own resources. */
export interface Row {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly model: string
  readonly strategy: Strategy
  readonly cluster?: boolean
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
  readonly subresources?: readonly string[]
  readonly fields?: Readonly<Record<string, (object: KubeObject) => string>>
  /** What tables show; name and age where nothing else is said. */
  readonly columns?: readonly Column[]
  /** Set where objects are questions that are answered and not kept. */
  readonly answer?: (object: KubeObject, user: User) => KubeObject
  /** The resource in which the objects are kept, if not this one. */
  readonly storedIn?: string
}

/** A field by its path, as text. */
const at = (path: string): [string, (object: KubeObject) => string] => [
  path,
  object => String(path.split('.').reduce<unknown>((value, key) => fieldsOf(value)[key], object) ?? ''),
]

const select = (...paths: readonly string[]) => Object.fromEntries(paths.map(at))

const core = (kind: string, plural: string, strategy: Strategy, more: Partial<Row> = {}): Row => ({
  group: '',
  version: 'v1',
  kind,
  plural,
  model: `V1${kind}`,
  strategy,
  ...more,
})

const named = (
  group: string,
  kind: string,
  plural: string,
  strategy: Strategy,
  more: Partial<Row> = {},
): Row => ({
  ...core(kind, plural, strategy),
  group,
  ...more,
})

const status = ['status']
const scalable = ['status', 'scale'] as const
const all = ['all']
const eventStrategy: Strategy = { ...plainStrategy, createOnUpdate: true, validate: validateEvent }

/** Kubernetes' own resources that are served; Services need a cluster's addresses and so are not among them. */
export const rows: readonly Row[] = [
  core('Namespace', 'namespaces', namespaceStrategy, {
    columns: namespaceColumns,
    cluster: true,
    shortNames: ['ns'],
    subresources: ['status', 'finalize'],
    fields: select('status.phase'),
  }),
  core('Node', 'nodes', nodeStrategy, {
    columns: nodeColumns,
    cluster: true,
    shortNames: ['no'],
    subresources: status,
    fields: select('spec.unschedulable'),
  }),
  core('Pod', 'pods', podStrategy, {
    columns: podColumns,
    shortNames: ['po'],
    categories: all,
    subresources: status,
    fields: select(
      'spec.nodeName',
      'spec.restartPolicy',
      'spec.serviceAccountName',
      'status.phase',
      'status.podIP',
    ),
  }),
  core('ConfigMap', 'configmaps', configMapStrategy, { columns: configMapColumns, shortNames: ['cm'] }),
  core('Secret', 'secrets', secretStrategy, { columns: secretColumns, fields: select('type') }),
  core('Endpoints', 'endpoints', endpointsStrategy, { columns: endpointsColumns, shortNames: ['ep'] }),
  core('ServiceAccount', 'serviceaccounts', serviceAccountStrategy, { shortNames: ['sa'] }),
  core('LimitRange', 'limitranges', plainStrategy, { shortNames: ['limits'] }),
  core('ResourceQuota', 'resourcequotas', plainStrategy, { shortNames: ['quota'], subresources: status }),
  core(
    'Event',
    'events',
    { ...eventStrategy, defaults: coreEventDefaults },
    {
      model: 'CoreV1Event',
      columns: eventColumns,
      shortNames: ['ev'],
      fields: select(
        'involvedObject.apiVersion',
        'involvedObject.kind',
        'involvedObject.name',
        'involvedObject.namespace',
        'involvedObject.uid',
        'reason',
        'reportingComponent',
        'source',
        'type',
      ),
    },
  ),
  named('events.k8s.io', 'Event', 'events', eventStrategy, {
    model: 'EventsV1Event',
    columns: eventColumns,
    shortNames: ['ev'],
    storedIn: 'events',
    fields: select(
      'reason',
      'reportingController',
      'regarding.kind',
      'regarding.name',
      'regarding.namespace',
      'type',
    ),
  }),
  named('apps', 'Deployment', 'deployments', deploymentStrategy, {
    columns: deploymentColumns,
    shortNames: ['deploy'],
    categories: all,
    subresources: scalable,
  }),
  named('apps', 'DaemonSet', 'daemonsets', daemonSetStrategy, {
    columns: daemonSetColumns,
    shortNames: ['ds'],
    categories: all,
    subresources: status,
  }),
  named('apps', 'ReplicaSet', 'replicasets', replicaSetStrategy, {
    columns: replicaSetColumns,
    shortNames: ['rs'],
    categories: all,
    subresources: scalable,
  }),
  named('apps', 'StatefulSet', 'statefulsets', statefulSetStrategy, {
    columns: statefulSetColumns,
    shortNames: ['sts'],
    categories: all,
    subresources: scalable,
  }),
  named('apps', 'ControllerRevision', 'controllerrevisions', plainStrategy),
  named('discovery.k8s.io', 'EndpointSlice', 'endpointslices', endpointSliceStrategy, {
    columns: endpointSliceColumns,
  }),
  named('coordination.k8s.io', 'Lease', 'leases', leaseStrategy, { columns: leaseColumns }),
  named('networking.k8s.io', 'NetworkPolicy', 'networkpolicies', networkPolicyStrategy, {
    columns: networkPolicyColumns,
    shortNames: ['netpol'],
  }),
  named('policy', 'PodDisruptionBudget', 'poddisruptionbudgets', disruptionStrategy, {
    columns: disruptionColumns,
    shortNames: ['pdb'],
    subresources: status,
  }),
  named('scheduling.k8s.io', 'PriorityClass', 'priorityclasses', plainStrategy, {
    columns: priorityClassColumns,
    cluster: true,
    shortNames: ['pc'],
  }),
  named('rbac.authorization.k8s.io', 'Role', 'roles', roleStrategy, { columns: createdColumns }),
  named('rbac.authorization.k8s.io', 'RoleBinding', 'rolebindings', roleBindingStrategy, {
    columns: bindingColumns,
  }),
  named('rbac.authorization.k8s.io', 'ClusterRole', 'clusterroles', roleStrategy, {
    columns: createdColumns,
    cluster: true,
  }),
  named('rbac.authorization.k8s.io', 'ClusterRoleBinding', 'clusterrolebindings', roleBindingStrategy, {
    columns: bindingColumns,
    cluster: true,
  }),
  named(
    'admissionregistration.k8s.io',
    'ValidatingWebhookConfiguration',
    'validatingwebhookconfigurations',
    webhookStrategy(false),
    { columns: webhookColumns, cluster: true },
  ),
  named(
    'admissionregistration.k8s.io',
    'MutatingWebhookConfiguration',
    'mutatingwebhookconfigurations',
    webhookStrategy(true),
    { columns: webhookColumns, cluster: true },
  ),
]
