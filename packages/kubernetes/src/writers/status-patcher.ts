import { CarillonError } from '@carillon/core'
import type { CallOptions, Client, KubeObject, ObjectName, ResourceType } from '../client/index.ts'
import { mergePatch } from './merge-patch.ts'

/**
 * Changes the status of objects by merge patch. Where RBAC allows only `update`, as MetalLB's rules do, it reads the object and replaces
 * its status instead.
 */
export class StatusPatcher {
  readonly #client: Client
  readonly #type: ResourceType
  #updates = false

  constructor(client: Client, type: ResourceType) {
    this.#client = client
    this.#type = type
  }

  /** Gives the object as it is afterwards. A resource version in the patch has to be the present one. */
  async patch(name: ObjectName, patch: KubeObject, options: CallOptions): Promise<KubeObject> {
    if (this.#updates) return this.#update(name, patch, options)
    try {
      return await this.#client.patch(this.#type, { ...name, subresource: 'status' }, patch, options)
    } catch (error) {
      if (!(error instanceof CarillonError) || error.code !== 'API_FORBIDDEN') throw error
      return this.#fallBack(error, name, patch, options)
    }
  }

  /** Whoever may do neither is told of the verb that is better. */
  async #fallBack(
    refused: CarillonError,
    name: ObjectName,
    patch: KubeObject,
    options: CallOptions,
  ): Promise<KubeObject> {
    try {
      const updated = await this.#update(name, patch, options)
      this.#updates = true
      return updated
    } catch (error) {
      throw error instanceof CarillonError && error.code === 'API_FORBIDDEN' ? refused : error
    }
  }

  async #update(name: ObjectName, patch: KubeObject, options: CallOptions): Promise<KubeObject> {
    const present = await this.#client.get(this.#type, name, options)
    const next = mergePatch(present, patch) as KubeObject
    return this.#client.update(this.#type, { ...name, subresource: 'status' }, next, options)
  }
}
