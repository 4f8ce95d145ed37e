import type { Advertisement } from '../speaker/announcer.ts'
import type { Cluster } from './cluster.ts'
import { type Interfaces, layer2Interfaces } from './layer2.ts'
import type { ServiceRecord } from './record.ts'

/** An advertisement for announcers that answer on the local segment. */
export interface Layer2Advertisement extends Advertisement {
  readonly options: { readonly interfaces: Interfaces }
}

/** Who speaks for an address on layer 2. */
export interface AddressPlan {
  readonly address: string
  /** Every Service that has the address, sorted, whether or not anything is announced for it. */
  readonly services: readonly string[]
  /** The one node that announces it; undefined: nobody does. */
  readonly node: string | undefined
  /** The Service whose election decided. */
  readonly decidedBy: string | undefined
  /** What `node` announces. */
  readonly advertisement: Layer2Advertisement | undefined
}

const sameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((item, i) => item === b[i])

function same(a: Interfaces | undefined, b: Interfaces | undefined): boolean {
  if (!a || !b || a === 'all' || b === 'all') return a === b
  return sameList(a, b)
}

/** Whether two plans announce on the same interfaces. */
export function sameInterfaces(a: AddressPlan | undefined, b: AddressPlan | undefined): boolean {
  return same(a?.advertisement?.options.interfaces, b?.advertisement?.options.interfaces)
}

/**
 * Merges what the elections of all Services on one address say. They agree, except where Services that share
 * an address have different first addresses (a dual-stack and a single-stack one) or different local
 * endpoints. MetalLB then lets two nodes answer for the address; here the Service with the most addresses
 * decides, so that a pair stays on one node, and among equals the first `namespace/name` as text. A Service
 * that nobody may speak for decides nothing. Gives `before` when nothing is different, and undefined for no
 * holders.
 */
export function planAddress(
  address: string,
  holders: readonly ServiceRecord[],
  cluster: Cluster,
  before: AddressPlan | undefined,
): AddressPlan | undefined {
  if (holders.length === 0) return undefined
  const speaking = holders.filter(({ owner }) => owner !== undefined)
  const leader = speaking.reduce<ServiceRecord | undefined>(
    (best, record) =>
      best && best.assignment.addresses.length >= record.assignment.addresses.length ? best : record,
    undefined,
  )
  const node = leader?.owner
  const facts = node === undefined ? undefined : cluster.get(node)
  const claims = speaking.flatMap(({ layer2 }) => layer2 ?? [])
  const interfaces = facts && layer2Interfaces(claims, facts)
  const services = holders.map(({ key }) => key)
  const announced = speaking.map(({ key }) => key)

  const old = before?.advertisement
  const keeps =
    old && interfaces && sameList(old.services, announced) && same(old.options.interfaces, interfaces)
  const advertisement = keeps ? old : interfaces && { address, services: announced, options: { interfaces } }
  const decidedBy = leader?.key
  const unchanged =
    before?.node === node &&
    before?.decidedBy === decidedBy &&
    before?.advertisement === advertisement &&
    sameList(before?.services ?? [], services)
  return unchanged ? before : { address, services, node, decidedBy, advertisement }
}
