import { fieldsOf, type KubeObject, listOf } from '../../../api/object.ts'
import { ageColumn, type Column, column, nameColumn } from '../../column.ts'
import { unlessEmpty } from './text.ts'

const status = (object: KubeObject) => fieldsOf(object.status)
const info = (object: KubeObject) => fieldsOf(status(object).nodeInfo)

function readiness(object: KubeObject): string {
  const ready = listOf(status(object).conditions)
    .map(fieldsOf)
    .find(condition => condition.type === 'Ready')
  const word = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'
  return fieldsOf(object.spec).unschedulable === true ? `${word},SchedulingDisabled` : word
}

const rolePrefix = 'node-role.kubernetes.io/'

const roles = ({ metadata }: KubeObject): string =>
  unlessEmpty(
    Object.entries(metadata.labels ?? {})
      .flatMap(([label, value]) => {
        if (label.startsWith(rolePrefix)) return [label.slice(rolePrefix.length)]
        return label === 'kubernetes.io/role' ? [value] : []
      })
      .filter(Boolean)
      .toSorted()
      .join(','),
  )

const address = (type: string) => (object: KubeObject) =>
  unlessEmpty(
    String(
      listOf(status(object).addresses)
        .map(fieldsOf)
        .find(one => one.type === type)?.address ?? '',
    ),
  )

/** Nodes. */
export const nodeColumns: readonly Column[] = [
  nameColumn,
  column('Status', readiness),
  column('Roles', roles),
  ageColumn,
  column('Version', object => info(object).kubeletVersion ?? ''),
  column('Internal-IP', address('InternalIP'), { wide: true }),
  column('External-IP', address('ExternalIP'), { wide: true }),
  column('OS-Image', object => info(object).osImage ?? '<unknown>', { wide: true }),
  column('Kernel-Version', object => info(object).kernelVersion ?? '<unknown>', { wide: true }),
  column('Container-Runtime', object => info(object).containerRuntimeVersion ?? '<unknown>', { wide: true }),
]
