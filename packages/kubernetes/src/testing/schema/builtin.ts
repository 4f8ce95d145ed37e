import { atomicMaps, atomicModels, keyDefaults, listKinds } from './list-keys.ts'
import { models } from './models.generated.ts'
import type { Schema } from './schema.ts'

const scalars: Readonly<Record<string, Schema>> = {
  string: { type: 'string' },
  boolean: { type: 'boolean' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  number: { type: 'number', format: 'double' },
  bytes: { type: 'string', format: 'byte', scalar: 'bytes' },
  time: { type: 'string', format: 'date-time', scalar: 'time' },
  microtime: { type: 'string', format: 'date-time', scalar: 'microtime' },
  quantity: { type: 'string', scalar: 'quantity' },
  intOrString: { 'x-kubernetes-int-or-string': true },
  any: { 'x-kubernetes-preserve-unknown-fields': true },
}

type Open<T> = { -readonly [Key in keyof T]: T[Key] }

const known = new Map<string, Schema>()

/** The schema of one of Kubernetes' own models; models refer to one another, and some to themselves. */
export function modelSchema(model: string): Schema {
  const found = known.get(model)
  if (found !== undefined) return found
  const fields = models[model]
  if (fields === undefined) throw new TypeError(`no such model: ${model}`)
  const properties: Record<string, Schema> = {}
  const schema: Open<Schema> = { type: 'object', properties, model }
  known.set(model, schema)
  const needed: string[] = []
  for (const [name, type] of Object.entries(fields)) {
    if (type.endsWith('!')) needed.push(name)
    properties[name] = fieldSchema(type.replace('!', ''), `${model}.${name}`)
  }
  if (needed.length > 0) schema.required = needed
  if (atomicModels.has(model)) schema['x-kubernetes-map-type'] = 'atomic'
  return schema
}

function fieldSchema(type: string, path: string): Schema {
  if (type.startsWith('[')) {
    const kind = listKinds[path]
    return {
      type: 'array',
      items: typeSchema(type.slice(1, -1)),
      'x-kubernetes-list-type': kind?.type ?? 'atomic',
      ...(kind?.keys === undefined ? {} : { 'x-kubernetes-list-map-keys': kind.keys }),
      ...(kind?.mergeKey === undefined ? {} : { 'x-kubernetes-patch-strategy': 'merge' }),
      ...(kind?.mergeKey ? { 'x-kubernetes-patch-merge-key': kind.mergeKey } : {}),
    }
  }
  if (type.startsWith('{'))
    return {
      type: 'object',
      additionalProperties: typeSchema(type.slice(1, -1)),
      ...(atomicMaps.has(path) ? { 'x-kubernetes-map-type': 'atomic' as const } : {}),
    }
  const fallback = keyDefaults[path]
  return fallback === undefined ? typeSchema(type) : { ...typeSchema(type), default: fallback }
}

const typeSchema = (type: string): Schema =>
  type.startsWith('[') || type.startsWith('{') ? fieldSchema(type, '') : (scalars[type] ?? modelSchema(type))
