import {
  familyOf,
  formatAddress,
  maskAddress,
  type PlannedAnnouncement,
  parseAddress,
  type ServiceDocument,
} from '@carillon/core'

/** A Service before a node goes, and what would be announced for it afterwards. */
export interface Drained {
  readonly service: ServiceDocument
  readonly after: readonly PlannedAnnouncement[]
}

/** An address on layer 2 that the node holds now. */
export interface AddressMove {
  readonly protocol: 'layer2'
  readonly address: string
  /** `namespace/name`, sorted. */
  readonly services: readonly string[]
  /** Who would take it; null: nobody. */
  readonly to: string | null
}

/** A route that the node announces now. */
export interface RouteLoss {
  readonly protocol: 'bgp'
  readonly prefix: string
  /** `namespace/name`, sorted. */
  readonly services: readonly string[]
  /** The nodes that would go on announcing it, sorted. */
  readonly nodes: readonly string[]
}

/** An address that would be announced by nobody any more, by whatever protocol. */
export interface Orphan {
  /** `namespace/name` */
  readonly service: string
  readonly address: string
}

/** What would become of the addresses of a node if its speaker fell silent; `carillon drain --dry-run --json`. */
export interface DrainDocument {
  readonly node: string
  /** By address. */
  readonly addresses: readonly AddressMove[]
  /** By prefix. */
  readonly routes: readonly RouteLoss[]
  /** By Service and address. */
  readonly orphans: readonly Orphan[]
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const keyOf = ({ namespace, name }: ServiceDocument): string => `${namespace}/${name}`

/** The address or prefix of what is announced. */
const subjectOf = (one: PlannedAnnouncement): string => (one.protocol === 'bgp' ? one.prefix : one.address)

/** Whether a prefix holds an address. */
function holds(prefix: string, address: string): boolean {
  const [network = '', length = ''] = prefix.split('/')
  if (familyOf(network) !== familyOf(address)) return false
  return formatAddress(maskAddress(parseAddress(address), Number(length))) === network
}

/** Whether somebody announces the address. */
const isHeard = (announcements: readonly PlannedAnnouncement[], address: string): boolean =>
  announcements.some(one => (one.protocol === 'bgp' ? holds(one.prefix, address) : one.address === address))

/** What would become of what `node` announces. Pure. */
export function describeDrain(node: string, drained: readonly Drained[]): DrainDocument {
  const addresses = new Map<string, AddressMove>()
  const routes = new Map<string, RouteLoss>()
  const orphans: Orphan[] = []
  for (const { service, after } of drained) {
    const key = keyOf(service)
    const together = (known: { readonly services: readonly string[] } | undefined): readonly string[] =>
      [...new Set([...(known?.services ?? []), key])].sort(order)
    for (const one of service.announcements) {
      if (one.node !== node) continue
      const subject = subjectOf(one)
      const stays = after.filter(other => other.protocol === one.protocol && subjectOf(other) === subject)
      if (one.protocol === 'layer2') {
        const known = addresses.get(subject)
        const to = stays[0]?.node ?? known?.to ?? null
        addresses.set(subject, { protocol: 'layer2', address: subject, services: together(known), to })
      } else {
        const known = routes.get(subject)
        const nodes = [...new Set([...(known?.nodes ?? []), ...stays.map(other => other.node)])].sort(order)
        routes.set(subject, { protocol: 'bgp', prefix: subject, services: together(known), nodes })
      }
    }
    for (const address of service.addresses) {
      if (isHeard(service.announcements, address) && !isHeard(after, address))
        orphans.push({ service: key, address })
    }
  }
  return {
    node,
    addresses: [...addresses.values()].sort((a, b) => order(a.address, b.address)),
    routes: [...routes.values()].sort((a, b) => order(a.prefix, b.prefix)),
    orphans: orphans.sort((a, b) => order(a.service, b.service) || order(a.address, b.address)),
  }
}

/** A Service in the status of a speaker, as far as it matters here. */
type Held = ServiceDocument & { readonly owner: string | null; readonly succession: readonly string[] }

/**
 * What would be announced for the Services of a status without `node`: its routes go, its addresses go to the next in line. An address that
 * several Services share goes where the Service of which the election decided says.
 */
export function withoutNode(node: string, services: readonly Held[]): readonly Drained[] {
  const heirs = new Map<string, string | undefined>()
  for (const { owner, addresses, succession } of services) {
    if (owner !== node) continue
    for (const address of addresses)
      if (!heirs.has(address))
        heirs.set(
          address,
          succession.find(other => other !== node),
        )
  }
  return services.map(service => ({
    service,
    after: service.announcements.flatMap((one): readonly PlannedAnnouncement[] => {
      if (one.node !== node) return [one]
      const heir = one.protocol === 'layer2' ? heirs.get(one.address) : undefined
      return one.protocol === 'layer2' && heir !== undefined ? [{ ...one, node: heir }] : []
    }),
  }))
}
