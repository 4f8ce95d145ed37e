import { type BfdProfile, CarillonError, canonicalAddress, familyOf } from '@carillon/core'
import type { RouteFamily } from '../wire/message.ts'

/** A router to have a session with. Times in milliseconds. */
export interface BgpPeer {
  /** Unique within a speaker; what events and the status call it. */
  readonly name: string
  /** Our AS. */
  readonly myAsn: number
  /** Its AS. This or `dynamicAsn`. */
  readonly peerAsn?: number
  /** Any peer in our AS (`internal`), or in any other (`external`). */
  readonly dynamicAsn?: 'internal' | 'external'
  /** What this peer is to see instead of `myAsn`, in OPEN and AS_PATH. */
  readonly localAsn?: number
  /** Its address. This or `interface`. */
  readonly peerAddress?: string
  /** The peer is whoever sends router advertisements on this interface (unnumbered). */
  readonly interface?: string
  /** @default 179 */
  readonly peerPort?: number
  /** Our address. @default what the kernel chooses */
  readonly sourceAddress?: string
  /** The VRF device that the session runs in. */
  readonly vrf?: string
  /** Whole seconds; 0 for none. @default 90_000 */
  readonly holdTimeMs?: number
  /** @default a third of the negotiated hold time */
  readonly keepaliveTimeMs?: number
  /** The longest wait between two attempts to connect; the first ones come sooner. @default 5000, and 30_000 after an error */
  readonly connectTimeMs?: number
  /** Our BGP identifier. @default our IPv4 address on the session, else the lowest of this host, else made of the node's name */
  readonly routerId?: string
  /** TCP-MD5 key (RFC 2385), up to 80 bytes. Never logged, never shown. */
  readonly password?: string
  /** Watch the peer with BFD; the session falls as soon as that does. */
  readonly bfd?: BfdProfile
  /** Let the peer keep our routes while we restart (RFC 4724). @default false */
  readonly gracefulRestart?: boolean
  /** How long it keeps them, at most 4095 s. @default 120_000 */
  readonly restartTimeMs?: number
  /** A peer in another AS may be more than one hop away. @default false */
  readonly ebgpMultiHop?: boolean
  /** Carry IPv4 and IPv6 routes, whatever the family of the session. @default false; with `interface` always */
  readonly dualStackAddressFamily?: boolean
  /** Never dial: wait for the peer to connect. @default false */
  readonly passive?: boolean
  /** How many hops away the peer may be (RFC 5082): what comes from further away is dropped by the kernel. 1 to 254. */
  readonly ttlSecurity?: number
}

/** A peer, checked, with every default filled in. */
export interface PeerSettings {
  readonly name: string
  /** What the peer sees of us. */
  readonly localAs: number
  readonly remoteAs: number | 'internal' | 'external'
  readonly address?: string
  readonly interface?: string
  readonly port: number
  readonly sourceAddress?: string
  readonly vrf?: string
  readonly families: readonly RouteFamily[]
  readonly holdTimeMs: number
  readonly keepaliveTimeMs?: number
  readonly connectTimeMs: number
  /** The longest wait after an error in what was said. */
  readonly errorTimeMs: number
  readonly routerId?: string
  readonly password?: string
  readonly bfd?: BfdProfile
  /** Seconds; absent: no graceful restart. */
  readonly restartTime?: number
  /** In our AS, by what is configured. */
  readonly internal: boolean
  /** More than one hop may lie between; so it may with a peer in our AS that is not on a subnet of ours. */
  readonly multiHop: boolean
  readonly passive: boolean
  /** TTL or hop limit of what we send. */
  readonly ttl: number
  /** What arrives with less is dropped. */
  readonly minimumTtl?: number
}

/** What a session does unless it is told otherwise. */
export const peerDefaults: Required<
  Pick<BgpPeer, 'peerPort' | 'holdTimeMs' | 'connectTimeMs' | 'restartTimeMs'>
> = Object.freeze({
  peerPort: 179,
  holdTimeMs: 90_000,
  connectTimeMs: 5000,
  restartTimeMs: 120_000,
})

/** An error will be made again, and is seen in the log of the router each time. */
const longestErrorMs = 30_000

const both: readonly RouteFamily[] = ['ipv4', 'ipv6']
const whole = (value: number, from: number, to: number): boolean =>
  Number.isInteger(value) && value >= from && value <= to

