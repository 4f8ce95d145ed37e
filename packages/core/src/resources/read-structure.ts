import { type Check, checks } from './checks.ts'
import { nearest } from './nearest.ts'
import type { Report } from './report.ts'
import type { ObjectStructure, Structure } from './structure.ts'
import { type Fields, fieldPath, isFields, mismatch, textMap } from './value.ts'

const wanted: Readonly<Record<Structure['type'], string>> = {
  string: 'text',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  map: 'an object',
  object: 'an object',
}

const quoted = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)

function bounds({ minimum, maximum }: Structure & { readonly type: 'integer' }): string {
  if (minimum !== undefined && maximum !== undefined) return `from ${minimum} to ${maximum}`
  return minimum === undefined ? `at most ${maximum}` : `at least ${minimum}`
}

/** What a string or number violates, if anything. */
function complaint(structure: Structure, value: unknown): string | undefined {
  if (structure.type === 'integer') {
    const number = value as number
    const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = structure
    if (!Number.isSafeInteger(number)) return `must be a whole number, not ${number}`
    if (number < minimum || number > maximum) return `must be ${bounds(structure)}, not ${number}`
  }
  if (structure.type === 'string') {
    const text = value as string
    const { minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern } = structure
    if (structure.enum && !structure.enum.includes(text)) {
      return `must be ${structure.enum.join(' or ')}, not ${quoted(text)}`
    }
    if (text.length < minLength) return 'must not be empty'
    if (text.length > maxLength) return `must have at most ${maxLength} characters, not ${text.length}`
    if (pattern !== undefined && !new RegExp(pattern, 'u').test(text)) return `must match ${pattern}`
  }
  return undefined
}

function hasType(type: Structure['type'], value: unknown): boolean {
  if (type === 'integer') return typeof value === 'number'
  if (type === 'array') return Array.isArray(value)
  if (type === 'map' || type === 'object') return isFields(value)
  return typeof value === type
}

const withoutNulls = (from: Fields): Fields =>
  Object.fromEntries(Object.entries(from).filter(([, value]) => value !== null))

function unknownField(report: Report, path: string, key: string, names: readonly string[]): void {
  const meant = nearest(key, names)
  const hint = meant === undefined ? '' : `; did you mean ${fieldPath(path, meant)}?`
  report.warning(fieldPath(path, key), `is not a known field and is dropped${hint}`)
}

function readObject(report: Report, structure: ObjectStructure, from: Fields, path: string): Fields {
  const { properties, required = [] } = structure
  const names = Object.keys(properties)
  const out: Record<string, unknown> = {}
  for (const name of names) {
    const field = properties[name] as Structure
    // A null field is an absent one, as the API server has it: it drops nulls before it fills in defaults and validates.
    const value = (Object.hasOwn(from, name) ? from[name] : undefined) ?? undefined
    const at = fieldPath(path, name)
    if (value !== undefined) {
      const read = readStructure(report, field, value, at)
      if (read !== undefined) out[name] = read
    } else if (field.default !== undefined) out[name] = field.default
    else if (required.includes(name)) report.error(at, 'is required')
  }
  for (const key of Object.keys(from))
    if (!Object.hasOwn(properties, key)) unknownField(report, path, key, names)
  return out
}

/**
 * Reads a value of a known shape as the API server would: defaults filled in, unknown fields dropped (a warning each), every
 * violation reported as an error with its path. Gives a copy that shares nothing with `value`, or undefined where the value
 * cannot be used.
 */
export function readStructure(report: Report, structure: Structure, value: unknown, path: string): unknown {
  if (!hasType(structure.type, value)) {
    report.error(path, mismatch(wanted[structure.type], value))
    return undefined
  }
  const wrong = complaint(structure, value)
  if (wrong !== undefined) {
    report.error(path, wrong)
    return undefined
  }
  let out = value
  if (structure.type === 'array') {
    const { items, minItems = 0 } = structure
    const list = value as readonly unknown[]
    if (list.length < minItems) report.error(path, `must have at least ${minItems} item`)
    out = Array.from(list, (item, i) => readStructure(report, items, item, `${path}[${i}]`))
  } else if (structure.type === 'map') out = textMap(report, withoutNulls(value as Fields), path)
  else if (structure.type === 'object') out = readObject(report, structure, value as Fields, path)
  for (const name of structure.checks ?? []) {
    const { holds, message }: Check = checks[name]
    if (holds?.(out) === false) report.error(path, message)
  }
  return out
}
