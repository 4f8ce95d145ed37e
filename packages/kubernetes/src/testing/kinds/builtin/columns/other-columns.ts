import { fieldsOf, type KubeObject, listOf } from '../../../api/object.ts'
import { age, ageColumn, type Column, column, nameColumn } from '../../column.ts'
import { selectorText, unlessEmpty } from './text.ts'

const size = (value: unknown): number => Object.keys(fieldsOf(value)).length
const createdAt = column('Created At', object => object.metadata.creationTimestamp ?? '')

/** Namespaces. */
export const namespaceColumns: readonly Column[] = [
  nameColumn,
  column('Status', object => fieldsOf(object.status).phase ?? ''),
  ageColumn,
]

/** ConfigMaps. */
export const configMapColumns: readonly Column[] = [
  nameColumn,
  column('Data', object => size(object.data) + size(object.binaryData)),
  ageColumn,
]

/** Secrets. */
export const secretColumns: readonly Column[] = [
  nameColumn,
  column('Type', object => object.type ?? ''),
  column('Data', object => size(object.data)),
  ageColumn,
]

/** Leases. */
export const leaseColumns: readonly Column[] = [
  nameColumn,
  column('Holder', object => fieldsOf(object.spec).holderIdentity ?? ''),
  ageColumn,
]

/** Events, which say what happened rather than what they are called. */
export const eventColumns: readonly Column[] = [
  column('Last Seen', (object, { now }) => age(lastSeen(object), now)),
  column('Type', object => object.type ?? ''),
  column('Reason', object => object.reason ?? ''),
  column('Object', object => {
    const { kind, name } = fieldsOf(object.involvedObject ?? object.regarding)
    return `${String(kind ?? '').toLowerCase()}/${name ?? ''}`
  }),
  column('Source', object => fieldsOf(object.source).component ?? object.reportingComponent ?? '', {
    wide: true,
  }),
  column('Message', object => String(object.message ?? object.note ?? '').trim()),
  column('First Seen', (object, { now }) => age(object.firstTimestamp ?? object.eventTime, now), {
    wide: true,
  }),
  column('Count', object => eventCount(object), { wide: true }),
  column('Name', object => object.metadata.name ?? '', { wide: true }),
]

const lastSeen = (object: KubeObject): unknown =>
  fieldsOf(object.series).lastObservedTime ?? object.lastTimestamp ?? object.eventTime

const eventCount = (object: KubeObject): string =>
  String(fieldsOf(object.series).count ?? object.count ?? object.deprecatedCount ?? 1)

/** NetworkPolicies. */
export const networkPolicyColumns: readonly Column[] = [
  nameColumn,
  column('Pod-Selector', object => selectorText(fieldsOf(object.spec).podSelector)),
  ageColumn,
]

/** Webhook configurations of both kinds. */
export const webhookColumns: readonly Column[] = [
  nameColumn,
  { ...column('Webhooks', object => listOf(object.webhooks).length), type: 'integer' },
  ageColumn,
]

/** CustomResourceDefinitions, and roles. */
export const createdColumns: readonly Column[] = [nameColumn, createdAt]

const subjects = (kind: string) => (object: KubeObject) =>
  listOf(object.subjects)
    .map(fieldsOf)
    .filter(subject => subject.kind === kind)
    .map(({ namespace, name }) => (namespace === undefined ? String(name) : `${namespace}/${name}`))
    .join(', ')

/** Bindings of roles. */
export const bindingColumns: readonly Column[] = [
  nameColumn,
  column('Role', object => {
    const { kind, name } = fieldsOf(object.roleRef)
    return `${kind}/${name}`
  }),
  ageColumn,
  column('Users', subjects('User'), { wide: true }),
  column('Groups', subjects('Group'), { wide: true }),
  column('ServiceAccounts', subjects('ServiceAccount'), { wide: true }),
]

/** PodDisruptionBudgets. */
export const disruptionColumns: readonly Column[] = [
  nameColumn,
  column('Min Available', object => String(fieldsOf(object.spec).minAvailable ?? 'N/A')),
  column('Max Unavailable', object => String(fieldsOf(object.spec).maxUnavailable ?? 'N/A')),
  {
    ...column('Allowed Disruptions', object => fieldsOf(object.status).disruptionsAllowed ?? 0),
    type: 'integer',
  },
  ageColumn,
]

/** PriorityClasses. */
export const priorityClassColumns: readonly Column[] = [
  nameColumn,
  { ...column('Value', object => object.value), type: 'integer' },
  column('Global-Default', object => String(object.globalDefault ?? false)),
  ageColumn,
  column('PreemptionPolicy', object => unlessEmpty(String(object.preemptionPolicy ?? '')), { wide: true }),
]
