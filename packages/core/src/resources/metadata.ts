import type { Report } from './report.ts'
import { type Fields, isFields, objectField, textField, textMapField, type Writable } from './value.ts'

/** What Carillon keeps of an object's `metadata`. Absent maps are empty ones. */
export interface ObjectMeta {
  readonly name: string
  readonly namespace?: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  /** RFC 3339 */
  readonly creationTimestamp?: string
}

/** Metadata of an object that lives in a namespace; an absent one is `default`. */
export interface NamespacedMeta extends ObjectMeta {
  readonly namespace: string
}

/** Name and namespace as far as they can be read: what problems are reported under. */
export function identify(object: Fields): { readonly name: string; readonly namespace: string | undefined } {
  const metadata = object.metadata
  if (typeof metadata !== 'object' || metadata === null) return { name: '', namespace: undefined }
  const { name, namespace } = metadata as Fields
  return {
    name: typeof name === 'string' ? name : '',
    namespace: typeof namespace === 'string' && namespace !== '' ? namespace : undefined,
  }
}

/** Reads `metadata`. A name must be there; fields that serve only to tell versions apart are dropped when malformed. */
export function readMetadata(report: Report, object: Fields): ObjectMeta {
  const from = objectField(report, object, '', 'metadata')
  const name = textField(report, from, 'metadata', 'name')
  const absent = from.name === undefined || from.name === null || from.name === ''
  if (absent && (object.metadata === undefined || isFields(object.metadata))) {
    report.error('metadata.name', 'is required: give the object a name')
  }
  const namespace = textField(report, from, 'metadata', 'namespace')
  const meta: Writable<ObjectMeta> = {
    name: name ?? '',
    labels: textMapField(report, from, 'metadata', 'labels'),
    annotations: textMapField(report, from, 'metadata', 'annotations'),
  }
  if (namespace !== undefined && namespace !== '') meta.namespace = namespace
  const { uid, resourceVersion, generation, creationTimestamp } = from
  if (typeof uid === 'string') meta.uid = uid
  if (typeof resourceVersion === 'string') meta.resourceVersion = resourceVersion
  if (typeof generation === 'number') meta.generation = generation
  if (typeof creationTimestamp === 'string') meta.creationTimestamp = creationTimestamp
  return meta
}

/** As `readMetadata`, for kinds that live in a namespace. */
export function readNamespacedMetadata(report: Report, object: Fields): NamespacedMeta {
  const meta = readMetadata(report, object)
  return meta.namespace === undefined ? { ...meta, namespace: 'default' } : (meta as NamespacedMeta)
}
