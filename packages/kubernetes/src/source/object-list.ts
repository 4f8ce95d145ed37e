import { isKubeObject, type KubeObject, type WatchEvent } from '../client/index.ts'
import type { Store } from './follower.ts'

/** `namespace/name`, or the name where there is no namespace. */
const keyOf = ({ metadata: { namespace = '', name = '' } }: KubeObject): string =>
  namespace === '' ? name : `${namespace}/${name}`

const byKey = (a: readonly [string, unknown], b: readonly [string, unknown]): number =>
  a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0

/** The objects of one kind as the API server has them, whole. An object that has not changed stays the same object. */
export class ObjectList implements Store {
  #objects = new Map<string, KubeObject>()
  #staged = new Map<string, KubeObject>()
  #items: readonly KubeObject[] | undefined

  get size(): number {
    return this.#objects.size
  }

  /** In the order of their names; the same array while nothing in it has changed. */
  items(): readonly KubeObject[] {
    this.#items ??= [...this.#objects].sort(byKey).map(([, object]) => object)
    return this.#items
  }

  begin(): void {
    this.#staged = new Map()
  }

  stage(objects: readonly unknown[]): void {
    for (const object of objects) if (isKubeObject(object)) this.#staged.set(keyOf(object), object)
  }

  commit(): number {
    let changed = 0
    for (const key of this.#objects.keys()) if (!this.#staged.has(key) && this.#remove(key)) changed++
    for (const object of this.#staged.values()) if (this.#put(object)) changed++
    this.#staged = new Map()
    return changed
  }

  apply(events: readonly WatchEvent[]): number {
    let changed = 0
    for (const { type, object } of events) {
      if (type === 'BOOKMARK' || !isKubeObject(object)) continue
      if (type === 'DELETED' ? this.#remove(keyOf(object)) : this.#put(object)) changed++
    }
    return changed
  }

  #put(object: KubeObject): boolean {
    const key = keyOf(object)
    const { resourceVersion, uid } = this.#objects.get(key)?.metadata ?? {}
    const { metadata } = object
    if (resourceVersion !== undefined && resourceVersion === metadata.resourceVersion && uid === metadata.uid)
      return false
    this.#objects.set(key, object)
    this.#items = undefined
    return true
  }

  #remove(key: string): boolean {
    if (!this.#objects.delete(key)) return false
    this.#items = undefined
    return true
  }
}
