import { clone } from '../api/clone.ts'
import { type FieldError, forbiddenField, invalidValue, notSupported, required } from '../api/field-error.ts'
import { brokenRules } from '../schema/cel.ts'
import { applyDefaults } from '../schema/defaults.ts'
import { prune } from '../schema/prune.ts'
import { below, type Schema } from '../schema/schema.ts'
import { validate } from '../schema/validate.ts'

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string']
const scalars = ['boolean', 'integer', 'number', 'string']
const junctors = ['allOf', 'anyOf', 'oneOf'] as const
const neverAllowed = ['$ref', 'definitions', 'dependencies', 'id', 'patternProperties', 'additionalItems']
/** What only the structure itself may say, not the conditions within it. */
const structureOnly = ['description', 'type', 'default', 'additionalProperties', 'nullable', 'items'] as const

/** What keeps a schema from being a structural one, or the API server from using it. */
export function structuralErrors(schema: Schema, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (schema.type !== 'object')
    errors.push(
      schema.type === undefined
        ? required(`${path}.type`, 'must not be empty at the root')
        : invalidValue(`${path}.type`, schema.type, 'must be object at the root'),
    )
  if (schema.nullable === true)
    errors.push(forbiddenField(`${path}.nullable`, 'nullable cannot be true at the root'))
  level(schema, path, errors, 0)
  const { metadata } = schema.properties ?? {}
  if (metadata !== undefined) errors.push(...metadataErrors(metadata, `${path}.properties[metadata]`))
  return errors
}

/** The metadata of objects is for Kubernetes to describe. */
function metadataErrors(schema: Schema, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (schema.type !== 'object') errors.push(invalidValue(`${path}.type`, schema.type, 'must be object'))
  for (const name of Object.keys(schema.properties ?? {}))
    if (name !== 'name' && name !== 'generateName')
      errors.push(
        forbiddenField(
          `${path}.properties[${name}]`,
          'must not specify anything other than name and generateName, but metadata is implicitly specified',
        ),
      )
  if (schema.default !== undefined)
    errors.push(forbiddenField(`${path}.default`, 'must not be set in metadata'))
  return errors
}

