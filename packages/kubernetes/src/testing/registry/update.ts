import { equal } from '../api/equal.ts'
import { invalidValue } from '../api/field-error.ts'
import { apiVersionOf, type KubeObject } from '../api/object.ts'
import { conflict, invalid, methodNotAllowed, notFound } from '../api/status.ts'
import { kindOf, resourceOf } from '../kinds/api-type.ts'
import { validateMetadata, validateMetadataUpdate } from '../metadata/validate-metadata.ts'
import { checkRules } from '../schema/cel.ts'
import { timestamp } from '../schema/decode.ts'
import { validate } from '../schema/validate.ts'
import type { Stored } from '../store/stored.ts'
import type { Call } from './call.ts'
import { checkPlace, create, placeIn } from './create.ts'
import { decode } from './decode.ts'
import { collectionOf, forStorage, inVersion, type Machinery } from './machinery.ts'
import { managed } from './managed.ts'

/** What came of an update. */
export interface Updated {
  readonly object: KubeObject
  readonly created: boolean
}

/** Puts an object in the place of the one with its name, as PUT does. @throws Refusal */
export async function update(machinery: Machinery, call: Call, body: unknown): Promise<Updated> {
  const { type, namespace, name } = call
  const object = decode(call, body)
  checkPlace(object, namespace, name)
  placeIn(object, namespace, name)
  const stored = collectionOf(machinery, type).get(namespace, name)
  if (stored === undefined) {
    if (!type.strategy.createOnUpdate || call.subresource !== '') throw notFound(resourceOf(type), name)
    return { object: await create(machinery, call, object), created: true }
  }
  if (object.metadata.resourceVersion === undefined && !type.strategy.unconditionalUpdate)
    throw invalid(kindOf(type), name, [
      invalidValue('metadata.resourceVersion', 0, 'must be specified for an update'),
    ])
  return { object: await replace(machinery, call, object, stored), created: false }
}

/**
 * Puts a decoded object in the place of a stored one: what a client may not change is kept, what changed is checked, and nothing
 * is written when nothing changed. @throws Refusal
 */
export async function replace(
  machinery: Machinery,
  call: Call,
  wanted: KubeObject,
  stored: Stored,
): Promise<KubeObject> {
  const { type, namespace, name, subresource } = call
  const { strategy } = type
  const [old] = (await inVersion(machinery, type, [stored])) as [KubeObject]
  checkPreconditions(call, wanted, old)
  let object = wanted
  prepare(call, object, old)
  const mutated = await machinery.admission.mutate(call, 'UPDATE', object, old)
  if (mutated !== undefined && mutated !== object) {
    object = decode(call, mutated)
    prepare(call, object, old)
  }
  object.metadata = managed(call, object, old, timestamp(machinery.clock.date()))
  const taken = subresource === '' ? strategy.take?.(object, old, call.dryRun) : undefined
  try {
    count(call, object, old)
    check(call, object, old)
    await machinery.admission.validate(call, 'UPDATE', object, old)
    const toStore = await forStorage(machinery, type, object)
    const collection = collectionOf(machinery, type)
    if (collection.get(namespace, name) !== stored) throw conflict(resourceOf(type), name)
    if (call.dryRun) {
      taken?.revert()
      return object
    }
    if (unchanged(toStore, stored.object)) {
      taken?.commit()
      return old
    }
    taken?.commit()
    const { deletionTimestamp, finalizers = [] } = toStore.metadata
    const finished = deletionTimestamp !== undefined && finalizers.length === 0 && doneWithGrace(toStore)
    if (finished) strategy.release?.(toStore)
    const kept = finished ? collection.remove(stored, toStore) : collection.put(toStore)
    const [result] = await inVersion(machinery, type, [kept])
    return result as KubeObject
  } catch (error) {
    taken?.revert()
    throw error
  }
}

/** An object that waits for its end, rather than for a finalizer, goes when its time is over. */
const doneWithGrace = ({ metadata }: KubeObject): boolean => (metadata.deletionGracePeriodSeconds ?? 0) === 0

