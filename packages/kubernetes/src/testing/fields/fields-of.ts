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

/**
 * The fields of an object that somebody can own, or of those only the ones in which it differs from an older state. A map and
 * the items of a list count themselves, beside what is in them.
 */
export function ownable(schema: Schema, metadata: Schema, object: KubeObject, old?: KubeObject): FieldTree {
  const result: Open = {}
  for (const name in object) {
    if (name === 'apiVersion' || name === 'kind') continue
    const field = name === 'metadata' ? metadata : below(schema, name)
    const found =
      name === 'metadata'
        ? metadataFields(metadata, object, old)
        : tree(field, object[name], old && (old[name] as unknown), old !== undefined)
    if (found !== undefined) result[`f:${name}`] = found
  }
  return result
}

function metadataFields(
  schema: Schema,
  object: KubeObject,
  old: KubeObject | undefined,
): FieldTree | undefined {
  const result: Open = {}
  const metadata = object.metadata as Fields
  for (const name in metadata) {
    if (reserved.has(name)) continue
    const before = old && (old.metadata as Fields)[name]
    const found = tree(below(schema, name), metadata[name], before, old !== undefined)
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
  schema: Schema | undefined,
  value: unknown,
  old: unknown,
  compare: boolean,
): FieldTree | undefined {
  if (value === undefined) return undefined
  const fresh = !compare || old === undefined
  if (isFields(value) && !isAtomic(schema)) {
    const isMap = schema?.properties === undefined
    const result: Open = {}
    const before = isFields(old) ? old : undefined
    for (const name in value) {
      const found = tree(
        schema && below(schema, name),
        value[name],
        before?.[name],
        compare && before !== undefined,
      )
      if (found !== undefined) result[`f:${name}`] = found
    }
    const children = someOf(result)
    if (children === undefined) return fresh || !isFields(old) ? leaf : undefined
    if (fresh && isMap) result['.'] = leaf
    return result
  }
  const kind = schema?.['x-kubernetes-list-type']
  if (Array.isArray(value) && (kind === 'map' || kind === 'set')) {
    const before = new Map(
      (Array.isArray(old) ? old : []).map(item => [itemElement(schema, item), item as unknown]),
    )
    const result: Open = {}
    for (const item of value) {
      const element = itemElement(schema, item) as string
      const known = compare && before.has(element)
      if (kind === 'set') {
        if (!known) result[element] = leaf
        continue
      }
      const found = tree(schema?.items, item, known ? before.get(element) : undefined, known)
      if (found !== undefined) result[element] = known ? found : { '.': leaf, ...found }
    }
    return someOf(result) ?? (fresh ? leaf : undefined)
  }
  return fresh || !equal(value, old) ? leaf : undefined
}
