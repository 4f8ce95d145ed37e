import { equal } from '../api/equal.ts'
import { type FieldError, invalidValue, notSupported, required, tooLong } from '../api/field-error.ts'
import { isFields, own } from '../api/object.ts'
import type { Schema } from './schema.ts'

const typeName = (value: unknown): string => {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

const fits = (type: string, value: unknown): boolean => {
  const found = typeName(value)
  return found === type || (type === 'number' && found === 'integer')
}

const isIntOrString = (value: unknown): boolean => typeof value === 'string' || Number.isInteger(value)

const patterns = new Map<string, RegExp>()

function pattern(text: string): RegExp {
  let found = patterns.get(text)
  if (found === undefined) {
    found = new RegExp(text, 'u')
    patterns.set(text, found)
  }
  return found
}

const formats: Readonly<Record<string, (value: string) => boolean>> = {
  'date-time': value => /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/.test(value),
  date: value => /^\d{4}-\d{2}-\d{2}$/.test(value),
  byte: value => /^[A-Za-z0-9+/]*={0,2}$/.test(value),
  uuid: value => /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(value),
  ipv4: value => /^\d{1,3}(\.\d{1,3}){3}$/.test(value) && value.split('.').every(part => Number(part) < 256),
  duration: value => /^-?(\d+(\.\d+)?(ns|us|µs|ms|s|m|h|d|w))+$/.test(value),
}

const int32 = 2 ** 31

/** What breaks a structural schema: types, bounds, patterns, required fields. Rules in CEL are another matter. */
export function validate(schema: Schema, value: unknown, path = ''): FieldError[] {
  const errors: FieldError[] = []
  check(schema, value, path, errors)
  return errors
}

function check(schema: Schema, value: unknown, path: string, errors: FieldError[]): void {
  const body = (why: string): void => {
    errors.push(invalidValue(path, value, `${path} in body ${why}`))
  }
  if (value === null && schema.nullable === true) return
  const either = schema['x-kubernetes-int-or-string'] === true
  const type = either ? 'integer,string' : schema.type
  if (type !== undefined && !(either ? isIntOrString(value) : fits(type, value))) {
    wrongType(path, type, value, errors)
    return
  }
  if (schema.enum !== undefined && !schema.enum.some(one => equal(one, value)))
    errors.push(notSupported(path, value, schema.enum.map(String)))
  if (typeof value === 'string') checkString(schema, value, path, body, errors)
  else if (typeof value === 'number') checkNumber(schema, value, body)
  else if (Array.isArray(value)) checkList(schema, value, path, body, errors)
  else if (isFields(value)) checkObject(schema, value, path, body, errors)
  checkCombinations(schema, value, path, body, errors)
}

function wrongType(path: string, type: string, value: unknown, errors: FieldError[]): void {
  const found = typeName(value)
  errors.push({
    reason: 'FieldValueTypeInvalid',
    field: path,
    value: found,
    detail: `${path} in body must be of type ${type}: "${found}"`,
  })
}

type Body = (why: string) => void

function checkString(schema: Schema, value: string, path: string, body: Body, errors: FieldError[]): void {
  const { minLength, maxLength, format } = schema
  const length = minLength === undefined && maxLength === undefined ? 0 : [...value].length
  if (minLength !== undefined && length < minLength) body(`should be at least ${minLength} chars long`)
  if (maxLength !== undefined && length > maxLength) errors.push(tooLong(path, maxLength))
  if (schema.pattern !== undefined && !pattern(schema.pattern).test(value))
    body(`should match '${schema.pattern}'`)
  if (format !== undefined && formats[format]?.(value) === false)
    body(`must be of type ${format}: ${JSON.stringify(value)}`)
}

function checkNumber(schema: Schema, value: number, body: Body): void {
  const { minimum, maximum, multipleOf, format } = schema
  if (minimum !== undefined) {
    const strict = schema.exclusiveMinimum === true
    if (value < minimum || (strict && value === minimum))
      body(`should be greater than ${strict ? '' : 'or equal to '}${minimum}`)
  }
  if (maximum !== undefined) {
    const strict = schema.exclusiveMaximum === true
    if (value > maximum || (strict && value === maximum))
      body(`should be less than ${strict ? '' : 'or equal to '}${maximum}`)
  }
  if (multipleOf !== undefined && value % multipleOf !== 0) body(`should be a multiple of ${multipleOf}`)
  if (format === 'int32' && (value < -int32 || value >= int32))
    body(`must be of type int32: ${JSON.stringify(value)}`)
}

function checkList(
  schema: Schema,
  value: readonly unknown[],
  path: string,
  body: Body,
  errors: FieldError[],
): void {
  const { items, minItems, maxItems } = schema
  if (minItems !== undefined && value.length < minItems) body(`should have at least ${minItems} items`)
  if (maxItems !== undefined && value.length > maxItems)
    errors.push({
      reason: 'FieldValueTooMany',
      field: path,
      value: value.length,
      detail: `must have at most ${maxItems} items`,
    })
  if (schema.uniqueItems === true && hasTwice(value)) body("shouldn't contain duplicates")
  if (items !== undefined)
    for (const [index, item] of value.entries()) check(items, item, `${path}[${index}]`, errors)
  checkKeys(schema, value, path, errors)
}

const hasTwice = (value: readonly unknown[]): boolean =>
  value.some((item, index) => value.slice(0, index).some(other => equal(other, item)))

/** Sets and map lists hold nothing twice. */
function checkKeys(schema: Schema, value: readonly unknown[], path: string, errors: FieldError[]): void {
  const kind = schema['x-kubernetes-list-type']
  if (kind !== 'set' && kind !== 'map') return
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const seen = new Set<string>()
  value.forEach((item, index) => {
    const key =
      kind === 'set' || !isFields(item)
        ? item
        : Object.fromEntries(keys.map(name => [name, item[name]] as const))
    const text = JSON.stringify(key)
    if (seen.has(text))
      errors.push({ reason: 'FieldValueDuplicate', field: `${path}[${index}]`, value: key, detail: '' })
    seen.add(text)
  })
}

function checkObject(
  schema: Schema,
  value: Readonly<Record<string, unknown>>,
  path: string,
  body: Body,
  errors: FieldError[],
): void {
  const { properties, additionalProperties, minProperties, maxProperties } = schema
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`)
  if (minProperties !== undefined && Object.keys(value).length < minProperties)
    body(`should have at least ${minProperties} properties`)
  if (maxProperties !== undefined && Object.keys(value).length > maxProperties)
    errors.push({
      reason: 'FieldValueTooMany',
      field: path,
      value: Object.keys(value).length,
      detail: `must have at most ${maxProperties} items`,
    })
  for (const name of schema.required ?? []) if (value[name] === undefined) errors.push(required(at(name)))
  for (const name in value) {
    const field =
      own(properties, name) ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined)
    if (field !== undefined && value[name] !== undefined) check(field, value[name], at(name), errors)
  }
}

function checkCombinations(
  schema: Schema,
  value: unknown,
  path: string,
  body: Body,
  errors: FieldError[],
): void {
  const holds = (one: Schema): boolean => validate(one, value, path).length === 0
  for (const one of schema.allOf ?? []) check(one, value, path, errors)
  if (schema.anyOf !== undefined && !schema.anyOf.some(holds))
    body('must validate at least one schema (anyOf)')
  if (schema.oneOf !== undefined && schema.oneOf.filter(holds).length !== 1)
    body('must validate one and only one schema (oneOf)')
  if (schema.not !== undefined && holds(schema.not)) body('must not validate the schema (not)')
}
