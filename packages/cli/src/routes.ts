import type { PlannedAnnouncement, SpeakerStatus } from '@carillon/core'

/** A route of the node that was asked, and what one peer has of it. */
export interface RouteDocument {
  readonly prefix: string
  readonly peer: string
  /** `announced`: the peer has been sent it. `pending`: it has not, for now. `failed`: it cannot be, see `error`. */
  readonly state: 'pending' | 'announced' | 'failed'
  readonly error: { readonly code: string; readonly message: string } | null
  /** 0: unset. */
  readonly localPref: number
  readonly communities: readonly string[]
  /** `namespace/name`, sorted. */
  readonly services: readonly string[]
  /** The other nodes that are to announce the prefix, sorted; of a large cluster the status does not list them. */
  readonly also: readonly string[]
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** What the node of a status tells its peers, by prefix and peer. Pure. */
export function routesOf({ node, services, announcers }: SpeakerStatus): readonly RouteDocument[] {
  const standing = new Map(
    announcers
      .filter(({ name }) => name === 'bgp')
      .flatMap(({ status }) => status.map(one => [one.address, one])),
  )
  const routes = new Map<string, RouteDocument>()
  const also = new Map<string, Set<string>>()
  const of = (one: PlannedAnnouncement, service: string): void => {
    if (one.protocol !== 'bgp') return
    const { prefix, peer, localPref, communities } = one
    if (one.node !== node) {
      const nodes = also.get(prefix) ?? new Set()
      also.set(prefix, nodes.add(one.node))
      return
    }
    const key = `${prefix} ${peer}`
    const known = routes.get(key)
    const found = standing.get(prefix)
    routes.set(key, {
      prefix,
      peer,
      state: found?.via.includes(peer) ? 'announced' : found?.state === 'failed' ? 'failed' : 'pending',
      error: found?.error ?? null,
      localPref,
      communities,
      services: [...(known?.services ?? []), service].sort(order),
      also: [],
    })
  }
  for (const { namespace, name, announcements } of services)
    for (const one of announcements) of(one, `${namespace}/${name}`)
  return [...routes.values()]
    .map(route => ({ ...route, also: [...(also.get(route.prefix) ?? [])].sort(order) }))
    .sort((a, b) => order(a.prefix, b.prefix) || order(a.peer, b.peer))
}
