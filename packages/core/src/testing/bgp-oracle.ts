import { type Family, familyOf, formatAddress, maskAddress, parseAddress } from '../address.ts'
import { compareCommunities } from '../config/community.ts'
import type { BgpAd, LabelMap, Peer } from '../config/config.ts'
import { localPrefConflict } from '../config/conflict.ts'
import { matchesAny } from '../config/selector.ts'
import type { BgpAnnouncement } from '../ownership/plan.ts'
import type { PlanInputs } from '../ownership/planner.ts'

/** What BGP makes of one Service, worked out from the rules one by one, with no thought of speed. */
export interface BgpAnswer {
  readonly announcements: readonly BgpAnnouncement[]
  /** `node reason`, by node. */
  readonly silent: readonly string[]
}

interface Place {
  readonly name: string
  readonly labels: LabelMap | undefined
  readonly alive: boolean
  readonly networkUnavailable: boolean
  readonly excluded: boolean
}

function placesOf({ snapshot, alive, standalone, ignoreExcludeLb }: PlanInputs): readonly Place[] {
  const label = 'node.kubernetes.io/exclude-from-external-load-balancers'
  const places = snapshot.nodes.map(
    ({ metadata: { name, labels }, status }): Place => ({
      name,
      labels,
      alive: alive ? alive.has(name) : true,
      networkUnavailable: status.conditions.some(
        one => one.type === 'NetworkUnavailable' && one.status === 'True',
      ),
      excluded: label in labels && !ignoreExcludeLb,
    }),
  )
  for (const name of alive ?? []) {
    if (places.some(place => place.name === name)) continue
    const labels = standalone ? { 'kubernetes.io/hostname': name } : undefined
    places.push({ name, labels, alive: true, networkUnavailable: false, excluded: false })
  }
  return places.sort((a, b) => (a.name < b.name ? -1 : 1))
}

const carries = (peer: Peer, family: Family): boolean =>
  peer.peerAddress === undefined || peer.dualStackAddressFamily || familyOf(peer.peerAddress) === family

interface Told extends BgpAnnouncement {
  readonly service: string
}

/** What a Service has its nodes tell, or why they do not. */
function look(world: PlanInputs, key: string): { readonly told: Told[]; readonly silent: string[] } {
  const service = world.snapshot.services.find(
    ({ metadata }) => `${metadata.namespace}/${metadata.name}` === key,
  )
  const assignment = world.allocation.services.get(key)
  const pool = world.config.pools.find(({ name }) => name === assignment?.pool)
  const told: Told[] = []
  const silent: string[] = []
  if (!service || assignment?.state !== 'assigned' || !pool || pool.bgpAdvertisements.length === 0)
    return { told, silent }
  const slices = world.snapshot.endpointSlices.filter(
    ({ metadata }) => `${metadata.namespace}/${metadata.labels['kubernetes.io/service-name']}` === key,
  )
  const everywhere = slices.length === 0 && world.standalone
  const healthy = slices
    .flatMap(({ endpoints }) => endpoints)
    .filter(({ addresses }) => addresses.length > 0)
    .filter(({ conditions }) => conditions.ready !== false || conditions.serving === true)
  for (const place of placesOf(world)) {
    const { labels } = place
    const includes = (ad: BgpAd): boolean => labels !== undefined && matchesAny(ad.nodeSelectors, labels)
    const here = pool.bgpAdvertisements.filter(includes)
    const ads = here.filter(ad => matchesAny(ad.serviceSelectors, service.metadata.labels))
    const local = service.spec.externalTrafficPolicy === 'Local'
    const routes = assignment.addresses.flatMap(address => {
      const family = familyOf(address)
      return ads.flatMap(ad => {
        const length = family === 4 ? ad.aggregationLength : ad.aggregationLengthV6
        const prefix = `${formatAddress(maskAddress(parseAddress(address), length))}/${length}`
        return world.config.peers
          .filter(peer => labels !== undefined && matchesAny(peer.nodeSelectors, labels))
          .filter(peer => carries(peer, family))
          .filter(({ name }) => ad.peers.length === 0 || ad.peers.includes(name))
          .map(({ name }): Told => {
            const { localPref, communities } = ad
            return {
              service: key,
              protocol: 'bgp',
              prefix,
              node: place.name,
              peer: name,
              localPref,
              communities,
            }
          })
      })
    })
    const why = (): string | undefined => {
      if (!place.alive) return 'notAlive'
      if (here.length === 0) return 'notOwner'
      if (ads.length === 0) return 'noMatchingAdvertisement'
      if (ads.some(one => ads.some(other => localPrefConflict(one, other, pool, false))))
        return 'conflictingAdvertisements'
      if (place.networkUnavailable) return 'nodeNetworkUnavailable'
      if (place.excluded) return 'nodeLabeledExcludeBalancers'
      if (local && !everywhere && !healthy.some(({ nodeName }) => nodeName === place.name))
        return 'noLocalEndpoints'
      if (!everywhere && healthy.length === 0) return 'noEndpoints'
      return routes.length === 0 ? 'noPeer' : undefined
    }
    const because = why()
    if (because === undefined) told.push(...routes)
    else silent.push(`${place.name} ${because}`)
  }
  return { told, silent }
}

const ident = ({ prefix, node, peer }: BgpAnnouncement): string => JSON.stringify([prefix, node, peer])

/** What BGP makes of each Service, by `namespace/name`. */
export function bgpOracle(world: PlanInputs): ReadonlyMap<string, BgpAnswer> {
  const keys = world.snapshot.services
    .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)
    .filter(key => world.allocation.services.has(key))
  const looks = new Map(keys.map(key => [key, look(world, key)]))
  const all = [...looks.values()].flatMap(({ told }) => told)
  return new Map(
    [...looks].map(([key, { told, silent }]) => {
      const routes = new Map<string, BgpAnnouncement>()
      for (const { service: _, ...one } of told) {
        const same = all.filter(other => ident(other) === ident(one))
        routes.set(ident(one), {
          ...one,
          localPref: Math.max(...same.map(({ localPref }) => localPref)),
          communities: [...new Set(same.flatMap(({ communities }) => communities))].sort(compareCommunities),
        })
      }
      const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
      const announcements = [...routes.values()].sort(
        (a, b) => order(a.prefix, b.prefix) || order(a.node, b.node) || order(a.peer, b.peer),
      )
      return [key, { announcements, silent }]
    }),
  )
}
