import { clone } from '../api/clone.ts'
import { isFields, own } from '../api/object.ts'
import type { Schema } from './schema.ts'

/** Fills in the defaults of a structural schema, in place. Nulls give way to a default unless they are allowed. */
export function applyDefaults(schema: Schema, value: unknown): void {
  if (Array.isArray(value)) {
    if (schema.items !== undefined) for (const item of value) applyDefaults(schema.items, item)
    return
  }
  if (!isFields(value)) return
  const { properties, additionalProperties } = schema
  for (const name in properties) {
    const field = properties[name] as Schema
    const missing = value[name] === undefined
    if (missing || (value[name] === null && field.nullable !== true)) {
      if (field.default !== undefined) value[name] = clone(field.default)
      else if (!missing) delete value[name]
    }
    if (value[name] !== undefined) applyDefaults(field, value[name])
  }
  if (typeof additionalProperties === 'object')
    for (const name in value)
      if (own(properties, name) === undefined) applyDefaults(additionalProperties, value[name])
}
