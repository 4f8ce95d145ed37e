import type { FieldTree } from '../fields/field-tree.ts'
import type { ApiType } from '../kinds/api-type.ts'

/** Who is asking. */
export interface User {
  readonly name: string
  readonly groups: readonly string[]
  readonly uid?: string
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

/** What to do about fields that nobody knows. */
export type FieldValidation = 'Ignore' | 'Warn' | 'Strict'

/** A request about one resource: what is asked for, by whom, and how. */
export interface Call {
  readonly type: ApiType
  readonly namespace: string | undefined
  /** Empty where a whole collection is meant. */
  readonly name: string
  readonly subresource: string
  readonly user: User
  readonly dryRun: boolean
  /** Who the fields that are written will belong to. */
  readonly manager: string
  readonly validation: FieldValidation
  /** An object is applied rather than written. */
  readonly applying?: boolean
  /** What its manager then wants to own. */
  readonly applied?: FieldTree
  /** Filled while the request is worked on; clients get them as headers. */
  readonly warnings: string[]
}

/** May do everything, in a cluster where anybody is let in. */
export const admin: User = { name: 'system:admin', groups: ['system:masters', 'system:authenticated'] }
