import type { Clock } from '@carillon/core'
import { fieldsOf, type KubeObject, listOf } from '../api/object.ts'
import { plainStrategy, type Strategy } from '../kinds/strategy.ts'
import { timestamp } from '../schema/decode.ts'
import type { Definition } from './definition.ts'
import { validateDefinition } from './validate.ts'

/** Keeps a definition until its objects are gone. */
export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io'

/** What is peculiar to CustomResourceDefinitions. */
export const definitionStrategy = (clock: Clock): Strategy => ({
  ...plainStrategy,
  generation: true,
  unconditionalUpdate: false,
  defaults,
  prepareCreate(object) {
    const { finalizers = [] } = object.metadata
    if (!finalizers.includes(cleanupFinalizer)) object.metadata.finalizers = [...finalizers, cleanupFinalizer]
    object.status = statusOf(object as Definition, undefined, timestamp(clock.date()))
  },
  prepareUpdate(object, old) {
    object.status = statusOf(object as Definition, old, timestamp(clock.date()))
  },
  validate: validateDefinition,
})

function defaults(object: KubeObject): void {
  object.spec ??= {}
  const spec = fieldsOf(object.spec)
  spec.group ??= ''
  spec.names ??= {}
  spec.versions ??= []
  const names = fieldsOf(spec.names)
  if (typeof names.kind === 'string') {
    names.singular ??= names.kind.toLowerCase()
    names.listKind ??= `${names.kind}List`
  }
  spec.conversion ??= { strategy: 'None' }
  for (const version of listOf(spec.versions)) {
    fieldsOf(version).served ??= false
    fieldsOf(version).storage ??= false
  }
  const { service } = fieldsOf(fieldsOf(fieldsOf(spec.conversion).webhook).clientConfig)
  if (service !== undefined) fieldsOf(service).port ??= 443
}

/** Names are accepted and the resource is served at once. */
function statusOf({ spec }: Definition, old: KubeObject | undefined, now: string): KubeObject['status'] {
  const before = fieldsOf(old?.status)
  const storing = spec.versions?.find(version => version.storage)?.name
  const stored = listOf(before.storedVersions).filter(name => name !== storing)
  const condition = (type: string, reason: string, message: string) => ({
    type,
    status: 'True',
    lastTransitionTime: now,
    reason,
    message,
  })
  return {
    acceptedNames: spec.names,
    conditions: before.conditions ?? [
      condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
      condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
    ],
    storedVersions: [...stored, storing],
  }
}
