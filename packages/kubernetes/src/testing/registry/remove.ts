import type { KubeObject } from '../api/object.ts'
import { conflict, deleted, notFound, type Status } from '../api/status.ts'
import { kindOf, resourceOf } from '../kinds/api-type.ts'
import { timestamp } from '../schema/decode.ts'
import type { Stored } from '../store/stored.ts'
import type { Call } from './call.ts'
import { collectionOf, inVersion, type Machinery } from './machinery.ts'

/** How a deletion is meant: the body of a DELETE. */
export interface DeleteOptions {
  readonly gracePeriodSeconds?: number
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan'
  readonly orphanDependents?: boolean
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
  readonly dryRun?: readonly string[]
}

/** Finalizers by which the API server itself puts a deletion off. */
const foreground = 'foregroundDeletion'
const orphan = 'orphan'

/** Deletes an object, or marks it as to be deleted where somebody has to finish first. @throws Refusal */
export async function remove(
  machinery: Machinery,
  call: Call,
  options: DeleteOptions,
): Promise<KubeObject | Status> {
  const { type, namespace, name } = call
  const stored = collectionOf(machinery, type).get(namespace, name)
  if (stored === undefined) throw notFound(resourceOf(type), name)
  const [old] = (await inVersion(machinery, type, [stored])) as [KubeObject]
  checkPreconditions(call, options, old)
  await machinery.admission.mutate(call, 'DELETE', undefined, old)
  await machinery.admission.validate(call, 'DELETE', undefined, old)
  if (collectionOf(machinery, type).get(namespace, name) !== stored) {
    if (options.preconditions?.resourceVersion !== undefined) throw conflict(resourceOf(type), name)
    return remove(machinery, call, options)
  }
  const result = erase(machinery, call, stored, options)
  if (result.metadata.deletionTimestamp !== undefined || type.strategy.returnsDeleted) {
    const [shown] = await inVersion(machinery, type, [result.stored])
    return shown as KubeObject
  }
  return deleted(resourceOf(type), name, stored.object.metadata.uid)
}

function checkPreconditions(
  { type, name }: Call,
  { preconditions = {} }: DeleteOptions,
  old: KubeObject,
): void {
  const { uid, resourceVersion } = preconditions
  if (uid !== undefined && uid !== old.metadata.uid)
    throw conflict(
      kindOf(type),
      name,
      `the UID in the precondition (${uid}) does not match the UID in record (${old.metadata.uid}). The object might have been deleted and then recreated`,
    )
  if (resourceVersion !== undefined && resourceVersion !== old.metadata.resourceVersion)
    throw conflict(
      kindOf(type),
      name,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${old.metadata.resourceVersion}). The object might have been modified`,
    )
}

/** Marks or removes; the result is what is shown to the client. */
function erase(
  machinery: Machinery,
  { type, dryRun }: Call,
  stored: Stored,
  options: DeleteOptions,
): { readonly metadata: KubeObject['metadata']; readonly stored: Stored } {
  const { object } = stored
  const { metadata } = object
  const collection = collectionOf(machinery, type)
  const finalizers = new Set(metadata.finalizers ?? [])
  if (options.propagationPolicy !== undefined || options.orphanDependents !== undefined) {
    finalizers.delete(foreground)
    finalizers.delete(orphan)
    if (options.propagationPolicy === 'Foreground') finalizers.add(foreground)
    if (options.propagationPolicy === 'Orphan' || options.orphanDependents === true) finalizers.add(orphan)
  }
  const waitSeconds = type.strategy.gracePeriod?.(object, options.gracePeriodSeconds) ?? 0
  const namespaceHeld = ((object.spec as { finalizers?: string[] } | undefined)?.finalizers ?? []).length > 0
  const held = finalizers.size > 0 || waitSeconds > 0 || (type.collection === 'namespaces' && namespaceHeld)
  if (!held) {
    if (!dryRun) type.strategy.release?.(object)
    return { metadata: {}, stored: dryRun ? stored : collection.remove(stored) }
  }
  const already = metadata.deletionTimestamp !== undefined
  const sameFinalizers = [...finalizers].join() === (metadata.finalizers ?? []).join()
  const sameWait = (metadata.deletionGracePeriodSeconds ?? 0) <= waitSeconds
  if (already && sameFinalizers && sameWait) return { metadata, stored }
  const at = new Date(machinery.clock.date().getTime() + waitSeconds * 1000)
  const marked: KubeObject = {
    ...object,
    metadata: {
      ...metadata,
      ...(finalizers.size > 0 ? { finalizers: [...finalizers] } : {}),
      deletionTimestamp: already && sameWait ? (metadata.deletionTimestamp as string) : timestamp(at),
      deletionGracePeriodSeconds: waitSeconds,
      ...(type.strategy.generation && !already ? { generation: (metadata.generation ?? 0) + 1 } : {}),
    },
    ...(type.collection === 'namespaces'
      ? { status: { ...(object.status as object), phase: 'Terminating' } }
      : {}),
  }
  const kept = dryRun ? stored : collection.put(marked)
  return { metadata: marked.metadata, stored: kept }
}
