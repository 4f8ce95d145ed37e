import { type Fields, fieldsOf, type KubeObject, listOf } from '../../../api/object.ts'
import { ageColumn, type Column, column, nameColumn } from '../../column.ts'
import { labelsText, selectorText, unlessEmpty } from './text.ts'

const spec = (object: KubeObject): Fields => fieldsOf(object.spec)
const count = (name: string) => (object: KubeObject) => Number(fieldsOf(object.status)[name] ?? 0)

const integer = (name: string, cell: Column['cell']): Column => ({ ...column(name, cell), type: 'integer' })

const template = (object: KubeObject, field: string): string =>
  listOf(fieldsOf(fieldsOf(spec(object).template).spec).containers)
    .map(container => String(fieldsOf(container)[field] ?? ''))
    .join(',')

const wide: readonly Column[] = [
  column('Containers', object => template(object, 'name'), { wide: true }),
  column('Images', object => template(object, 'image'), { wide: true }),
  column('Selector', object => selectorText(spec(object).selector), { wide: true }),
]

/** Deployments. */
export const deploymentColumns: readonly Column[] = [
  nameColumn,
  column('Ready', object => `${count('readyReplicas')(object)}/${spec(object).replicas ?? 0}`),
  integer('Up-to-date', count('updatedReplicas')),
  integer('Available', count('availableReplicas')),
  ageColumn,
  ...wide,
]

/** DaemonSets. */
export const daemonSetColumns: readonly Column[] = [
  nameColumn,
  integer('Desired', count('desiredNumberScheduled')),
  integer('Current', count('currentNumberScheduled')),
  integer('Ready', count('numberReady')),
  integer('Up-to-date', count('updatedNumberScheduled')),
  integer('Available', count('numberAvailable')),
  column('Node Selector', object => labelsText(fieldsOf(fieldsOf(spec(object).template).spec).nodeSelector)),
  ageColumn,
  ...wide,
]

/** ReplicaSets. */
export const replicaSetColumns: readonly Column[] = [
  nameColumn,
  integer('Desired', object => spec(object).replicas ?? 0),
  integer('Current', count('replicas')),
  integer('Ready', count('readyReplicas')),
  ageColumn,
  ...wide,
]

/** StatefulSets. */
export const statefulSetColumns: readonly Column[] = [
  nameColumn,
  column('Ready', object => `${count('readyReplicas')(object)}/${spec(object).replicas ?? 0}`),
  ageColumn,
  ...wide.slice(0, 2),
]

const containers = (object: KubeObject): readonly Fields[] =>
  listOf(fieldsOf(object.status).containerStatuses).map(fieldsOf)

/** Pods. */
export const podColumns: readonly Column[] = [
  nameColumn,
  column(
    'Ready',
    object =>
      `${containers(object).filter(one => one.ready === true).length}/${listOf(spec(object).containers).length}`,
  ),
  column('Status', object =>
    object.metadata.deletionTimestamp === undefined
      ? (fieldsOf(object.status).phase ?? 'Unknown')
      : 'Terminating',
  ),
  column('Restarts', object =>
    String(containers(object).reduce((sum, one) => sum + Number(one.restartCount ?? 0), 0)),
  ),
  ageColumn,
  column('IP', object => unlessEmpty(String(fieldsOf(object.status).podIP ?? '')), { wide: true }),
  column('Node', object => unlessEmpty(String(spec(object).nodeName ?? '')), { wide: true }),
]
