import * as z from 'zod'
import { tryParseDuration } from './duration.ts'

/** A CEL rule that the API server enforces. `holds` is the same rule here; rules about the old object have none. */
export interface Rule<T> {
  readonly cel: string
  readonly message: string
  readonly holds?: (value: T) => boolean
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

/**
 * A number from 0 to 4294967295 that MetalLB's schema leaves unbounded: its API server admits any integer, its decoder
 * only these. So the bounds hold here and are not in the CRD.
 */
export function uint32(description: string): z.ZodNumber {
  return z
    .int()
    .refine(value => value >= 0 && value <= 0xffffffff, 'must be from 0 to 4294967295')
    .meta({ description, format: 'int64' })
}

/** A duration such as "90s". The CRD says string, as Kubernetes does; the syntax is checked here. */
export function duration(description: string): z.ZodString {
  return z
    .string()
    .refine(
      value => tryParseDuration(value) !== undefined,
      'is not a duration: write a number and a unit, such as "90s", "1m30s" or "500ms"',
    )
    .meta({ description })
}

/** A list. */
export function list<T extends z.ZodType>(item: T, description: string): z.ZodArray<T> {
  return z.array(item).meta({ description })
}

/** A map from text to text. */
export function textMap(description: string): z.ZodRecord<z.ZodString, z.ZodString> {
  return z.record(z.string(), z.string()).meta({ description })
}

/** Adds CEL rules to a schema. */
export function constrained<T extends z.ZodType>(schema: T, rules: readonly Rule<z.output<T>>[]): T {
  const meta = {
    ...schema.meta(),
    'x-kubernetes-validations': rules.map(({ cel, message }) => ({ rule: cel, message })),
  }
  let checked: T = schema
  for (const { holds, message } of rules) if (holds) checked = checked.refine(holds, message) as T
  return checked.meta(meta) as T
}

/** A value that may not change once it is there. */
export function immutable<T extends z.ZodType>(schema: T): T {
  return constrained(schema, [
    { cel: 'self == oldSelf', message: 'this field cannot be changed once it is set' },
  ])
}
