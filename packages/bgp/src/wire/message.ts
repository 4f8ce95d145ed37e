import type { AddressBytes, Family } from '@carillon/core'

/** The address families that this speaker carries, as `afi/safi` of IANA: IPv4 and IPv6 unicast. */
export type RouteFamily = 'ipv4' | 'ipv6'

/** A block of addresses, as NLRI names it (RFC 4271 section 4.3). Bits past `length` are zero. */
export interface Prefix {
  /** 4 or 16 bytes. */
  readonly address: AddressBytes
  /** 0 to 32, or to 128. */
  readonly length: number
}

/** What a speaker says of itself when a session opens (RFC 5492). What is not known here survives as `unknown`. */
export type Capability =
  /** RFC 4760 */
  | { readonly name: 'multiprotocol'; readonly afi: number; readonly safi: number }
  /** RFC 2918 */
  | { readonly name: 'routeRefresh' }
  /** RFC 7313 */
  | { readonly name: 'enhancedRouteRefresh' }
  /** RFC 8950: next hops of `nextHopAfi` for routes of `afi`/`safi`. */
  | {
      readonly name: 'extendedNextHop'
      readonly entries: readonly {
        readonly afi: number
        readonly safi: number
        readonly nextHopAfi: number
      }[]
    }
  /** RFC 8654 */
  | { readonly name: 'extendedMessage' }
  /** RFC 4724; `notification` is the N bit of RFC 8538. `restartTime` in seconds, 0 to 4095. */
  | {
      readonly name: 'gracefulRestart'
      readonly restarting: boolean
      readonly notification: boolean
      readonly restartTime: number
      readonly families: readonly {
        readonly afi: number
        readonly safi: number
        readonly forwarding: boolean
      }[]
    }
  /** RFC 6793 */
  | { readonly name: 'fourOctetAs'; readonly as: number }
  /** draft-walton-bgp-hostname-capability: what FRR shows for a neighbour. */
  | { readonly name: 'hostname'; readonly hostName: string; readonly domainName: string }
  | { readonly name: 'unknown'; readonly code: number; readonly value: Uint8Array }

/** RFC 4271 section 4.2 */
export interface OpenMessage {
  readonly type: 'open'
  readonly version: number
  /** The 2-octet field: AS_TRANS (23456) where the AS needs four octets and stands in the capability. */
  readonly as: number
  /** Seconds; 0 or at least 3. */
  readonly holdTime: number
  /** Dotted quad. */
  readonly routerId: string
  readonly capabilities: readonly Capability[]
}

/** A segment of an AS_PATH (RFC 4271 section 4.3 b, RFC 5065). */
export interface AsSegment {
  readonly type: 'set' | 'sequence' | 'confederationSequence' | 'confederationSet'
  readonly as: readonly number[]
}

/** Path attributes that have a meaning here. */
export interface Attributes {
  readonly origin?: 'igp' | 'egp' | 'incomplete'
  readonly asPath?: readonly AsSegment[]
  /** IPv4. */
  readonly nextHop?: AddressBytes
  readonly med?: number
  readonly localPref?: number
  readonly atomicAggregate?: true
  readonly aggregator?: { readonly as: number; readonly address: AddressBytes }
  /** RFC 1997: 32-bit values. */
  readonly communities?: readonly number[]
  /** RFC 4360 and others: 8 bytes each. */
  readonly extendedCommunities?: readonly Uint8Array[]
  /** RFC 8092 */
  readonly largeCommunities?: readonly (readonly [global: number, local1: number, local2: number])[]
  /** RFC 4760 section 3. `nextHops`: one address, or for IPv6 a global and a link-local one. */
  readonly mpReach?: {
    readonly afi: number
    readonly safi: number
    readonly nextHops: readonly AddressBytes[]
    readonly prefixes: readonly Prefix[]
  }
  /** RFC 4760 section 4 */
  readonly mpUnreach?: { readonly afi: number; readonly safi: number; readonly prefixes: readonly Prefix[] }
  /** Attributes of which only the header is understood. */
  readonly unknown?: readonly { readonly flags: number; readonly code: number; readonly value: Uint8Array }[]
}

/** RFC 4271 section 4.3 */
export interface UpdateMessage {
  readonly type: 'update'
  /** IPv4 only; other families stand in `attributes.mpUnreach`. */
  readonly withdrawn: readonly Prefix[]
  readonly attributes: Attributes
  /** IPv4 only; other families stand in `attributes.mpReach`. */
  readonly announced: readonly Prefix[]
}

/** RFC 4271 section 4.5; `data` may hold a shutdown communication (RFC 9003). */
export interface NotificationMessage {
  readonly type: 'notification'
  readonly code: number
  readonly subcode: number
  readonly data: Uint8Array
}

/** RFC 4271 section 4.4 */
export interface KeepaliveMessage {
  readonly type: 'keepalive'
}

/** RFC 2918, RFC 7313 */
export interface RouteRefreshMessage {
  readonly type: 'routeRefresh'
  readonly afi: number
  readonly safi: number
  /** `begin` and `end`: demarcation of an enhanced refresh. A number: a subtype that is not known. */
  readonly subtype: 'request' | 'begin' | 'end' | number
}

/** A BGP message (RFC 4271 section 4), of any type. */
export type Message =
  | OpenMessage
  | UpdateMessage
  | NotificationMessage
  | KeepaliveMessage
  | RouteRefreshMessage

/** What two speakers have agreed on, as far as reading and writing messages depends on it. */
export interface Dialect {
  /** AS numbers of AS_PATH and AGGREGATOR take four octets (RFC 6793). */
  readonly fourOctetAs: boolean
  /** Messages of up to 65535 octets (RFC 8654) instead of 4096. */
  readonly extendedMessage: boolean
}

/** The family that core calls 4 or 6. */
export const routeFamilies: Readonly<Record<Family, RouteFamily>> = { 4: 'ipv4', 6: 'ipv6' }
