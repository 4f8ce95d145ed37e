import type { Clock } from '@carillon/core'
import type { KubeObject } from '../api/object.ts'
import type { ApiType } from '../kinds/api-type.ts'
import type { TypeRegistry } from '../kinds/type-registry.ts'
import type { Collection } from '../store/collection.ts'
import type { Store } from '../store/store.ts'
import type { Stored } from '../store/stored.ts'
import type { Admission } from './admission.ts'

/** Objects of one version as objects of another version of the same resource. */
export interface Conversion {
  /** Whether it takes more than another `apiVersion`. */
  needed(from: ApiType, to: ApiType): boolean
  /** New objects, in the same order. @throws Refusal 500 */
  convert(objects: readonly KubeObject[], from: ApiType, to: ApiType): Promise<readonly KubeObject[]>
}

/** What requests are worked on with. */
export interface Machinery {
  readonly store: Store
  readonly types: TypeRegistry
  readonly clock: Clock
  readonly admission: Admission
  readonly conversion: Conversion
  /** A new uid. */
  uid(): string
  /** 0 up to, but not 1. */
  random(): number
}

/** Where the objects of a type are kept. */
export const collectionOf = (machinery: Machinery, type: ApiType): Collection =>
  machinery.store.collection(type.collection)

const converted = new WeakMap<Stored, Map<string, KubeObject>>()

/** Stored objects in the version that a client asked for, in the same order. */
export async function inVersion(
  { conversion }: Machinery,
  type: ApiType,
  stored: readonly Stored[],
): Promise<readonly KubeObject[]> {
  const { stored: from } = type
  if (from === undefined) return stored.map(one => one.object)
  const missing = stored.filter(one => converted.get(one)?.has(type.version) !== true)
  if (missing.length > 0) {
    const made = await conversion.convert(
      missing.map(one => one.object),
      from,
      type,
    )
    missing.forEach((one, index) => {
      const versions = converted.get(one) ?? new Map<string, KubeObject>()
      versions.set(type.version, made[index] as KubeObject)
      converted.set(one, versions)
    })
  }
  return stored.map(one => converted.get(one)?.get(type.version) as KubeObject)
}

/** An object in the version in which it is stored. */
export async function forStorage(
  { conversion }: Machinery,
  type: ApiType,
  object: KubeObject,
): Promise<KubeObject> {
  if (type.stored === undefined) return object
  const [made] = await conversion.convert([object], type, type.stored)
  return made as KubeObject
}