function level(schema: Schema, path: string, errors: FieldError[], depth: number): void {
  const anything =
    schema['x-kubernetes-int-or-string'] === true || schema['x-kubernetes-preserve-unknown-fields'] === true
  if (schema.type === undefined && !anything && depth > 0)
    errors.push(required(`${path}.type`, 'must not be empty for specified object fields'))
  if (schema.type !== undefined && !types.includes(schema.type))
    errors.push(notSupported(`${path}.type`, schema.type, types))
  if (schema.type !== undefined && schema['x-kubernetes-int-or-string'] === true)
    errors.push(forbiddenField(`${path}.type`, 'must be empty if x-kubernetes-int-or-string is true'))
  for (const keyword of neverAllowed)
    if ((schema as Record<string, unknown>)[keyword] !== undefined)
      errors.push(forbiddenField(`${path}.${keyword}`, `${keyword} is not supported`))
  if (schema.uniqueItems === true)
    errors.push(
      forbiddenField(
        `${path}.uniqueItems`,
        'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      ),
    )
  if (schema['x-kubernetes-preserve-unknown-fields'] === false)
    errors.push(
      invalidValue(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'),
    )
  if (schema.pattern !== undefined) patternErrors(schema.pattern, path, errors)
  boundErrors(schema, path, errors)
  listErrors(schema, path, errors)
  objectErrors(schema, path, errors, depth)
  for (const junctor of junctors)
    for (const [index, one] of (schema[junctor] ?? []).entries())
      junct(one, schema, `${path}.${junctor}[${index}]`, errors)
  if (schema.not !== undefined) junct(schema.not, schema, `${path}.not`, errors)
  errors.push(...brokenRules(schema, path))
  if (schema.default !== undefined) defaultErrors(schema, path, errors)
}

function patternErrors(pattern: string, path: string, errors: FieldError[]): void {
  try {
    new RegExp(pattern, 'u')
  } catch (error) {
    errors.push(
      invalidValue(
        `${path}.pattern`,
        pattern,
        `must be a valid regular expression, but isn't: ${(error as Error).message}`,
      ),
    )
  }
}

const widths: Readonly<Record<string, number>> = { int32: 2 ** 31, int64: 2 ** 63 }

function boundErrors({ format, minimum, maximum }: Schema, path: string, errors: FieldError[]): void {
  const width = format === undefined ? undefined : widths[format]
  if (width === undefined) return
  if (minimum !== undefined && minimum < -width)
    errors.push(invalidValue(`${path}.minimum`, minimum, `must lie within the range of ${format}`))
  if (maximum !== undefined && maximum >= width)
    errors.push(invalidValue(`${path}.maximum`, maximum, `must lie within the range of ${format}`))
}

function listErrors(schema: Schema, path: string, errors: FieldError[]): void {
  const { items } = schema
  if (schema.type === 'array' && items === undefined)
    errors.push(required(`${path}.items`, 'must be specified'))
  if (items !== undefined) level(items, `${path}.items`, errors, 1)
  const kind = schema['x-kubernetes-list-type']
  const at = `${path}.x-kubernetes-list-type`
  if (kind === undefined) {
    if (schema['x-kubernetes-list-map-keys'] !== undefined)
      errors.push(required(at, 'must be map if x-kubernetes-list-map-keys is non-empty'))
    return
  }
  if (!['atomic', 'set', 'map'].includes(kind)) errors.push(notSupported(at, kind, ['atomic', 'set', 'map']))
  if (schema.type !== 'array')
    errors.push(
      invalidValue(`${path}.type`, schema.type ?? '', 'must be array if x-kubernetes-list-type is specified'),
    )
  if (kind === 'set' && items !== undefined && !isAtom(items))
    errors.push(
      invalidValue(
        `${path}.items.type`,
        items.type,
        'set items must be scalars, or maps or lists that are atomic',
      ),
    )
  if (kind === 'map') mapKeyErrors(schema, path, errors)
}

const isAtom = (items: Schema): boolean =>
  scalars.includes(items.type ?? 'string') ||
  items['x-kubernetes-map-type'] === 'atomic' ||
  (items.type === 'array' && (items['x-kubernetes-list-type'] ?? 'atomic') === 'atomic')

function mapKeyErrors(schema: Schema, path: string, errors: FieldError[]): void {
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const { items } = schema
  if (keys.length === 0)
    errors.push(
      required(`${path}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map'),
    )
  if (items?.type !== 'object') {
    errors.push(
      invalidValue(
        `${path}.items.type`,
        items?.type ?? '',
        "must be object if parent array's x-kubernetes-list-type is map",
      ),
    )
    return
  }
  for (const key of keys) {
    const field = items.properties?.[key]
    const at = `${path}.items.properties[${key}]`
    if (field === undefined)
      errors.push(
        invalidValue(
          `${path}.x-kubernetes-list-map-keys`,
          key,
          'entries must all be names of item properties',
        ),
      )
    else if (!scalars.includes(field.type ?? ''))
      errors.push(
        invalidValue(
          `${at}.type`,
          field.type,
          "must be a scalar type if parent array's x-kubernetes-list-type is map",
        ),
      )
    else if (!items.required?.includes(key) && field.default === undefined)
      errors.push(
        required(
          `${at}.default`,
          'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
        ),
      )
  }
}

function objectErrors(schema: Schema, path: string, errors: FieldError[], depth: number): void {
  const { properties, additionalProperties } = schema
  if (properties !== undefined && additionalProperties !== undefined && additionalProperties !== false)
    errors.push(forbiddenField(`${path}.additionalProperties`, 'must not be used together with properties'))
  if (additionalProperties === false)
    errors.push(forbiddenField(`${path}.additionalProperties`, 'additionalProperties cannot be set to false'))
  if (depth === 0 && additionalProperties !== undefined)
    errors.push(forbiddenField(`${path}.additionalProperties`, 'must not be used at the root'))
  for (const [name, field] of Object.entries(properties ?? {}))
    if (depth > 0 || name !== 'metadata') level(field, `${path}.properties[${name}]`, errors, depth + 1)
  if (typeof additionalProperties === 'object')
    level(additionalProperties, `${path}.additionalProperties`, errors, depth + 1)
  if (schema['x-kubernetes-embedded-resource'] === true) {
    if (schema.type !== 'object')
      errors.push(
        invalidValue(`${path}.type`, schema.type, 'must be object if x-kubernetes-embedded-resource is true'),
      )
    if (properties === undefined && schema['x-kubernetes-preserve-unknown-fields'] !== true)
      errors.push(
        required(
          `${path}.properties`,
          'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
        ),
      )
  }
  const mapType = schema['x-kubernetes-map-type']
  if (mapType !== undefined && schema.type !== 'object')
    errors.push(
      invalidValue(`${path}.type`, schema.type, 'must be object if x-kubernetes-map-type is specified'),
    )
}

/** A condition may only speak of what the structure has. */
function junct(schema: Schema, structure: Schema | undefined, path: string, errors: FieldError[]): void {
  const loose = structure?.['x-kubernetes-int-or-string'] === true
  for (const keyword of structureOnly) {
    if (keyword === 'items' || (keyword === 'type' && loose)) continue
    if (schema[keyword] !== undefined)
      errors.push(forbiddenField(`${path}.${keyword}`, 'must be empty to be structural'))
  }
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const known = below(structure, name)
    if (known === undefined)
      errors.push(
        required(
          `${path.replace(/\.(allOf|anyOf|oneOf)\[\d+\]$|\.not$/, '')}.properties[${name}]`,
          `because it is defined in ${path}.properties[${name}]`,
        ),
      )
    junct(field, known, `${path}.properties[${name}]`, errors)
  }
  if (schema.items !== undefined) junct(schema.items, structure?.items, `${path}.items`, errors)
  for (const junctor of junctors)
    for (const [index, one] of (schema[junctor] ?? []).entries())
      junct(one, structure, `${path}.${junctor}[${index}]`, errors)
  if (schema.not !== undefined) junct(schema.not, structure, `${path}.not`, errors)
}

/** A default has to be a value that an object could have. */
function defaultErrors(schema: Schema, path: string, errors: FieldError[]): void {
  const at = `${path}.default`
  const value = clone(schema.default)
  applyDefaults(schema, value)
  const found = validate(schema, value, at)
  errors.push(...found)
  if (found.length > 0) return
  const dropped = prune({ type: 'object', properties: { value: schema } }, { value })
  if (dropped.length > 0) errors.push(invalidValue(at, schema.default, 'must not have unknown fields'))
}
