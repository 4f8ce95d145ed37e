import type { KubeObject } from '../api/object.ts'
import type { Named } from '../api/status.ts'
import type { User } from '../registry/call.ts'
import type { Schema } from '../schema/schema.ts'
import type { Column } from './column.ts'
import type { Strategy } from './strategy.ts'

/** What can be asked of a resource. */
export type Verb = 'create' | 'delete' | 'deletecollection' | 'get' | 'list' | 'patch' | 'update' | 'watch'

/** Every verb that objects in the store know. */
export const allVerbs: readonly Verb[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
]

/** A resource in one of the versions that it is served in. */
export interface ApiType {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly listKind: string
  readonly plural: string
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly namespaced: boolean
  readonly verbs: readonly Verb[]
  /** `status` and others under the name of an object. */
  readonly subresources: readonly string[]
  /** Where the objects are kept: `plural.group` of the resource that they are stored as. */
  readonly collection: string
  readonly schema: Schema
  readonly strategy: Strategy
  readonly columns: readonly Column[]
  /** Fields by which objects can be selected, beside `metadata.name` and `metadata.namespace`. */
  readonly fields: Readonly<Record<string, (object: KubeObject) => string>>
  /** Set where objects are questions that are answered and not kept. */
  readonly answer?: (object: KubeObject, user: User) => KubeObject
  /** Defined by a CustomResourceDefinition, with its name. */
  readonly custom?: string
  /** What clients are warned of that use this version. */
  readonly deprecation?: string
  /** The version that objects are stored in; this one where it is missing. */
  readonly stored?: ApiType
}

/** The resource as refusals name it. */
export const resourceOf = (type: ApiType): Named => ({ group: type.group, name: type.plural })

/** The kind as refusals name it. */
export const kindOf = (type: ApiType): Named => ({ group: type.group, name: type.kind })
