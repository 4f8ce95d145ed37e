import { isFields, own } from '../api/object.ts'
import type { Schema } from './schema.ts'

/** A value that does not fit the type of its field, so that the object cannot be read at all. */
export interface DecodeProblem {
  readonly path: string
  readonly expected: string
  readonly found: string
}

const kindOf = (value: unknown): string =>
  Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value

/** RFC 3339 as the API server writes it: UTC, with whole seconds or with microseconds. */
export function timestamp(date: Date, digits: 0 | 6 = 0): string {
  const text = date.toISOString()
  return digits === 0 ? `${text.slice(0, 19)}Z` : `${text.slice(0, 23)}000Z`
}

const rfc3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.(\d+))?(?:Z|[+-]\d{2}:\d{2})$/i

/** The same instant in the API server's notation; nothing when the text is not RFC 3339. */
function normalTime(text: string, micro: boolean): string | undefined {
  const fraction = rfc3339.exec(text)
  const at = fraction ? Date.parse(text) : Number.NaN
  if (!fraction || Number.isNaN(at)) return undefined
  if (!micro) return timestamp(new Date(at))
  // Where microseconds are kept they have to be said, all six digits.
  if (fraction[1]?.length !== 6) return undefined
  return `${new Date(at).toISOString().slice(0, 19)}.${fraction[1]}Z`
}

/**
 * Reads a value of one of Kubernetes' own kinds in place, as a decoder with fixed types does: what the schema does not know is
 * dropped and reported by path, nulls and empty lists and maps are absent, times and quantities get their usual form.
 */
export class Decoder {
  readonly unknown: string[] = []
  readonly problems: DecodeProblem[] = []

  /** The value as it is kept; nothing for one that counts as absent. */
  decode(schema: Schema, value: unknown, path = ''): unknown {
    if (value === null || value === undefined) return undefined
    if (schema['x-kubernetes-preserve-unknown-fields'] === true) return value
    if (schema['x-kubernetes-int-or-string'] === true)
      return typeof value === 'string' || Number.isInteger(value)
        ? value
        : this.#wrong(path, 'int or string', value)
    switch (schema.type) {
      case 'string':
        return this.#string(schema, value, path)
      case 'integer':
        return Number.isInteger(value) ? value : this.#wrong(path, schema.format ?? 'int64', value)
      case 'number':
        return typeof value === 'number' ? value : this.#wrong(path, 'float64', value)
      case 'boolean':
        return typeof value === 'boolean' ? value : this.#wrong(path, 'bool', value)
      case 'array':
        return this.#list(schema, value, path)
      default:
        return this.#object(schema, value, path)
    }
  }

  #wrong(path: string, expected: string, value: unknown): undefined {
    this.problems.push({ path, expected, found: kindOf(value) })
    return undefined
  }

  #string(schema: Schema, value: unknown, path: string): string | undefined {
    if (schema.scalar === 'quantity' && typeof value === 'number') return String(value)
    if (typeof value !== 'string') return this.#wrong(path, 'string', value)
    if (schema.scalar === 'time' || schema.scalar === 'microtime')
      return normalTime(value, schema.scalar === 'microtime') ?? this.#wrong(path, 'RFC 3339 time', value)
    if (schema.scalar === 'bytes' && !/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(value))
      return this.#wrong(path, 'base64 data', value)
    return value
  }

  #list(schema: Schema, value: unknown, path: string): unknown {
    if (!Array.isArray(value)) return this.#wrong(path, 'list', value)
    if (value.length === 0) return undefined
    const { items = {} } = schema
    for (let index = 0; index < value.length; index++)
      value[index] = this.decode(items, value[index], `${path}[${index}]`) ?? empty(items)
    return value
  }

  #object(schema: Schema, value: unknown, path: string): unknown {
    if (!isFields(value)) return this.#wrong(path, 'object', value)
    const { properties, additionalProperties } = schema
    let count = 0
    for (const key in value) {
      const field = properties ? own(properties, key) : (additionalProperties as Schema)
      const at = path === '' ? key : `${path}.${key}`
      if (field === undefined) {
        this.unknown.push(at)
        delete value[key]
        continue
      }
      const raw = value[key]
      const decoded = this.decode(field, raw, at) ?? (properties ? undefined : empty(field))
      if (decoded === undefined) delete value[key]
      else {
        count++
        if (decoded !== raw) value[key] = decoded
      }
    }
    // A map that became empty is absent; an object stays, because that it is there can mean something.
    return count === 0 && !properties ? undefined : value
  }
}

/** What stands for a null item of a list or map. */
function empty(schema: Schema): unknown {
  switch (schema.type) {
    case 'string':
      return ''
    case 'integer':
    case 'number':
      return 0
    case 'boolean':
      return false
    case 'array':
      return []
    default:
      return schema['x-kubernetes-preserve-unknown-fields'] === true ? null : {}
  }
}
