import { clone } from '../api/clone.ts'
import { required } from '../api/field-error.ts'
import { isFields, type KubeObject, type ManagedFieldsEntry } from '../api/object.ts'
import { applyConflict, badRequest, conflict, invalid, notFound, Refusal } from '../api/status.ts'
import { difference, type FieldTree, intersection, isEmpty, paths } from '../fields/field-tree.ts'
import { isBy, ownedBy, type Writer } from '../fields/managers.ts'
import { mergeApplied, removeFields } from '../fields/merge-applied.ts'
import { resourceOf } from '../kinds/api-type.ts'
import { modelSchema } from '../schema/builtin.ts'
import { applyDefaults } from '../schema/defaults.ts'
import { below, type Schema } from '../schema/schema.ts'
import type { Call } from './call.ts'
import { checkPlace, create, placeIn } from './create.ts'
import { decodeApplied } from './decode.ts'
import { collectionOf, inVersion, type Machinery } from './machinery.ts'
import { ownableFields, writerOf } from './managed.ts'
import { replace, type Updated } from './update.ts'

const attempts = 5

/**
 * Makes an object as its manager wants it: the manager owns what it says, and gives up what it no longer says. Fields of other
 * managers with another value are a conflict, unless `force` takes them. @throws Refusal
 */
export async function apply(
  machinery: Machinery,
  request: Call,
  body: unknown,
  force: boolean,
): Promise<Updated> {
  const asked: Call = { ...request, applying: true }
  const { type, namespace, name, subresource } = asked
  if (!isFields(body)) throw badRequest('what is applied is not an object')
  if (isFields(body.metadata) && body.metadata.managedFields !== undefined)
    throw badRequest('metadata.managedFields must be nil')
  for (let attempt = 1; ; attempt++) {
    const wanted = decodeApplied(asked, clone(body))
    const asSaid = { ...wanted, metadata: { ...wanted.metadata } }
    placeIn(wanted, namespace, name)
    confine(asked, wanted)
    const call: Call = { ...asked, applied: ownableFields(asked, wanted) }
    const stored = collectionOf(machinery, type).get(namespace, name)
    if (stored === undefined) {
      if (subresource !== '' || wanted.metadata.resourceVersion !== undefined)
        throw notFound(resourceOf(type), name)
      // What is there lends its name to what is applied on top of it.
      checkPlace(asSaid, namespace, name)
      return { object: await create(machinery, call, wanted), created: true }
    }
    const [old] = (await inVersion(machinery, type, [stored])) as [KubeObject]
    const { uid, resourceVersion } = wanted.metadata
    if (uid !== undefined && uid !== old.metadata.uid) throw conflict(resourceOf(type), name)
    if (resourceVersion !== undefined && resourceVersion !== old.metadata.resourceVersion)
      throw conflict(resourceOf(type), name)
    const object = merged(call, wanted, old)
    if (!force) checkConflicts(call, object, old)
    try {
      return { object: await replace(machinery, call, object, stored), created: false }
    } catch (error) {
      const moved = collectionOf(machinery, type).get(namespace, name) !== stored
      if (!(error instanceof Refusal) || error.status.reason !== 'Conflict' || !moved || attempt === attempts)
        throw error
    }
  }
}

/** @throws Refusal 422 when nobody says who applies */
export function requireManager(manager: string | null): void {
  if (!manager)
    throw invalid({ group: 'meta.k8s.io', name: 'PatchOptions' }, '', [
      required('fieldManager', 'is required for apply patch'),
    ])
}

/** Only the status can be applied to the status, and to the rest everything but it. */
function confine({ type, subresource }: Call, object: KubeObject): void {
  if (subresource === '' && type.subresources.includes('status')) delete object.status
  if (subresource === 'status')
    for (const field of Object.keys(object))
      if (!['apiVersion', 'kind', 'metadata', 'status'].includes(field)) delete object[field]
}

const metadataSchema = modelSchema('V1ObjectMeta')

const partOf = (schema: Schema, name: string): Schema | undefined =>
  name === 'metadata' ? metadataSchema : below(schema, name)

/** The object with what is wanted in it, and without what its manager no longer wants and nobody else does. */
function merged(call: Call, wanted: KubeObject, old: KubeObject): KubeObject {
  const { type } = call
  const writer = writerOf(call)
  const entries = old.metadata.managedFields ?? []
  let gone: FieldTree = difference(ownedBy(entries, writer), call.applied ?? {})
  for (const entry of entries) if (!isBy(entry, writer)) gone = difference(gone, entry.fieldsV1 as FieldTree)
  const object = clone(old)
  for (const name of Object.keys(wanted)) {
    if (name === 'apiVersion' || name === 'kind') continue
    object[name] = mergeApplied(partOf(type.schema, name), object[name], wanted[name])
  }
  for (const [element, fields] of Object.entries(gone)) {
    const name = element.slice(2)
    const left = removeFields(partOf(type.schema, name), object[name], fields)
    if (left === undefined && name !== 'metadata') delete object[name]
    else if (left !== undefined) object[name] = left
  }
  delete object.metadata.managedFields
  // The conflict with a write in between is found when the object is stored.
  object.metadata.resourceVersion = old.metadata.resourceVersion as string
  if (type.custom !== undefined) applyDefaults(type.schema, object)
  type.strategy.defaults?.(object)
  return object
}

/** @throws Refusal 409 that names the fields and who owns them */
function checkConflicts(call: Call, object: KubeObject, old: KubeObject): void {
  const writer: Writer = writerOf(call)
  const changed = intersection(ownableFields(call, object, old), call.applied ?? {})
  const found = (old.metadata.managedFields ?? []).flatMap(entry => {
    if (isBy(entry, writer)) return []
    const contested = intersection(entry.fieldsV1 as FieldTree, changed)
    return isEmpty(contested) ? [] : paths(contested).map(field => ({ field, manager: textOf(entry) }))
  })
  if (found.length > 0) throw applyConflict(found)
}

/** How the API server calls the owner of a field. */
function textOf({ manager, subresource, operation, apiVersion, time }: ManagedFieldsEntry): string {
  const name = `${JSON.stringify(manager)}${subresource === undefined ? '' : ` with subresource "${subresource}"`}`
  if (operation === 'Apply') return name
  return `${name} using ${apiVersion}${time === undefined ? '' : ` at ${time}`}`
}
