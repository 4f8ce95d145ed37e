import { equal } from '../../api/equal.ts'
import { type FieldError, invalidValue, required } from '../../api/field-error.ts'
import { type Fields, fieldsOf, type KubeObject } from '../../api/object.ts'
import { objectSelector } from '../../store/selector.ts'
import { plainStrategy, type Strategy } from '../strategy.ts'
import { podDefaults } from './core.ts'

function templateDefaults(object: KubeObject): Fields {
  object.spec ??= {}
  const spec = fieldsOf(object.spec)
  const template = fieldsOf(spec.template)
  if (template.spec !== undefined) podDefaults(fieldsOf(template.spec))
  return spec
}

const rolling = (spec: Fields, field: string, defaults: Fields): void => {
  spec[field] ??= {}
  const strategy = fieldsOf(spec[field])
  strategy.type ??= 'RollingUpdate'
  if (strategy.type === 'RollingUpdate')
    strategy.rollingUpdate = { ...defaults, ...fieldsOf(strategy.rollingUpdate) }
}

function validate(object: KubeObject, old: KubeObject | undefined): FieldError[] {
  const spec = fieldsOf(object.spec)
  const errors: FieldError[] = []
  if (spec.selector === undefined) errors.push(required('spec.selector'))
  else if (old !== undefined && !equal(spec.selector, fieldsOf(old.spec).selector))
    errors.push(invalidValue('spec.selector', spec.selector, 'field is immutable'))
  const labels = fieldsOf(fieldsOf(fieldsOf(spec.template).metadata).labels) as Record<string, string>
  if (spec.selector !== undefined && !objectSelector(spec.selector)(labels))
    errors.push(
      invalidValue('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'),
    )
  return errors
}

/** What keeps pods of one template running. */
const workload = (fresh: Fields, defaults: (spec: Fields) => void): Strategy => ({
  ...plainStrategy,
  generation: true,
  defaults: object => defaults(templateDefaults(object)),
  prepareCreate(object) {
    object.status = { ...fresh }
  },
  prepareStatus(object, old) {
    if (old.metadata.labels === undefined) delete object.metadata.labels
    else object.metadata.labels = old.metadata.labels
  },
  validate,
})

/** Deployments. */
export const deploymentStrategy: Strategy = workload({}, spec => {
  spec.replicas ??= 1
  spec.revisionHistoryLimit ??= 10
  spec.progressDeadlineSeconds ??= 600
  rolling(spec, 'strategy', { maxUnavailable: '25%', maxSurge: '25%' })
})

/** DaemonSets. */
export const daemonSetStrategy: Strategy = workload(
  { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 },
  spec => {
    spec.revisionHistoryLimit ??= 10
    rolling(spec, 'updateStrategy', { maxUnavailable: 1, maxSurge: 0 })
  },
)

/** ReplicaSets. */
export const replicaSetStrategy: Strategy = workload({ replicas: 0 }, spec => {
  spec.replicas ??= 1
})

/** StatefulSets. */
export const statefulSetStrategy: Strategy = workload({ replicas: 0, availableReplicas: 0 }, spec => {
  spec.replicas ??= 1
  spec.revisionHistoryLimit ??= 10
  spec.podManagementPolicy ??= 'OrderedReady'
  rolling(spec, 'updateStrategy', { partition: 0 })
})
