import { Environment } from '@marcbachmann/cel-js'
import { type FieldError, type FieldReason, invalidValue } from '../api/field-error.ts'
import { isFields } from '../api/object.ts'
import { below, type Schema, type ValidationRule } from './schema.ts'

/** The type of a value in an expression: a word of CEL, or its fields by name. */
type CelType = string | { readonly [field: string]: CelType }

function celType(schema: Schema): CelType {
  if (
    schema['x-kubernetes-int-or-string'] === true ||
    schema['x-kubernetes-preserve-unknown-fields'] === true ||
    schema.nullable === true
  )
    return 'dyn'
  const nested = (inner: Schema | undefined): string => {
    const type = inner === undefined ? 'dyn' : celType(inner)
    return typeof type === 'string' ? type : 'dyn'
  }
  switch (schema.type) {
    case 'string':
      if (schema.format === 'date-time') return 'google.protobuf.Timestamp'
      return schema.format === 'duration' ? 'google.protobuf.Duration' : 'string'
    case 'integer':
      return 'int'
    case 'number':
      return 'double'
    case 'boolean':
      return 'bool'
    case 'array':
      return `list<${nested(schema.items)}>`
    case 'object':
      if (schema.properties !== undefined)
        return Object.fromEntries(
          Object.entries(schema.properties).map(([name, field]) => [name, celType(field)]),
        )
      return typeof schema.additionalProperties === 'object'
        ? `map<string, ${nested(schema.additionalProperties)}>`
        : 'dyn'
    default:
      return 'dyn'
  }
}

/** A value as expressions see it: integers apart from other numbers, times as dates. */
function celValue(schema: Schema | undefined, value: unknown): unknown {
  if (typeof value === 'number')
    return schema?.type === 'integer' || (schema?.type === undefined && Number.isInteger(value))
      ? BigInt(value)
      : value
  if (typeof value === 'string') return schema?.format === 'date-time' ? new Date(value) : value
  if (Array.isArray(value)) return value.map(item => celValue(schema?.items, item))
  if (isFields(value))
    return Object.fromEntries(
      Object.entries(value).map(([name, field]) => [
        name,
        celValue(schema ? below(schema, name) : undefined, field),
      ]),
    )
  return value
}

type Evaluate = (self: unknown, oldSelf: unknown) => unknown

interface Compiled {
  readonly rule: ValidationRule
  /** Compares with the value before, so that it is asked only where there is one. */
  readonly transition: boolean
  readonly holds: Evaluate
  /** Says what is wrong, where the rule has an expression for it. */
  readonly explain?: Evaluate
  readonly problem?: string
}

const compiled = new WeakMap<Schema, readonly Compiled[]>()

/** The rules of one level of a schema, ready to run; a rule that cannot be compiled carries its problem. */
function rulesOf(schema: Schema): readonly Compiled[] {
  const found = compiled.get(schema)
  if (found !== undefined) return found
  const rules = schema['x-kubernetes-validations'] ?? []
  const environment = rules.length === 0 ? undefined : environmentOf(schema)
  const made = rules.map(rule => compile(rule, environment as Environment))
  compiled.set(schema, made)
  return made
}

function compile(rule: ValidationRule, environment: Environment): Compiled {
  const transition = /\boldSelf\b/.test(rule.rule)
  const never: Compiled = { rule, transition, holds: () => false }
  if (rule.optionalOldSelf === true)
    return { ...never, problem: 'optionalOldSelf is not known to the API server for tests' }
  try {
    const holds = expression(environment, rule.rule, 'bool')
    return rule.messageExpression === undefined
      ? { rule, transition, holds }
      : { rule, transition, holds, explain: expression(environment, rule.messageExpression, 'string') }
  } catch (error) {
    return { ...never, problem: (error as Error).message }
  }
}

/** An expression, ready to run. @throws Error when it cannot be compiled, or is of another type */
function expression(environment: Environment, text: string, type: 'bool' | 'string'): Evaluate {
  const run = environment.parse(text)
  const result = run.check()
  if (!result.valid) throw result.error ?? new Error('it cannot be compiled')
  if (result.type !== type && result.type !== 'dyn')
    throw new Error(`must evaluate to ${type}, not to ${result.type}`)
  return (self, oldSelf) => run({ self, oldSelf })
}

