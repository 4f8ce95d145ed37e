import { clone } from '../api/clone.ts'
import type { OwnerReference } from '../api/object.ts'
import { Refusal } from '../api/status.ts'
import type { ApiType } from '../kinds/api-type.ts'
import type { Machinery } from '../registry/machinery.ts'
import { remove } from '../registry/remove.ts'
import { replace } from '../registry/update.ts'
import type { Change } from '../store/change.ts'
import type { Stored } from '../store/stored.ts'
import { controllerCall } from './controller-call.ts'

/** Deletes what belongs to objects that are gone, and lets go of owners that wait for it. */
export class GarbageCollector {
  readonly #machinery: Machinery
  readonly #living = new Set<string>()
  readonly #dependants = new Map<string, Set<string>>()
  readonly #where = new Map<string, { readonly type: ApiType; readonly stored: Stored }>()

  constructor(machinery: Machinery) {
    this.#machinery = machinery
  }

  /** To be told of every change of every resource. */
  changed(type: ApiType, { type: what, current, previous }: Change): void {
    const { uid = '', ownerReferences, deletionTimestamp, finalizers } = current.object.metadata
    for (const owner of previous?.object.metadata.ownerReferences ?? [])
      this.#dependants.get(owner.uid)?.delete(uid)
    if (what === 'DELETED') {
      this.#living.delete(uid)
      this.#where.delete(uid)
      for (const dependant of this.#dependants.get(uid) ?? []) this.#later(() => this.#delete(dependant))
      this.#dependants.delete(uid)
    } else {
      this.#living.add(uid)
      if (ownerReferences !== undefined) {
        this.#where.set(uid, { type, stored: current })
        for (const owner of ownerReferences) {
          const set = this.#dependants.get(owner.uid) ?? new Set()
          this.#dependants.set(owner.uid, set.add(uid))
        }
        if (!this.#hasOwner(ownerReferences)) this.#later(() => this.#delete(uid))
      }
      if (
        deletionTimestamp !== undefined &&
        finalizers?.some(one => one === 'orphan' || one === 'foregroundDeletion')
      ) {
        this.#where.set(uid, { type, stored: current })
        this.#later(() => this.#finish(uid))
      }
    }
    // An owner that waits for the deletion of what belongs to it may be done now.
    if (what === 'DELETED')
      for (const owner of ownerReferences ?? [])
        if (this.#where.has(owner.uid)) this.#later(() => this.#finish(owner.uid))
  }

  #later(run: () => Promise<void>): void {
    setImmediate(() => {
      run().catch((error: unknown) => {
        // Somebody else was faster, or webhooks are in the way: the next change asks again.
        if (!(error instanceof Refusal)) throw error
      })
    })
  }

  #hasOwner(owners: readonly OwnerReference[]): boolean {
    return owners.length === 0 || owners.some(owner => this.#living.has(owner.uid))
  }

  async #delete(uid: string): Promise<void> {
    const found = this.#where.get(uid)
    if (found === undefined || this.#hasOwner(found.stored.object.metadata.ownerReferences ?? [])) return
    await remove(this.#machinery, controllerCall('generic-garbage-collector', found.type, found.stored), {
      propagationPolicy: 'Background',
      preconditions: { uid },
    })
  }

  async #finish(uid: string): Promise<void> {
    const found = this.#where.get(uid)
    const { metadata } = found?.stored.object ?? {}
    if (found === undefined || metadata?.deletionTimestamp === undefined) return
    const dependants = [...(this.#dependants.get(uid) ?? [])]
    if (metadata.finalizers?.includes('orphan')) {
      for (const one of dependants) await this.#release(one, uid)
      return this.#drop(found, 'orphan')
    }
    if (!metadata.finalizers?.includes('foregroundDeletion')) return
    const blocking = dependants.filter(one =>
      this.#where
        .get(one)
        ?.stored.object.metadata.ownerReferences?.some(
          owner => owner.uid === uid && owner.blockOwnerDeletion === true,
        ),
    )
    for (const one of dependants) {
      const dependant = this.#where.get(one)
      if (dependant !== undefined && dependant.stored.object.metadata.deletionTimestamp === undefined)
        await remove(
          this.#machinery,
          controllerCall('generic-garbage-collector', dependant.type, dependant.stored),
          {
            propagationPolicy: 'Background',
          },
        )
    }
    if (blocking.every(one => !this.#where.has(one))) return this.#drop(found, 'foregroundDeletion')
  }

  /** Takes an owner out of the references of an object. */
  async #release(uid: string, owner: string): Promise<void> {
    const found = this.#where.get(uid)
    if (found === undefined) return
    const object = clone(found.stored.object)
    object.metadata.ownerReferences = (object.metadata.ownerReferences ?? []).filter(one => one.uid !== owner)
    if (object.metadata.ownerReferences.length === 0) delete object.metadata.ownerReferences
    await replace(
      this.#machinery,
      controllerCall('generic-garbage-collector', found.type, found.stored),
      object,
      found.stored,
    )
  }

  async #drop({ type, stored }: { type: ApiType; stored: Stored }, finalizer: string): Promise<void> {
    const object = clone(stored.object)
    object.metadata.finalizers = (object.metadata.finalizers ?? []).filter(one => one !== finalizer)
    await replace(this.#machinery, controllerCall('generic-garbage-collector', type, stored), object, stored)
  }
}
