import type { Verb } from '../kinds/api-type.ts'

/** One kind of request: a verb on a resource, such as `patch` on `services/status` or `list` on `ipaddresspools.metallb.io`. */
export interface CountedRequest {
  readonly verb: Verb
  readonly resource: string
  readonly count: number
}

const writing: ReadonlySet<Verb> = new Set(['create', 'update', 'patch', 'delete', 'deletecollection'])

/** How many requests of each kind came in over HTTP, whatever became of them. */
export class RequestCounters {
  readonly #counts = new Map<string, { verb: Verb; resource: string; count: number }>()

  /** @internal */
  add(verb: Verb, resource: string): void {
    const key = `${verb} ${resource}`
    const found = this.#counts.get(key)
    if (found === undefined) this.#counts.set(key, { verb, resource, count: 1 })
    else found.count++
  }

  /** All of them, sorted by resource and verb. */
  all(): readonly CountedRequest[] {
    return [...this.#counts.values()]
      .map(one => ({ ...one }))
      .sort((a, b) => (`${a.resource} ${a.verb}` < `${b.resource} ${b.verb}` ? -1 : 1))
  }

  /** Those with this verb and on this resource; each may be left open. */
  count(verb?: Verb, resource?: string): number {
    let count = 0
    for (const one of this.#counts.values())
      if ((verb === undefined || one.verb === verb) && (resource === undefined || one.resource === resource))
        count += one.count
    return count
  }

  /** Those that change something, on all resources or on one. */
  writes(resource?: string): number {
    let count = 0
    for (const one of this.#counts.values())
      if (writing.has(one.verb) && (resource === undefined || one.resource === resource)) count += one.count
    return count
  }

  /** Starts again from zero. */
  reset(): void {
    this.#counts.clear()
  }
}