function checked(peer: BgpPeer): BgpPeer {
  const require = (holds: boolean, field: keyof BgpPeer, wanted: string): void => {
    if (holds) return
    // The key itself is in no message.
    const value = field === 'password' ? 'not usable' : JSON.stringify(peer[field])
    throw new CarillonError('BAD_PEER', `BGP peer "${peer.name}": ${field} is ${value}: give ${wanted}`, {
      peer: peer.name,
      field,
    })
  }
  const optional = (field: keyof BgpPeer, holds: (value: number) => boolean, wanted: string): void => {
    const value = peer[field]
    if (value !== undefined) require(typeof value === 'number' && holds(value), field, wanted)
  }
  const address = (field: 'peerAddress' | 'sourceAddress' | 'routerId', wanted: string): void => {
    const value = peer[field]
    if (value === undefined) return
    const text = canonicalAddress(value)
    const fits = field !== 'routerId' || (text !== undefined && familyOf(text) === 4 && text !== '0.0.0.0')
    require(text !== undefined && fits, field, wanted)
  }
  const asn = (value: number): boolean => whole(value, 1, 0xffffffff)
  require(typeof peer.name === 'string' && peer.name !== '', 'name', 'a name')
  require(asn(peer.myAsn), 'myAsn', 'an AS number')
  optional('peerAsn', asn, 'an AS number')
  optional('localAsn', asn, 'an AS number')
  const { dynamicAsn } = peer
  require((peer.peerAsn === undefined) !==
    (dynamicAsn === undefined), 'peerAsn', 'an AS number, or dynamicAsn instead')
  require(dynamicAsn === undefined ||
    dynamicAsn === 'internal' ||
    dynamicAsn === 'external', 'dynamicAsn', 'internal or external')
  require((peer.peerAddress === undefined) !==
    (peer.interface === undefined), 'peerAddress', 'an address, or an interface instead')
  address('peerAddress', 'an IP address')
  address('sourceAddress', 'an IP address')
  address('routerId', 'an IPv4 address other than 0.0.0.0')
  optional('peerPort', value => whole(value, 1, 65535), 'a TCP port')
  const seconds = (value: number): boolean => whole(value / 1000, 0, 65535)
  optional(
    'holdTimeMs',
    value => seconds(value) && (value === 0 || value >= 3000),
    'whole seconds: 0, or 3 to 65535',
  )
  optional('keepaliveTimeMs', value => Number.isFinite(value) && value >= 0, 'milliseconds')
  optional('connectTimeMs', value => value >= 1000 && value <= 65_535_000, 'milliseconds: 1000 to 65535000')
  optional('restartTimeMs', value => whole(value / 1000, 0, 4095), 'whole seconds: 0 to 4095')
  optional('ttlSecurity', value => whole(value, 1, 254), 'a number of hops from 1 to 254')
  const key = peer.password
  const bytes = key === undefined ? 1 : new TextEncoder().encode(key).length
  require(bytes >= 1 && bytes <= 80, 'password', 'a key of 1 to 80 bytes')
  return peer
}

function ttlOf(peer: BgpPeer, internal: boolean): Pick<PeerSettings, 'ttl' | 'minimumTtl'> {
  const { ttlSecurity } = peer
  // RFC 5082 section 3
  if (ttlSecurity !== undefined) return { ttl: 255, minimumTtl: 256 - ttlSecurity }
  return { ttl: internal || peer.ebgpMultiHop ? 255 : 1 }
}

/** Checks a peer and fills in what it leaves open. Throws `BAD_PEER` that names peer and field. */
export function settlePeer(peer: BgpPeer): PeerSettings {
  const { name, myAsn, localAsn, peerAsn, dynamicAsn, interface: device } = checked(peer)
  const localAs = localAsn ?? myAsn
  const remoteAs = peerAsn ?? (dynamicAsn as 'internal' | 'external')
  const internal = remoteAs === 'internal' || remoteAs === localAs
  const address = peer.peerAddress === undefined ? undefined : canonicalAddress(peer.peerAddress)
  const source = peer.sourceAddress === undefined ? undefined : canonicalAddress(peer.sourceAddress)
  const own: RouteFamily = address !== undefined && familyOf(address) === 4 ? 'ipv4' : 'ipv6'
  const { keepaliveTimeMs } = peer
  return Object.freeze({
    name,
    localAs,
    remoteAs,
    ...(address !== undefined && { address }),
    ...(device !== undefined && { interface: device }),
    port: peer.peerPort ?? peerDefaults.peerPort,
    ...(source !== undefined && { sourceAddress: source }),
    ...(peer.vrf !== undefined && { vrf: peer.vrf }),
    families: peer.dualStackAddressFamily || device !== undefined ? both : [own],
    holdTimeMs: peer.holdTimeMs ?? peerDefaults.holdTimeMs,
    ...(keepaliveTimeMs !== undefined && { keepaliveTimeMs }),
    connectTimeMs: peer.connectTimeMs ?? peerDefaults.connectTimeMs,
    errorTimeMs: peer.connectTimeMs ?? longestErrorMs,
    ...(peer.routerId !== undefined && { routerId: peer.routerId }),
    ...(peer.password !== undefined && { password: peer.password }),
    ...(peer.bfd !== undefined && { bfd: peer.bfd }),
    ...(peer.gracefulRestart && { restartTime: (peer.restartTimeMs ?? peerDefaults.restartTimeMs) / 1000 }),
    internal,
    multiHop: device === undefined && (peer.ebgpMultiHop === true || (peer.ttlSecurity ?? 1) > 1),
    passive: peer.passive ?? false,
    ...ttlOf(peer, internal),
  })
}
