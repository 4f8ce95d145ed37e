import { equal } from '../api/equal.ts'
import { type Fields, isFields, type KubeObject } from '../api/object.ts'
import { below, type Schema } from '../schema/schema.ts'
import type { FieldTree } from './field-tree.ts'

type Open = Record<string, FieldTree>

const leaf: FieldTree = Object.freeze({})

/** Fields of the metadata that belong to the API server. */
const reserved = new Set([
  'creationTimestamp',
  'generation',
  'managedFields',
  'name',
  'namespace',
  'resourceVersion',
  'selfLink',
  'uid',
])

const isAtomic = (schema: Schema | undefined): boolean => schema?.['x-kubernetes-map-type'] === 'atomic'

/** How the items of a list are told apart: by keys, by their values, or not at all. */
export function itemElement(schema: Schema | undefined, item: unknown): string | undefined {
  const kind = schema?.['x-kubernetes-list-type']
  if (kind === 'set') return `v:${JSON.stringify(item)}`
  if (kind !== 'map' || !isFields(item)) return undefined
  const keys: Fields = {}
  for (const name of (schema?.['x-kubernetes-list-map-keys'] ?? []).toSorted()) {
    const value = item[name] ?? schema?.items?.properties?.[name]?.default
    if (value !== undefined) keys[name] = value
  }
  return `k:${JSON.stringify(keys)}`
}

/** Whose fields are asked for: those of who applies an object, or of who writes one. */
export interface Ownable {
  readonly schema: Schema
  readonly metadata: Schema
  /** Who writes a map, a list or an object of a custom resource as a new one owns it as such, beside what is in it. */
  readonly containers: boolean
}

/** The fields of an object that somebody can own, or of those only the ones in which it differs from an older state. */
export function ownable(of: Ownable, object: KubeObject, old?: KubeObject): FieldTree {
  const result: Open = {}
  for (const name in object) {
    if (name === 'apiVersion' || name === 'kind') continue
    const found =
      name === 'metadata'
        ? metadataFields(of, object, old)
        : tree(of, below(of.schema, name), object[name], old && (old[name] as unknown), old !== undefined)
    if (found !== undefined) result[`f:${name}`] = found
  }
  return result
}

function metadataFields(of: Ownable, object: KubeObject, old: KubeObject | undefined): FieldTree | undefined {
  const result: Open = {}
  const metadata = object.metadata as Fields
  for (const name in metadata) {
    if (reserved.has(name)) continue
    const before = old && (old.metadata as Fields)[name]
    const found = tree(of, below(of.metadata, name), metadata[name], before, old !== undefined)
    if (found !== undefined) result[`f:${name}`] = found
  }
  return someOf(result)
}

const someOf = (result: Open): FieldTree | undefined => {
  for (const _ in result) return result
  return undefined
}

/** The tree of a value; nothing when it is the same as before and only differences are asked for. */
function tree(
  of: Ownable,
  schema: Schema | undefined,
  value: unknown,
  old: unknown,
  compare: boolean,
): FieldTree | undefined {
  if (value === undefined) return undefined
  const fresh = !compare || old === undefined
  if (isFields(value) && !isAtomic(schema)) return objectTree(of, schema, value, old, fresh)
  const kind = schema?.['x-kubernetes-list-type']
  if (Array.isArray(value) && (kind === 'map' || kind === 'set'))
    return listTree(of, schema, value, old, fresh)
  return fresh || !equal(value, old) ? leaf : undefined
}

function objectTree(
  of: Ownable,
  schema: Schema | undefined,
  value: Fields,
  old: unknown,
  fresh: boolean,
): FieldTree | undefined {
  const result: Open = {}
  const before = isFields(old) && !fresh ? old : undefined
  for (const name in value) {
    const found = tree(of, schema && below(schema, name), value[name], before?.[name], before !== undefined)
    if (found !== undefined) result[`f:${name}`] = found
  }
  const whole = fresh || !isFields(old)
  if (someOf(result) === undefined) return whole ? leaf : undefined
  // Of Kubernetes' own kinds only maps can be missing as such.
  const countsItself = schema?.properties === undefined || schema.model === undefined
  if (whole && of.containers && countsItself) result['.'] = leaf
  return result
}

function listTree(
  of: Ownable,
  schema: Schema | undefined,
  value: readonly unknown[],
  old: unknown,
  fresh: boolean,
): FieldTree | undefined {
  const before = new Map<string | undefined, unknown>()
  if (!fresh && Array.isArray(old)) for (const item of old) before.set(itemElement(schema, item), item)
  const result: Open = {}
  for (const item of value) {
    const element = itemElement(schema, item) as string
    const known = before.has(element)
    const found = element.startsWith('v:')
      ? known
        ? undefined
        : leaf
      : tree(of, schema?.items, item, before.get(element), known)
    if (found !== undefined) result[element] = known ? found : found === leaf ? leaf : { '.': leaf, ...found }
  }
  if (someOf(result) === undefined) return fresh ? leaf : undefined
  if (fresh && of.containers) result['.'] = leaf
  return result
}
