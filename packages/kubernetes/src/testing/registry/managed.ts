import { apiVersionOf, type KubeObject, type ObjectMeta } from '../api/object.ts'
import type { FieldTree } from '../fields/field-tree.ts'
import { ownable } from '../fields/fields-of.ts'
import { afterWrite, entriesOf, ownedAfterUpdate, ownedBy, type Writer } from '../fields/managers.ts'
import { modelSchema } from '../schema/builtin.ts'
import type { Call } from './call.ts'

const metadataSchema = modelSchema('V1ObjectMeta')

/** Who a request writes as. */
export const writerOf = ({ type, manager, subresource, applied }: Call): Writer => ({
  manager,
  operation: applied === undefined ? 'Update' : 'Apply',
  apiVersion: apiVersionOf(type.group, type.version),
  subresource,
})

/** The fields of an object that a request can own: not the status, unless that is what is written. */
export function ownableFields({ type, subresource }: Call, object: KubeObject, old?: KubeObject): FieldTree {
  if (subresource === '' && type.subresources.includes('status')) {
    const { status: _, ...rest } = object
    return ownable(type.schema, metadataSchema, rest as KubeObject, old)
  }
  return ownable(type.schema, metadataSchema, object, old)
}

/** The metadata of an object with what its managers own brought up to date. */
export function managed(
  call: Call,
  object: KubeObject,
  old: KubeObject | undefined,
  time: string,
): ObjectMeta {
  const entries = entriesOf(object, old)
  const writer = writerOf(call)
  const present = ownable(call.type.schema, metadataSchema, object)
  const changed = ownableFields(call, object, old)
  const owned = call.applied ?? ownedAfterUpdate(ownedBy(entries, writer), changed, present)
  const next = afterWrite(entries, writer, { owned, changed, present }, time)
  const { managedFields: _, ...metadata } = object.metadata
  return next === undefined ? metadata : { ...metadata, managedFields: next }
}
