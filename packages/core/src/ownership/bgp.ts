import { type Family, familyOf, formatAddress, maskAddress, parseAddress } from '../address.ts'
import type { Service } from '../resources/index.ts'
import type { BgpPolicy } from './bgp-policy.ts'
import type { BgpPool } from './bgp-pools.ts'
import type { NodeFacts } from './cluster.ts'
import type { Endpoints } from './endpoints.ts'
import type { Gate } from './gate.ts'
import type { Because } from './verdict.ts'

/** A prefix that is announced for an address of a Service. */
export interface Route {
  /** `192.168.1.240/32` */
  readonly prefix: string
  readonly family: Family
  readonly length: number
}

/** What BGP makes of a Service, before any node is looked at. */
export interface BgpClaim {
  readonly policy: BgpPolicy
  /** Some endpoint that has an address can serve, somewhere. */
  readonly serving: boolean
  /** The only nodes that may speak (externalTrafficPolicy Local); undefined: no such restriction. */
  readonly locals: ReadonlySet<string> | undefined
  /** Each prefix once. */
  readonly routes: readonly Route[]
}

function prefixOf(address: string, family: Family, length: number): string {
  if (length === (family === 4 ? 32 : 128)) return `${address}/${length}`
  return `${formatAddress(maskAddress(parseAddress(address), length))}/${length}`
}

function routesOf(addresses: readonly string[], policy: BgpPolicy): readonly Route[] {
  const routes = new Map<string, Route>()
  for (const address of addresses) {
    const family = familyOf(address)
    for (const length of policy.lengths(family)) {
      const prefix = prefixOf(address, family, length)
      routes.set(prefix, { prefix, family, length })
    }
  }
  return [...routes.values()]
}

/** Puts together what BGP has to know of a Service with these addresses from this pool. */
export function bgpClaim(
  { metadata, spec }: Service,
  addresses: readonly string[],
  pool: BgpPool,
  { addressed }: Endpoints,
): BgpClaim {
  const policy = pool.policyFor(metadata.labels)
  const locals = spec.externalTrafficPolicy === 'Local' ? addressed.nodes : undefined
  return { policy, serving: addressed.serving, locals, routes: routesOf(addresses, policy) }
}

/** Whether two claims lead to the same everywhere. */
export function sameBgpClaim(a: BgpClaim | undefined, b: BgpClaim | undefined): boolean {
  if (a === b) return true
  if (!a || !b || a.policy !== b.policy || a.serving !== b.serving) return false
  if (a.routes.length !== b.routes.length || a.locals?.size !== b.locals?.size) return false
  for (const name of a.locals ?? []) if (!b.locals?.has(name)) return false
  return a.routes.every(({ prefix }, i) => prefix === b.routes[i]?.prefix)
}

const isLocal = ({ locals }: BgpClaim, { name }: NodeFacts): boolean =>
  locals === undefined || locals.has(name)

/** Whether the endpoints let the node speak for the claim. */
export const canServeFrom = (claim: BgpClaim, facts: NodeFacts): boolean =>
  claim.serving && isLocal(claim, facts)

const past =
  (because: Because): Gate<BgpClaim>['passes'] =>
  ({ policy }, { labels }) =>
    policy.obstacle(labels) !== because

/**
 * The gates of BGP in the order in which they are asked, which is MetalLB's with `notAlive` before and
 * `noPeer` after: the first that a node does not pass is the reason.
 */
export const bgpGates: readonly Gate<BgpClaim>[] = [
  { because: 'notAlive', passes: (_, { alive }) => alive },
  { because: 'notOwner', passes: past('notOwner') },
  { because: 'noMatchingAdvertisement', passes: past('noMatchingAdvertisement') },
  { because: 'conflictingAdvertisements', passes: past('conflictingAdvertisements') },
  { because: 'nodeNetworkUnavailable', passes: (_, { networkUnavailable }) => !networkUnavailable },
  { because: 'nodeLabeledExcludeBalancers', passes: (_, { excluded }) => !excluded },
  { because: 'noLocalEndpoints', passes: isLocal },
  { because: 'noEndpoints', passes: ({ serving }) => serving },
  {
    because: 'noPeer',
    passes: ({ policy, routes }, { labels }) =>
      routes.some(({ family, length }) => policy.offer(labels, family, length) !== undefined),
  },
]

/** Why this node does not speak for the claim; undefined: it does. */
export function bgpObstacle(claim: BgpClaim, facts: NodeFacts): Because | undefined {
  return bgpGates.find(gate => !gate.passes(claim, facts))?.because
}
