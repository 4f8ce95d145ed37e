import * as z from 'zod'

/** An OpenAPI v3 schema as Kubernetes takes it, with our `x-checks` beside its `x-kubernetes-` extensions. */
export interface OpenApi {
  readonly type: 'string' | 'integer' | 'boolean' | 'array' | 'object'
  readonly description?: string
  readonly format?: string
  readonly default?: string | number | boolean
  readonly enum?: readonly string[]
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly items?: OpenApi
  readonly properties?: Readonly<Record<string, OpenApi>>
  readonly required?: readonly string[]
  readonly additionalProperties?: OpenApi
  readonly 'x-checks'?: readonly string[]
  readonly [extension: `x-kubernetes-${string}`]: unknown
}

/** The structural schema of a zod schema: nothing but what Kubernetes allows in one. */
export function openApi(schema: z.ZodType): OpenApi {
  const { $schema: _, ...converted } = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    override: ({ jsonSchema }) => {
      // Bounds that zod adds to every integer, and the names of a map, say nothing to Kubernetes.
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
      delete jsonSchema.propertyNames
    },
  })
  return converted as unknown as OpenApi
}
