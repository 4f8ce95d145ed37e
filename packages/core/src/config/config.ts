import type { Family } from '../address.ts'

/** Labels of an object; an absent map is an empty one. */
export type LabelMap = Readonly<Record<string, string>>

/** A compiled Kubernetes LabelSelector. An empty one matches everything. */
export interface Selector {
  matches(labels: LabelMap): boolean
  /** Canonical text; equal selectors have equal text. */
  readonly text: string
}

/** Addresses from `first` to `last`, both included, of one family, as 4- or 16-byte big-endian numbers. */
export interface AddressRange {
  readonly family: Family
  readonly first: bigint
  readonly last: bigint
}

/** One entry of `spec.addresses`, as the minimal CIDRs that cover it, low to high. */
export interface AddressEntry {
  readonly text: string
  readonly cidrs: readonly Cidr[]
}

/** A block of addresses: those that share the first `prefixLength` bits with `first`. */
export interface Cidr {
  readonly family: Family
  readonly first: bigint
  readonly prefixLength: number
}

/** An IPAddressPool, checked and with defaults filled in. */
export interface Pool {
  readonly name: string
  readonly labels: LabelMap
  readonly entries: readonly AddressEntry[]
  /** Every address, in the order in which they are handed out: CIDRs in spec order, merged where they adjoin. */
  readonly ranges: readonly AddressRange[]
  readonly autoAssign: boolean
  readonly avoidBuggyIPs: boolean
  /** Absent: for everybody, after the pools that have one. */
  readonly serviceAllocation?: ServiceAllocation
  /** The layer 2 advertisements that select this pool, by name. */
  readonly l2Advertisements: readonly L2Ad[]
  /** The BGP advertisements that select this pool, by name. */
  readonly bgpAdvertisements: readonly BgpAd[]
}

/** For which Services a pool is. */
export interface ServiceAllocation {
  /** Lower numbers first; 0 comes last. */
  readonly priority: number
  /** True when neither `namespaces` nor `namespaceSelectors` are given: any namespace is admitted. */
  readonly anyNamespace: boolean
  readonly namespaces: ReadonlySet<string>
  readonly namespaceSelectors: readonly Selector[]
  /** OR; empty: any Service. */
  readonly serviceSelectors: readonly Selector[]
}

/** An L2Advertisement, checked and with defaults filled in. */
export interface L2Ad {
  readonly name: string
  /** OR; empty: every node. */
  readonly nodeSelectors: readonly Selector[]
  /** OR; empty: every Service. */
  readonly serviceSelectors: readonly Selector[]
  /** Empty: every interface. */
  readonly interfaces: readonly string[]
  readonly preferences: readonly { readonly weight: number; readonly selector: Selector }[]
}

/** A BGPAdvertisement, checked and with defaults filled in. */
export interface BgpAd {
  readonly name: string
  readonly nodeSelectors: readonly Selector[]
  readonly serviceSelectors: readonly Selector[]
  readonly aggregationLength: number
  readonly aggregationLengthV6: number
  /** 0: unset. */
  readonly localPref: number
  /** Resolved, sorted: `65000:1` or `large:1:2:3`. */
  readonly communities: readonly string[]
  /** Names of BGPPeer objects; empty: all. */
  readonly peers: readonly string[]
}

/** A BGPPeer, checked and with defaults filled in. Times in milliseconds. */
export interface Peer {
  readonly name: string
  readonly myAsn: number
  readonly peerAsn?: number
  readonly localAsn?: number
  readonly dynamicAsn?: 'internal' | 'external'
  readonly peerAddress?: string
  readonly interface?: string
  readonly sourceAddress?: string
  readonly peerPort: number
  /** Absent: the speaker's default. */
  readonly holdTimeMs?: number
  readonly keepaliveTimeMs?: number
  readonly connectTimeMs?: number
  readonly routerId?: string
  readonly nodeSelectors: readonly Selector[]
  /** TCP-MD5 key, resolved. Never logged, never shown. */
  readonly password?: string
  readonly bfdProfile?: string
  readonly gracefulRestart: boolean
  readonly ebgpMultiHop: boolean
  readonly vrf?: string
  readonly dualStackAddressFamily: boolean
  /** Never connect: wait for the peer to do so. Annotation `carillon.io/bgp-passive`. */
  readonly passive: boolean
  /**
   * How many hops away the peer may be (RFC 5082, GTSM), 1 to 254: what comes from further away is dropped. Annotation
   * `carillon.io/bgp-ttl-security`.
   */
  readonly ttlSecurity?: number
}

/** A BFDProfile, checked and with defaults filled in. Times in milliseconds. */
export interface BfdProfile {
  readonly name: string
  readonly receiveIntervalMs: number
  readonly transmitIntervalMs: number
  readonly detectMultiplier: number
  readonly echoIntervalMs: number
  readonly echoMode: boolean
  readonly passiveMode: boolean
  readonly minimumTtl: number
}

/** A valid configuration, frozen. Everything is in name order. */
export interface Config {
  readonly pools: readonly Pool[]
  readonly peers: readonly Peer[]
  readonly bfdProfiles: ReadonlyMap<string, BfdProfile>
}
