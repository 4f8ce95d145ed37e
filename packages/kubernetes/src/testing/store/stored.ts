import { apiVersionOf, type KubeObject } from '../api/object.ts'

const known = new WeakMap<KubeObject, Stored>()

/** The stored form of an object that came out of the store. */
export const storedForm = (object: KubeObject): Stored | undefined => known.get(object)

/** An object as it is kept: with the revision of its last change. Neither it nor its object ever changes. */
export class Stored {
  readonly object: KubeObject
  readonly revision: number
  #bare: string | undefined

  constructor(object: KubeObject, revision: number) {
    this.object = object
    this.revision = revision
    known.set(object, this)
  }

  get key(): string {
    return keyOf(this.object.metadata.namespace, this.object.metadata.name ?? '')
  }

  /** The object as JSON without `apiVersion` and `kind`, as lists of Kubernetes' own kinds hold it. */
  get bare(): string {
    if (this.#bare === undefined) {
      const { apiVersion: _, kind: __, ...rest } = this.object
      this.#bare = JSON.stringify(rest)
    }
    return this.#bare
  }

  /** The object as JSON, as one of a group, version and kind. */
  json(group: string, version: string, kind: string): string {
    return `{"kind":"${kind}","apiVersion":"${apiVersionOf(group, version)}",${this.bare.slice(1)}`
  }
}

/** Where an object is kept within its collection; sorts as lists do. */
export const keyOf = (namespace: string | undefined, name: string): string => `${namespace ?? ''}/${name}`
