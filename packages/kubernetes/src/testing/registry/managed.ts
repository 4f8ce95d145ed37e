import { apiVersionOf, type KubeObject, type ObjectMeta } from '../api/object.ts'
import type { FieldTree } from '../fields/field-tree.ts'
import { ownable } from '../fields/fields-of.ts'
import { afterWrite, entriesOf, ownedAfterUpdate, ownedBy, type Writer } from '../fields/managers.ts'
import { modelSchema } from '../schema/builtin.ts'
import type { Call } from './call.ts'

const metadataSchema = modelSchema('V1ObjectMeta')

/** Who a request writes as. */
export const writerOf = ({ type, manager, subresource, applying }: Call): Writer => ({
  manager,
  operation: applying === true ? 'Apply' : 'Update',
  apiVersion: apiVersionOf(type.group, type.version),
  subresource,
})

/** The fields of an object that a request can own, or changes: not the status, unless that is what is written. */
export function ownableFields(call: Call, object: KubeObject, old?: KubeObject): FieldTree {
  const { type, subresource } = call
  if (subresource !== '' || !type.subresources.includes('status')) return allFields(call, object, old)
  const { status: _, ...rest } = object
  return allFields(call, rest as KubeObject, old)
}

const allFields = ({ type, applying }: Call, object: KubeObject, old?: KubeObject): FieldTree =>
  ownable({ schema: type.schema, metadata: metadataSchema, containers: applying !== true }, object, old)

/** The metadata of an object with what its managers own brought up to date. */
export function managed(
  call: Call,
  object: KubeObject,
  old: KubeObject | undefined,
  time: string,
): ObjectMeta {
  const entries = entriesOf(object, old)
  const writer = writerOf(call)
  const present = allFields({ ...call, applying: false }, object)
  const changed = ownableFields(call, object, old)
  const owned = call.applied ?? ownedAfterUpdate(ownedBy(entries, writer), changed, present)
  const next = afterWrite(entries, writer, { owned, changed, present }, time)
  const { managedFields: _, ...metadata } = object.metadata
  return next === undefined ? metadata : { ...metadata, managedFields: next }
}
