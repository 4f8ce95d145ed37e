import type { RouteFamily } from '@carillon/bgp'

/** Intervals in milliseconds. */
export interface BfdConfig {
  readonly transmitMs: number
  readonly receiveMs: number
  readonly multiplier: number
}

/** What a router is told of one neighbour. What is absent is left at the router's own default. */
export interface NeighborConfig {
  /** Its address; or see `interface` and `range`. */
  readonly address?: string
  /** Unnumbered: whoever is found on this interface. With `address`, the interface of a link-local address. */
  readonly interface?: string
  /** Whoever connects from this prefix. */
  readonly range?: string
  readonly remoteAs: number | 'external' | 'internal'
  /** The AS that this neighbour sees instead of the router's own. */
  readonly localAs?: number
  readonly localAddress?: string
  readonly port?: number
  /** TCP-MD5. */
  readonly password?: string
  /** Hops that the neighbour may be away. */
  readonly multihop?: number
  /** RFC 5082: packets that were sent with TTL 255, and have come at most so many hops. */
  readonly ttlSecurity?: number
  readonly bfd?: BfdConfig
  /** Wait for the neighbour to connect. @default false */
  readonly passive?: boolean
  /** @default ipv4 over an IPv4 session, ipv6 over an IPv6 session, both where there is no address */
  readonly families?: readonly RouteFamily[]
  /** Seconds; the keepalive time is a third of it. */
  readonly holdTime?: number
  /** `off`: not offered. `helper`: routes of a neighbour that restarts are kept. `full`: and the router's own are to be kept. */
  readonly gracefulRestart?: 'off' | 'helper' | 'full'
  /** Next hop of IPv6 routes over an IPv4 session, where the router does not find one itself. */
  readonly nextHop6?: string
  /** Offer RFC 8654, where the router does not by itself. */
  readonly extendedMessages?: boolean
  /** Offer RFC 6793, which FRR and GoBGP always do. @default true */
  readonly fourOctetAs?: boolean
}

/** A route that a router announces itself. */
export interface OriginConfig {
  readonly prefix: string
  /** `65000:1` */
  readonly communities?: readonly string[]
  /** `65000:1:2` */
  readonly largeCommunities?: readonly string[]
  readonly med?: number
  readonly localPref?: number
  /** AS numbers that stand behind the router's own. */
  readonly asPath?: readonly number[]
}

/** What a router is told when it starts. */
export interface RouterConfig {
  readonly as: number
  readonly routerId: string
  readonly neighbors: readonly NeighborConfig[]
  readonly routes?: readonly OriginConfig[]
  /** Install what is learnt in the host's kernel, over several next hops where they are as good. @default false */
  readonly install?: boolean
  /** The port to listen on. @default 179 */
  readonly port?: number
  /** Prefixes that stand for the routes within them (FRR only). */
  readonly aggregates?: readonly string[]
  /** Offer RFC 8538 beside graceful restart, where the router does not by itself. @default false */
  readonly gracefulNotification?: boolean
  /** It comes back after a loss, and has kept its forwarding state (RFC 4724). @default false */
  readonly returning?: boolean
}

export const familyOf = (prefix: string): RouteFamily => (prefix.includes(':') ? 'ipv6' : 'ipv4')

/** The families that a session with this neighbour carries. */
export function familiesOf({ families, address, range }: NeighborConfig): readonly RouteFamily[] {
  if (families) return families
  const place = range ?? address
  return place === undefined ? ['ipv4', 'ipv6'] : [familyOf(place)]
}

/** The configuration's routes of a family. */
export const routesOf = (config: RouterConfig, family: RouteFamily): readonly OriginConfig[] =>
  (config.routes ?? []).filter(({ prefix }) => familyOf(prefix) === family)
