import { isFields, own } from '../api/object.ts'
import type { Schema } from './schema.ts'

const metadata: readonly string[] = ['apiVersion', 'kind', 'metadata']

/**
 * Drops in place what a structural schema does not know; gives the paths of what was dropped. At the root, and where another
 * object is embedded, `apiVersion`, `kind` and `metadata` are always known.
 */
export function prune(schema: Schema, value: unknown): string[] {
  const dropped: string[] = []
  visit(schema, value, '', true, dropped)
  return dropped
}

function visit(schema: Schema, value: unknown, path: string, root: boolean, dropped: string[]): void {
  if (Array.isArray(value)) {
    const { items } = schema
    if (items !== undefined)
      for (let index = 0; index < value.length; index++)
        visit(items, value[index], `${path}[${index}]`, false, dropped)
    return
  }
  if (!isFields(value)) return
  const { properties, additionalProperties } = schema
  const embedded = root || schema['x-kubernetes-embedded-resource'] === true
  const keep = schema['x-kubernetes-preserve-unknown-fields'] === true || additionalProperties === true
  for (const key in value) {
    if (embedded && metadata.includes(key)) continue
    const at = path === '' ? key : `${path}.${key}`
    const field =
      own(properties, key) ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined)
    if (field !== undefined) visit(field, value[key], at, false, dropped)
    else if (!keep) {
      delete value[key]
      dropped.push(at)
    }
  }
}
