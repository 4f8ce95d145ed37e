import type { LabelMap, Peer } from './config.ts'
import { missing } from './missing.ts'
import type { Spot } from './spot.ts'

/** What annotations add to a BGPPeer beyond MetalLB's fields. */
export type PeerExtras = Pick<Peer, 'passive' | 'ttlSecurity'>

const prefix = 'carillon.io/bgp-'

const passive = `${prefix}passive`
const ttlSecurity = `${prefix}ttl-security`
const known = [passive, ttlSecurity]

function parsePassive(text: string | undefined, spot: Spot): boolean {
  if (text !== undefined && text !== 'true' && text !== 'false')
    spot.error(`"${text}" will not do: it must be "true" or "false"`)
  return text === 'true'
}

function parseTtlSecurity(text: string | undefined, spot: Spot): number | undefined {
  if (text === undefined) return undefined
  const hops = /^\d{1,3}$/.test(text) ? Number(text) : 0
  if (hops >= 1 && hops <= 254) return hops
  spot.error(`"${text}" is no number of hops: it must be from 1, for a peer on the same network, to 254`)
  return undefined
}

/** Reads the annotations of a BGPPeer that are ours; all others are left alone. */
export function parsePeerAnnotations(annotations: LabelMap, spot: Spot): PeerExtras {
  for (const name of Object.keys(annotations)) {
    if (!name.startsWith(prefix) || known.includes(name)) continue
    spot.at(name).warning(`${missing('annotation', name, known)}: it has no effect`)
  }
  const hops = parseTtlSecurity(annotations[ttlSecurity], spot.at(ttlSecurity))
  return {
    passive: parsePassive(annotations[passive], spot.at(passive)),
    ...(hops !== undefined && { ttlSecurity: hops }),
  }
}

/** Where the annotation is, for messages about it. */
export const ttlSecuritySpot = (spot: Spot): Spot => spot.at(ttlSecurity)
