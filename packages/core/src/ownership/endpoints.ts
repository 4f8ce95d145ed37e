import type { Endpoint, EndpointSlice } from '../resources/index.ts'
import { difference } from './difference.ts'

/** Where a Service can be served. */
export interface Served {
  /** Some endpoint can serve, somewhere. */
  readonly serving: boolean
  /** Nodes that host an endpoint which can serve; undefined: every node counts as one. */
  readonly nodes: ReadonlySet<string> | undefined
}

/** Where a Service can be served: by endpoints of any kind, and by those that have an address. */
export interface Endpoints extends Served {
  /** BGP looks at these alone, as in MetalLB; layer 2 does not mind. */
  readonly addressed: Served
}

/** Ready (or silent about it), or at least still serving: a terminating pod that serves counts. */
export function canServe({ conditions }: Endpoint): boolean {
  return conditions.ready !== false || conditions.serving === true
}

/** Sums up the EndpointSlices of one Service; address types may mix. */
export function summarise(slices: Iterable<EndpointSlice>): Endpoints {
  const nodes = new Set<string>()
  const addressedNodes = new Set<string>()
  let serving = false
  let addressedServing = false
  for (const slice of slices) {
    for (const endpoint of slice.endpoints) {
      if (!canServe(endpoint)) continue
      serving = true
      if (endpoint.nodeName !== undefined) nodes.add(endpoint.nodeName)
      if (endpoint.addresses.length === 0) continue
      addressedServing = true
      if (endpoint.nodeName !== undefined) addressedNodes.add(endpoint.nodeName)
    }
  }
  return { serving, nodes, addressed: { serving: addressedServing, nodes: addressedNodes } }
}

const all: Served = { serving: true, nodes: undefined }
const none: Served = { serving: false, nodes: new Set() }
const everywhere: Endpoints = { ...all, addressed: all }
const nowhere: Endpoints = { ...none, addressed: none }

function ownerKey({ metadata }: EndpointSlice): string | undefined {
  const name = metadata.labels['kubernetes.io/service-name']
  return name === undefined ? undefined : `${metadata.namespace}/${name}`
}

/** The EndpointSlices by Service, kept up to date from one snapshot to the next. */
export class EndpointIndex {
  #slices: readonly EndpointSlice[] = []
  readonly #byService = new Map<string, Set<EndpointSlice>>()

  /** Takes in the slices of a newer snapshot and names the Services whose slices changed. */
  update(slices: readonly EndpointSlice[], changed: (key: string) => void): void {
    if (slices === this.#slices) return
    // Additions wait: a slice that only moved within the list is removed and added again.
    const additions: EndpointSlice[] = []
    const removed = (slice: EndpointSlice): void => {
      const key = ownerKey(slice)
      if (key === undefined) return
      const rest = this.#byService.get(key)
      rest?.delete(slice)
      if (rest?.size === 0) this.#byService.delete(key)
      changed(key)
    }
    difference(this.#slices, slices, removed, slice => additions.push(slice))
    for (const slice of additions) {
      const key = ownerKey(slice)
      if (key === undefined) continue
      const others = this.#byService.get(key)
      if (others) others.add(slice)
      else this.#byService.set(key, new Set([slice]))
      changed(key)
    }
    this.#slices = slices
  }

  /** @param standalone a Service without EndpointSlices counts as served on every node */
  of(key: string, standalone: boolean): Endpoints {
    const slices = this.#byService.get(key)
    if (slices) return summarise(slices)
    return standalone ? everywhere : nowhere
  }
}
