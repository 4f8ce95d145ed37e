import type { CheckName } from './checks.ts'

interface Common {
  readonly default?: string | number | boolean
  readonly checks?: readonly CheckName[]
}

/**
 * The shape of a value, as plain data: what is left of a zod schema when its prose is taken away. It is generated from the
 * schemas in `schema/`, so that reading an object needs no zod at run time.
 */
export type Structure =
  | (Common & {
      readonly type: 'string'
      readonly enum?: readonly string[]
      readonly pattern?: string
      readonly minLength?: number
      readonly maxLength?: number
    })
  | (Common & { readonly type: 'integer'; readonly minimum?: number; readonly maximum?: number })
  | (Common & { readonly type: 'boolean' })
  | (Common & { readonly type: 'array'; readonly items: Structure; readonly minItems?: number })
  | (Common & { readonly type: 'map' })
  | ObjectStructure

/** The shape of an object with named fields. */
export interface ObjectStructure extends Common {
  readonly type: 'object'
  readonly properties: Readonly<Record<string, Structure>>
  readonly required?: readonly string[]
}

/** The shape of one version of a kind. */
export interface KindStructure {
  readonly spec?: ObjectStructure
  readonly status?: ObjectStructure
}
