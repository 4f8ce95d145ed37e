import type { Problem } from '../config/problem.ts'
import type { Resource } from '../resources/index.ts'
import { emptySnapshot, type Snapshot } from './snapshot.ts'

type List = Exclude<keyof Snapshot, 'problems' | 'passwords'>

const lists: { readonly [Kind in Resource['kind']]?: List } = {
  IPAddressPool: 'pools',
  L2Advertisement: 'l2Advertisements',
  BGPAdvertisement: 'bgpAdvertisements',
  BGPPeer: 'bgpPeers',
  BFDProfile: 'bfdProfiles',
  Community: 'communities',
  Service: 'services',
  EndpointSlice: 'endpointSlices',
  Node: 'nodes',
  Namespace: 'namespaces',
  Secret: 'secrets',
}

/** Kinds of which the namespace is part of the name; that of `metallb.io` kinds is not looked at. */
const namespaced: ReadonlySet<string> = new Set(['Service', 'EndpointSlice', 'Secret'])

const sameItems = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((item, i) => item === b[i])

/**
 * Sorts resources into a snapshot. The same object twice is an error that names it. Lists that hold just what `previous` holds
 * keep its arrays.
 */
export function collect(
  resources: readonly Resource[],
  problems: readonly Problem[],
  previous: Snapshot = emptySnapshot,
): Snapshot {
  const found = new Map<List, Resource[]>()
  const all: Problem[] = [...problems]
  const seen = new Set<string>()
  for (const resource of resources) {
    const list = lists[resource.kind]
    if (!list) continue
    const { name } = resource.metadata
    const namespace = namespaced.has(resource.kind) ? (resource.metadata.namespace ?? 'default') : undefined
    const key = `${resource.kind} ${namespace ?? ''} ${name}`
    if (seen.has(key)) {
      all.push({
        severity: 'error',
        kind: resource.kind,
        name,
        ...(namespace === undefined ? {} : { namespace }),
        field: 'metadata.name',
        message: `there are two objects of this kind${namespace === undefined ? '' : ` in namespace ${namespace}`} and name: remove one`,
      })
      continue
    }
    seen.add(key)
    const items = found.get(list)
    if (items) items.push(resource)
    else found.set(list, [resource])
  }
  const next: Record<string, readonly unknown[]> = {}
  for (const list of Object.values(lists)) {
    const items = found.get(list) ?? []
    next[list] = sameItems(items, previous[list]) ? previous[list] : items
  }
  return {
    ...(next as unknown as Snapshot),
    problems: sameItems(all, previous.problems) ? previous.problems : all,
  }
}