function checkPreconditions({ type, name }: Call, object: KubeObject, old: KubeObject): void {
  const { uid, resourceVersion } = object.metadata
  if (uid !== undefined && uid !== old.metadata.uid)
    throw conflict(
      resourceOf(type),
      name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`,
    )
  if (
    resourceVersion !== undefined &&
    resourceVersion !== '0' &&
    resourceVersion !== old.metadata.resourceVersion
  )
    throw conflict(resourceOf(type), name)
}

/** Keeps what a client may not change. */
function prepare({ type, subresource }: Call, object: KubeObject, old: KubeObject): void {
  const { metadata } = object
  const { uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generation } = old.metadata
  Object.assign(metadata, { uid, resourceVersion: old.metadata.resourceVersion })
  for (const [field, value] of Object.entries({
    creationTimestamp,
    deletionTimestamp,
    deletionGracePeriodSeconds,
    generation,
  }))
    if (value === undefined) delete (metadata as Record<string, unknown>)[field]
    else (metadata as Record<string, unknown>)[field] = value
  delete metadata.selfLink
  object.apiVersion = apiVersionOf(type.group, type.version)
  object.kind = type.kind
  if (subresource === 'status') prepareStatus(type.strategy.prepareStatus, object, old)
  else if (subresource === '') {
    if (type.subresources.includes('status')) copyField(object, old, 'status')
    type.strategy.prepareUpdate?.(object, old)
  } else if (subresource !== 'finalize')
    throw methodNotAllowed({ group: type.group, name: type.plural }, 'update')
}

/** Everything but the status stays; by default also all of the metadata but who owns it. */
function prepareStatus(
  special: ((object: KubeObject, old: KubeObject) => void) | undefined,
  object: KubeObject,
  old: KubeObject,
): void {
  for (const field of Object.keys({ ...object, ...old }))
    if (!['apiVersion', 'kind', 'metadata', 'status'].includes(field)) copyField(object, old, field)
  if (special !== undefined) special(object, old)
  else {
    const { managedFields } = object.metadata
    object.metadata = { ...old.metadata, ...(managedFields === undefined ? {} : { managedFields }) }
  }
}

function copyField(object: KubeObject, old: KubeObject, field: string): void {
  if (old[field] === undefined) delete object[field]
  else object[field] = old[field]
}

/** Counts a change of what is wanted. */
function count({ type, subresource }: Call, object: KubeObject, old: KubeObject): void {
  if (!type.strategy.generation || subresource !== '') return
  const status = type.subresources.includes('status') || type.custom === undefined
  const ignored = ['apiVersion', 'kind', 'metadata', ...(status ? ['status'] : [])]
  const changed = [...new Set([...Object.keys(object), ...Object.keys(old)])].some(
    field => !ignored.includes(field) && !equal(object[field], old[field]),
  )
  if (changed) object.metadata.generation = (old.metadata.generation ?? 0) + 1
}

function check({ type, subresource }: Call, object: KubeObject, old: KubeObject): void {
  const own =
    subresource === 'status'
      ? (type.strategy.validateStatus?.(object, old) ?? [])
      : (type.strategy.validate?.(object, old) ?? [])
  const errors = [
    ...validateMetadataUpdate(object.metadata, old.metadata),
    ...validateMetadata(type, object.metadata),
    ...(type.custom === undefined ? [] : validate(type.schema, object)),
    ...own,
  ]
  if (errors.length === 0 && type.custom !== undefined) errors.push(...checkRules(type.schema, object, old))
  if (errors.length > 0) throw invalid(kindOf(type), object.metadata.name ?? '', errors)
}

/** Whether two objects are the same, but for when their managers last wrote. */
function unchanged(object: KubeObject, old: KubeObject): boolean {
  const strip = ({ metadata, ...rest }: KubeObject) => ({
    ...rest,
    metadata: {
      ...metadata,
      managedFields: metadata.managedFields?.map(({ time: _, ...entry }) => entry),
    },
  })
  return equal(strip(object), strip(old))
}
