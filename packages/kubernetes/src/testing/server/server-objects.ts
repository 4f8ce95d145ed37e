import { parseAllDocuments } from 'yaml'
import { clone } from '../api/clone.ts'
import type { KubeObject, ObjectMeta } from '../api/object.ts'
import { badRequest } from '../api/status.ts'
import { apply } from '../registry/apply.ts'
import { admin, type Call } from '../registry/call.ts'
import { create } from '../registry/create.ts'
import type { Selection } from '../registry/list-options.ts'
import { inVersion, type Machinery } from '../registry/machinery.ts'
import { patch } from '../registry/patch.ts'
import { get, list } from '../registry/read.ts'
import { type DeleteOptions, remove } from '../registry/remove.ts'
import { update } from '../registry/update.ts'

/** An object as a test writes it down. */
export interface NewObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata?: ObjectMeta
  readonly [field: string]: unknown
}

/** Which object is meant. */
export interface ObjectKey {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  /** Missing for objects that are in no namespace; of others `default`. */
  readonly namespace?: string
}

/**
 * The objects of an API server for tests, without HTTP in between. What is asked here goes through everything that a request
 * does: defaults, validation, admission. It throws a `CarillonError` with the code `API_REFUSED` where a client would get an error, and is not counted.
 */
export class ServerObjects {
  readonly #machinery: Machinery

  /** @internal */
  constructor(machinery: Machinery) {
    this.#machinery = machinery
  }

  /** Stores a new object. */
  async create<T extends NewObject>(object: T): Promise<T & KubeObject> {
    const { namespace } = object.metadata ?? {}
    return clone(await create(this.#machinery, this.#call(object, '', namespace), clone(object))) as T &
      KubeObject
  }

  /** One object; nothing when there is none. */
  async get<T extends KubeObject = KubeObject>(key: ObjectKey): Promise<T | undefined> {
    const call = this.#call(key, key.name, key.namespace)
    if (this.#machinery.store.collection(call.type.collection).get(call.namespace, key.name) === undefined)
      return undefined
    const [object] = await inVersion(this.#machinery, call.type, [get(this.#machinery, call)])
    return clone(object) as T
  }

  /** All objects of a kind, or those in a namespace, sorted by namespace and name. */
  async list<T extends KubeObject = KubeObject>(
    kind: Pick<ObjectKey, 'apiVersion' | 'kind' | 'namespace'>,
    selection: Partial<Selection> = {},
  ): Promise<readonly T[]> {
    const call = { ...this.#call(kind, '', undefined), namespace: kind.namespace }
    const { items } = list(this.#machinery, call, {
      labelSelector: '',
      fieldSelector: '',
      resourceVersion: '',
      resourceVersionMatch: '',
      limit: 0,
      continue: '',
      ...selection,
    })
    return clone(await inVersion(this.#machinery, call.type, items)) as readonly T[]
  }

  /** Puts an object in the place of the one with its name. */
  async update<T extends NewObject>(object: T): Promise<T & KubeObject> {
    return this.#update(object, '')
  }

  /** The same for its status only. */
  async updateStatus<T extends NewObject>(object: T): Promise<T & KubeObject> {
    return this.#update(object, 'status')
  }

  /** Changes fields of an object, by a JSON merge patch: what is null goes. */
  async patch<T extends KubeObject = KubeObject>(
    key: ObjectKey,
    change: object,
    subresource = '',
  ): Promise<T> {
    const call = { ...this.#call(key, key.name, key.namespace), subresource }
    return clone(await patch(this.#machinery, call, 'merge', clone(change))) as T
  }

  /**
   * Makes every object in a text of YAML documents as the text says, or objects as they say: what is not there is made, what is
   * there is changed, whoever owns it.
   */
  async apply(objects: string | readonly NewObject[]): Promise<readonly KubeObject[]> {
    const made: KubeObject[] = []
    for (const object of typeof objects === 'string' ? objectsIn(objects) : objects) {
      const { name = '', namespace } = object.metadata ?? {}
      const result = await apply(this.#machinery, this.#call(object, name, namespace), clone(object), true)
      made.push(clone(result.object))
    }
    return made
  }

  /** Deletes an object; that there is none is no error. */
  async delete(key: ObjectKey, options: DeleteOptions = {}): Promise<void> {
    const call = this.#call(key, key.name, key.namespace)
    if (this.#machinery.store.collection(call.type.collection).get(call.namespace, key.name) === undefined)
      return
    await remove(this.#machinery, call, options)
  }

  async #update<T extends NewObject>(object: T, subresource: string): Promise<T & KubeObject> {
    const { name = '', namespace } = object.metadata ?? {}
    const call = { ...this.#call(object, name, namespace), subresource }
    const { object: updated } = await update(this.#machinery, call, clone(object))
    return clone(updated) as T & KubeObject
  }

  #call(
    of: { readonly apiVersion: string; readonly kind: string },
    name: string,
    namespace: string | undefined,
  ): Call {
    const type = this.#machinery.types.ofKind(of.apiVersion, of.kind)
    if (type === undefined) throw badRequest(`no such kind is served: ${of.apiVersion} ${of.kind}`)
    return {
      type,
      namespace: type.namespaced ? (namespace ?? 'default') : undefined,
      name,
      subresource: '',
      user: admin,
      dryRun: false,
      manager: 'carillon-testing',
      validation: 'Strict',
      warnings: [],
    }
  }
}

/** Every object in a text of YAML documents; `List` objects are taken apart. @throws CarillonError */
export function objectsIn(text: string): readonly NewObject[] {
  return parseAllDocuments(text).flatMap(document => {
    if ('errors' in document && document.errors.length > 0)
      throw badRequest(`couldn't read the YAML: ${document.errors[0]?.message}`)
    const value = document.toJS() as (NewObject & { items?: readonly NewObject[] }) | null
    if (value === null) return []
    return value.kind.endsWith('List') && Array.isArray(value.items) ? value.items : [value]
  })
}