function environmentOf(schema: Schema): Environment {
  const environment = new Environment({ homogeneousAggregateLiterals: false, enableOptionalTypes: true })
  const type = celType(schema)
  if (typeof type !== 'string') environment.registerType({ name: 'Self', schema: type })
  const name = typeof type === 'string' ? type : 'Self'
  return environment.registerVariable('self', name).registerVariable('oldSelf', name)
}

/** The rules of a schema that cannot be compiled, or are not a yes or a no, with the path of each. */
export function brokenRules(schema: Schema, path: string): FieldError[] {
  return rulesOf(schema).flatMap(({ rule, problem }, index) =>
    problem === undefined
      ? []
      : [
          invalidValue(
            `${path}.x-kubernetes-validations[${index}].rule`,
            rule.rule,
            `compilation failed: ${problem}`,
          ),
        ],
  )
}

const carries = new WeakMap<Schema, boolean>()

/** Whether there is a rule anywhere in the schema. */
function hasRules(schema: Schema): boolean {
  const found = carries.get(schema)
  if (found !== undefined) return found
  const { items, properties, additionalProperties } = schema
  const result =
    (schema['x-kubernetes-validations'] ?? []).length > 0 ||
    (items !== undefined && hasRules(items)) ||
    (typeof additionalProperties === 'object' && hasRules(additionalProperties)) ||
    Object.values(properties ?? {}).some(hasRules)
  carries.set(schema, result)
  return result
}

/** The rules that a value breaks. Rules about a change apply where the value before can be told. */
export function checkRules(schema: Schema, value: unknown, old: unknown, path = ''): FieldError[] {
  const errors: FieldError[] = []
  visit(schema, value, old, path, errors)
  return errors
}

function visit(schema: Schema, value: unknown, old: unknown, path: string, errors: FieldError[]): void {
  if (value === null || value === undefined || !hasRules(schema)) return
  const rules = rulesOf(schema)
  if (rules.length > 0) {
    const self = celValue(schema, value)
    const oldSelf = old === undefined ? undefined : celValue(schema, old)
    for (const one of rules) {
      if (one.transition && old === undefined) continue
      const error = judge(one, self, oldSelf, value, path)
      if (error !== undefined) errors.push(error)
    }
  }
  if (Array.isArray(value)) {
    const { items } = schema
    if (items !== undefined)
      for (const [index, item] of value.entries())
        visit(items, item, counterpart(schema, item, old), `${path}[${index}]`, errors)
  } else if (isFields(value))
    for (const name in value) {
      const field = below(schema, name)
      if (field !== undefined)
        visit(
          field,
          value[name],
          isFields(old) ? old[name] : undefined,
          path === '' ? name : `${path}.${name}`,
          errors,
        )
    }
}

/** The item of the list before that is the same one; only map lists can tell. */
function counterpart(schema: Schema, item: unknown, old: unknown): unknown {
  const keys = schema['x-kubernetes-list-map-keys']
  if (keys === undefined || !Array.isArray(old) || !isFields(item)) return undefined
  return old.find((other: unknown) => isFields(other) && keys.every(key => other[key] === item[key]))
}

function judge(
  { rule, holds, explain, problem }: Compiled,
  self: unknown,
  oldSelf: unknown,
  value: unknown,
  path: string,
): FieldError | undefined {
  let message = problem
  try {
    if (problem === undefined && holds(self, oldSelf) === true) return undefined
    const explained = explain?.(self, oldSelf)
    if (typeof explained === 'string') message = explained
  } catch (error) {
    message = `failed at run time: ${(error as Error).message}`
  }
  return {
    reason: (rule.reason as FieldReason | undefined) ?? 'FieldValueInvalid',
    field: `${path}${rule.fieldPath ?? ''}`,
    value: isFields(value) ? 'object' : Array.isArray(value) ? 'array' : value,
    detail: message ?? rule.message ?? `failed rule: ${rule.rule.trim()}`,
  }
}
