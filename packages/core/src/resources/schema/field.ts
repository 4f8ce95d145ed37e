import * as z from 'zod'
import { type Check, type CheckName, checks } from '../checks.ts'

/** Adds rules to a schema: zod enforces them, and the generator finds their names and their CEL text. */
function checked<T extends z.ZodType>(schema: T, names: readonly CheckName[]): T {
  const meta = schema.meta()
  let out = schema
  for (const name of names) {
    const { holds, message }: Check = checks[name]
    if (holds) out = out.refine(holds, message) as T
  }
  const validations = names.flatMap(name => {
    const { cel, message }: Check = checks[name]
    return cel === undefined ? [] : [{ rule: cel, message }]
  })
  const rules = validations.length > 0 ? { 'x-kubernetes-validations': validations } : {}
  return out.meta({ ...meta, ...rules, 'x-checks': names }) as T
}

/** A string. */
export function text(description: string): z.ZodString {
  return z.string().meta({ description })
}

/** A boolean. */
export function flag(description: string): z.ZodBoolean {
  return z.boolean().meta({ description })
}

/** A whole number within the bounds that the API server checks. */
export function integer(
  description: string,
  options: { readonly min?: number; readonly max?: number; readonly format?: 'int32' | 'int64' } = {},
): z.ZodNumber {
  const { min, max, format } = options
  let schema: z.ZodNumber = z.int()
  if (min !== undefined) schema = schema.min(min)
  if (max !== undefined) schema = schema.max(max)
  return schema.meta(format ? { description, format } : { description })
}

/** A number from 0 to 4294967295 that MetalLB's schema leaves without bounds: its decoder has them. */
export function uint32(description: string): z.ZodNumber {
  return checked(z.int().meta({ description, format: 'int64' }), ['uint32'])
}

/** A duration such as "90s". To the API server it is any string, as every Kubernetes duration is. */
export function duration(description: string, rules: readonly CheckName[] = []): z.ZodString {
  return checked(text(description), ['duration', ...rules])
}

/** A list. */
export function list<T extends z.ZodType>(item: T, description: string): z.ZodArray<T> {
  return z.array(item).meta({ description })
}

/** A map from text to text. */
export function textMap(description: string): z.ZodRecord<z.ZodString, z.ZodString> {
  return z.record(z.string(), z.string()).meta({ description })
}

/** An object whose fields must agree with one another. */
export function agreeing<T extends z.ZodType>(schema: T, rules: readonly CheckName[]): T {
  return checked(schema, rules)
}

/** A value that may not change once it is there. */
export function immutable<T extends z.ZodType>(schema: T): T {
  return checked(schema, ['immutable'])
}
