import { clone } from '../api/clone.ts'
import type { KubeObject } from '../api/object.ts'
import { Refusal } from '../api/status.ts'
import { cleanupFinalizer } from '../custom/strategy.ts'
import type { ApiType } from '../kinds/api-type.ts'
import type { Machinery } from '../registry/machinery.ts'
import { collectionOf } from '../registry/machinery.ts'
import { remove } from '../registry/remove.ts'
import { replace } from '../registry/update.ts'
import type { Stored } from '../store/stored.ts'
import { controllerCall } from './controller-call.ts'

/** Deletes what is in namespaces that are being deleted, and objects of definitions that are; then lets these go. */
export class Emptier {
  readonly #machinery: Machinery
  readonly #controllers: boolean
  #waiting = false

  /** `controllers`: also namespaces, which a controller empties that is not part of the API server. */
  constructor(machinery: Machinery, controllers: boolean) {
    this.#machinery = machinery
    this.#controllers = controllers
  }

  /** To be told of every deletion, and of every change of a namespace or a definition. */
  changed(): void {
    if (this.#waiting) return
    this.#waiting = true
    setImmediate(() => {
      this.#waiting = false
      this.#run().catch((error: unknown) => {
        // Somebody else was faster, or webhooks are in the way: the next change asks again.
        if (!(error instanceof Refusal)) throw error
      })
    })
  }

  async #run(): Promise<void> {
    const { types } = this.#machinery
    const definitions = types.find('apiextensions.k8s.io', 'v1', 'customresourcedefinitions') as ApiType
    for (const stored of collectionOf(this.#machinery, definitions).list()) {
      const { deletionTimestamp, name, finalizers = [] } = stored.object.metadata
      if (deletionTimestamp === undefined || !finalizers.includes(cleanupFinalizer)) continue
      const mine = this.#types(type => type.custom === name)
      if (!(await this.#empty(mine, undefined))) continue
      await this.#release(definitions, stored, object => {
        object.metadata.finalizers = finalizers.filter(one => one !== cleanupFinalizer)
      })
    }
    if (!this.#controllers) return
    const namespaces = types.find('', 'v1', 'namespaces') as ApiType
    for (const stored of collectionOf(this.#machinery, namespaces).list()) {
      const { deletionTimestamp, name } = stored.object.metadata
      if (deletionTimestamp === undefined) continue
      if (
        !(await this.#empty(
          this.#types(type => type.namespaced),
          name,
        ))
      )
        continue
      await this.#release(
        namespaces,
        stored,
        object => {
          object.spec = {}
        },
        'finalize',
      )
    }
  }

  /** One version of each resource. */
  #types(wanted: (type: ApiType) => boolean): readonly ApiType[] {
    const found = new Map<string, ApiType>()
    for (const type of this.#machinery.types.all())
      if (wanted(type) && (type.stored === undefined || !found.has(type.collection)))
        found.set(type.collection, type.stored ?? type)
    return [...found.values()]
  }

  /** Deletes everything that is not being deleted; gives whether nothing is left. */
  async #empty(types: readonly ApiType[], namespace: string | undefined): Promise<boolean> {
    let left = 0
    for (const type of types)
      for (const stored of collectionOf(this.#machinery, type).list(namespace)) {
        if (stored.object.metadata.deletionTimestamp === undefined)
          await remove(this.#machinery, controllerCall('namespace-controller', type, stored), {})
        const { namespace: inside, name = '' } = stored.object.metadata
        if (collectionOf(this.#machinery, type).get(inside, name) !== undefined) left++
      }
    return left === 0
  }

  async #release(
    type: ApiType,
    stored: Stored,
    change: (object: KubeObject) => void,
    subresource = '',
  ): Promise<void> {
    const object = clone(stored.object)
    change(object)
    const call = { ...controllerCall('namespace-controller', type, stored), subresource }
    await replace(this.#machinery, call, object, stored)
  }
}
