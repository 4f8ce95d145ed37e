import { type FieldError, invalidValue } from '../../api/field-error.ts'
import { type Fields, fieldsOf, type KubeObject } from '../../api/object.ts'

/** Fields that the two groups with events call by different names: core's first. */
const names: readonly (readonly [core: string, events: string])[] = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['reportingComponent', 'reportingController'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
]

function renamed(object: KubeObject, from: 0 | 1): Fields {
  const fields: Fields = { ...object }
  for (const pair of names) {
    const value = fields[pair[from]]
    delete fields[pair[from]]
    if (value !== undefined) fields[pair[1 - from] as string] = value
  }
  return fields
}

/** An event of events.k8s.io/v1 as one of v1, in which events are kept. */
export const toCoreEvent = (object: KubeObject): KubeObject => ({
  ...(renamed(object, 1) as KubeObject),
  apiVersion: 'v1',
})

/** The other way round. */
export const toEventsEvent = (object: KubeObject): KubeObject => ({
  ...(renamed(object, 0) as KubeObject),
  apiVersion: 'events.k8s.io/v1',
})

/** An event is where the object is that it is about; what is in no namespace has its events in `default` or `kube-system`. */
export function validateEvent(object: KubeObject): readonly FieldError[] {
  const { namespace = '' } = object.metadata
  const about = fieldsOf(object.involvedObject ?? object.regarding).namespace ?? ''
  const right = about === '' ? ['default', 'kube-system'] : [about]
  return right.includes(namespace)
    ? []
    : [invalidValue('involvedObject.namespace', about, 'does not match event.namespace')]
}

/** An event of v1 shows the fields that it always has, also when they say nothing. */
export function coreEventDefaults(object: KubeObject): void {
  object.source ??= {}
  object.firstTimestamp ??= null
  object.lastTimestamp ??= null
  object.eventTime ??= null
  object.reportingComponent ??= fieldsOf(object.source).component ?? ''
  object.reportingInstance ??= ''
}
