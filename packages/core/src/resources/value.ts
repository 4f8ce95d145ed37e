import type { Report } from './report.ts'

/** An object of which nothing is known but that it is one. */
export type Fields = Readonly<Record<string, unknown>>

/** A type while its value is being put together. */
export type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

const noFields: Fields = Object.freeze({})
const nothing: readonly never[] = Object.freeze([])
const noText: Readonly<Record<string, string>> = Object.freeze({})

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What a value is, in the words of someone who writes YAML. */
function nameOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'string') return 'text'
  if (typeof value === 'number') return 'a number'
  if (typeof value === 'boolean') return 'true or false'
  return 'an object'
}

/** The path of a field within the object at `path`: `spec.peers`, `metadata.labels["app.kubernetes.io/name"]`. */
export function fieldPath(path: string, key: string): string {
  if (!/^[A-Za-z_][\w-]*$/.test(key)) return `${path}[${JSON.stringify(key.slice(0, 80))}]`
  return path === '' ? key : `${path}.${key}`
}

/** A field by its own name: what an object inherits is not in it. Null is absent, as it is to Kubernetes here. */
function own(from: Fields, key: string): unknown {
  const value = from[key]
  return value === null || value === undefined || !Object.hasOwn(from, key) ? undefined : value
}

/** Says that a value has the wrong type. Never shows the value: it may be a secret. */
export function mismatch(wanted: string, value: unknown): string {
  const scalar = typeof value === 'number' || typeof value === 'boolean'
  return wanted === 'text' && scalar
    ? 'must be text: put it in quotes'
    : `must be ${wanted}, not ${nameOf(value)}`
}

function wrong(report: Report, path: string, key: string, wanted: string, value: unknown): undefined {
  report.error(fieldPath(path, key), mismatch(wanted, value))
  return undefined
}

/** A string field; undefined when absent. Anything else is reported. */
export function textField(report: Report, from: Fields, path: string, key: string): string | undefined {
  const value = own(from, key)
  if (value === undefined || typeof value === 'string') return value
  return wrong(report, path, key, 'text', value)
}

/** A boolean field; undefined when absent. */
export function flagField(report: Report, from: Fields, path: string, key: string): boolean | undefined {
  const value = own(from, key)
  if (value === undefined || typeof value === 'boolean') return value
  return wrong(report, path, key, 'true or false', value)
}

/** A TCP, UDP or SCTP port: 1 to 65535. It must be there. */
export function portField(report: Report, from: Fields, path: string, key: string): number | undefined {
  const value = own(from, key)
  if (typeof value !== 'number') return wrong(report, path, key, 'a port from 1 to 65535', value)
  if (Number.isInteger(value) && value >= 1 && value <= 65535) return value
  report.error(fieldPath(path, key), `must be a port from 1 to 65535, not ${value}`)
  return undefined
}

/** An object field; an empty one when absent. */
export function objectField(report: Report, from: Fields, path: string, key: string): Fields {
  const value = own(from, key)
  if (value === undefined) return noFields
  return isFields(value) ? value : (wrong(report, path, key, 'an object', value) ?? noFields)
}

/** A list of objects, each of them read by `read`, which is given the item's path; empty when absent. */
export function itemsField<T>(
  report: Report,
  from: Fields,
  path: string,
  key: string,
  read: (item: Fields, path: string) => T | undefined,
): readonly T[] {
  const value = own(from, key)
  if (value === undefined) return nothing
  if (!Array.isArray(value)) return wrong(report, path, key, 'a list', value) ?? nothing
  const list = path === '' ? key : `${path}.${key}`
  const out: T[] = []
  for (let i = 0; i < value.length; i++) {
    const item: unknown = value[i]
    const at = `${list}[${i}]`
    if (!isFields(item)) report.error(at, mismatch('an object', item))
    else {
      const result = read(item, at)
      if (result !== undefined) out.push(result)
    }
  }
  return out
}

/** A list of strings; empty when absent. */
export function textsField(report: Report, from: Fields, path: string, key: string): readonly string[] {
  const value = own(from, key)
  if (value === undefined) return nothing
  if (!Array.isArray(value)) return wrong(report, path, key, 'a list', value) ?? nothing
  const out: string[] = []
  for (let i = 0; i < value.length; i++) {
    const item: unknown = value[i]
    if (typeof item === 'string') out.push(item)
    else report.error(`${fieldPath(path, key)}[${i}]`, mismatch('text', item))
  }
  return out
}

/** A map from text to text, such as labels; empty when absent. */
export function textMapField(
  report: Report,
  from: Fields,
  path: string,
  key: string,
): Readonly<Record<string, string>> {
  const value = own(from, key)
  if (value === undefined) return noText
  if (!isFields(value)) return wrong(report, path, key, 'an object', value) ?? noText
  return textMap(report, value, fieldPath(path, key))
}

/** The entries of a map from text to text. `__proto__` is no valid key of any map in Kubernetes, and is left out. */
export function textMap(report: Report, value: Fields, path: string): Readonly<Record<string, string>> {
  const out: Record<string, string> = {}
  for (const key of Object.keys(value)) {
    const item = value[key]
    if (key === '__proto__') continue
    if (typeof item === 'string') out[key] = item
    else report.error(fieldPath(path, key), mismatch('text', item))
  }
  return out
}
