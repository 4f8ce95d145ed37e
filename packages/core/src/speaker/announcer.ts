import type { EventEmitter } from 'eventemitter3'
import type { Family } from '../address.ts'
import type { Clock } from '../clock.ts'
import type { Config, LabelMap } from '../config/config.ts'
import type { CarillonError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import type { Network } from '../network.ts'
import type { SessionStatus } from './session-status.ts'

/** What every announcer is given: the world, never reached for, always handed in. */
export interface AnnouncerContext {
  /** Name of this node. */
  readonly node: string
  readonly clock: Clock
  readonly network: Network
  readonly log: Logger
  readonly metrics: Metrics
  /** 0 <= x < 1 */
  readonly random: () => number
}

/** One address (or prefix) that this node should make reachable, and for whom. */
export interface Advertisement {
  /** Canonical text. */
  readonly address: string
  /** `namespace/name` of each Service behind it, sorted. */
  readonly services: readonly string[]
  /**
   * What this kind of announcer needs to know more; for layer 2: `interfaces`, `'all'` or a sorted list of names; for BGP: `peers`, a
   * list of `PeerRoute`.
   */
  readonly options: Readonly<Record<string, unknown>>
}

/** How one BGP peer is told of a prefix; what several BGPAdvertisements say, merged. */
export interface PeerRoute {
  /** Name of the BGPPeer. */
  readonly peer: string
  /** 0: unset. */
  readonly localPref: number
  /** `65000:1` or `large:1:2:3`, in numeric order. */
  readonly communities: readonly string[]
}

/** What an announcer may go by beside the addresses. */
export interface AnnouncerSettings {
  /** The configuration in force. */
  readonly config: Config
  /** Labels of this node. */
  readonly labels: LabelMap
}

/** How the announcement of one address stands. */
export interface AnnouncementStatus {
  readonly address: string
  /** `pending`: not yet said on any interface or to any peer. `failed`: cannot be said, see `error`. */
  readonly state: 'pending' | 'announced' | 'failed'
  /** Where it is said: interface names, or peer names. Sorted. */
  readonly via: readonly string[]
  readonly error?: CarillonError
}

/** Another station uses an address that we announce. */
export interface AddressConflict {
  readonly address: string
  readonly interface: string
  /** MAC address of the other station, colon-separated. */
  readonly mac: string
}

/** What an announcer tells the speaker, which keeps it for the status. Whoever has sessions logs their ups and downs itself. */
export interface AnnouncerEvents {
  'announcement:changed': (status: AnnouncementStatus) => void
  'address:conflict': (conflict: AddressConflict) => void
  /** The session with this peer carries routes now. */
  'peer:up': (peer: string) => void
  /** It does no longer. */
  'peer:down': (peer: string, reason: CarillonError) => void
}

/** A way of telling the network "this address lives here". ARP, NDP and BGP are three; write a fourth. */
export interface Announcer extends AsyncDisposable {
  /** Short and unique within a speaker: `arp`, `ndp`, `bgp`. */
  readonly name: string
  /** `one`: a single elected node speaks for an address. `each`: every eligible node does (ECMP). */
  readonly speakers: 'one' | 'each'
  /** The address families it can announce. */
  readonly families: readonly Family[]
  readonly events: EventEmitter<AnnouncerEvents>
  start(): Promise<void>
  /** Told before the first `announce`, and again whenever something of it has changed; `announce` follows each time. Never throws. */
  configure?(settings: AnnouncerSettings): void
  /** Makes the network see exactly `desired`. Saying it twice changes nothing; saying `[]` withdraws all. Never throws. */
  announce(desired: readonly Advertisement[]): void
  /**
   * This node is leaving, and another one is about to take over: what is announced stays so, answers go on, and nothing is said unasked any
   * more, which would take the addresses back. Closing follows. Never throws.
   */
  retire?(): void
  /** Of everything last desired, in its order. */
  status(): readonly AnnouncementStatus[]
  /** The sessions with neighbours, where it has such; by peer. */
  sessions?(): readonly SessionStatus[]
}

/** `arp({ interfaces: ['eth0'] })` configures; the returned function receives the world. */
export type AnnouncerFactory = (context: AnnouncerContext) => Announcer
