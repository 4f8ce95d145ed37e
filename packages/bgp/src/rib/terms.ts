import type { AddressBytes } from '@carillon/core'
import type { AsSegment, Attributes, Dialect, RouteFamily } from '../wire/index.ts'
import type { PathAttributes } from './path-attributes.ts'

/** What one session has agreed on, as far as it shapes the routes that are sent. */
export interface RibTerms {
  readonly dialect: Dialect
  /**
   * The families that both sides carry, with the next hop of our routes of each: one address, or for IPv6 a global and a
   * link-local one (RFC 2545 section 3). IPv4 routes can have those as well (RFC 8950). Empty: there is none, and no route of this
   * family can be sent.
   */
  readonly nextHops: Readonly<Partial<Record<RouteFamily, readonly AddressBytes[]>>>
  /** AS_PATH of all our routes. */
  readonly asPath: readonly AsSegment[]
  /** The peer is in our AS: it is told LOCAL_PREF (RFC 4271 section 5.1.5). */
  readonly internal: boolean
  /** Beginning and end of a refresh are marked (RFC 7313). */
  readonly enhancedRefresh: boolean
}

/** LOCAL_PREF of routes that have none of their own. */
const DEFAULT_LOCAL_PREF = 100

/** All attributes of a route but prefix and next hop. */
export function attributesOf(path: PathAttributes, { asPath, internal }: RibTerms): Attributes {
  const {
    origin = 'igp',
    localPref = DEFAULT_LOCAL_PREF,
    med,
    communities = [],
    largeCommunities = [],
  } = path
  return {
    origin,
    asPath,
    ...(internal && { localPref }),
    ...(med !== undefined && { med }),
    ...(communities.length > 0 && { communities }),
    ...(largeCommunities.length > 0 && { largeCommunities }),
  }
}
