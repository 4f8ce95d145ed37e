import type { Clock, Endpoint, Logger, Metrics, Network } from '@carillon/core'
import type { Delegate } from './delegate.ts'
import type { Resolve } from './joiner.ts'
import type { Keyring } from './keyring.ts'
import type { ProfileName, Settings } from './profile.ts'

/** How a member takes part. */
export interface GossipOptions {
  /** Unique in the cluster; in Kubernetes the name of the node. */
  readonly name: string
  /** What it speaks through: `systemNetwork()` of `@carillon/sockets`, or a host of a `MemoryNetwork`. */
  readonly network: Network
  /**
   * Where to listen, for UDP and TCP.
   * @default 0.0.0.0:7946
   */
  readonly bind?: Endpoint
  /**
   * Where others reach us.
   * @default the bind address; where that is 0.0.0.0 or ::, the first global address of an interface that is up
   */
  readonly advertise?: Partial<Endpoint>
  /** Members to join: `address`, `address:port`, `[address]:port`, `name`, `name:port`. Tried again and again until they are members. */
  readonly join?: readonly string[]
  /**
   * @default 'fast'
   */
  readonly profile?: ProfileName
  /** What is to be different from the profile. */
  readonly settings?: Partial<Settings>
  /** Keys for encryption; absent or empty: none. Keys may be added and removed while it runs. */
  readonly keyring?: Keyring
  /** Clusters of different labels do not hear each other. */
  readonly label?: string
  /**
   * With keys: refuse what comes in the clear.
   * @default true
   */
  readonly verifyIncoming?: boolean
  /**
   * With keys: encrypt what we send.
   * @default true
   */
  readonly verifyOutgoing?: boolean
  /** Up to 512 bytes that every member sees of us. */
  readonly meta?: Uint8Array
  readonly delegate?: Delegate
  /**
   * Version of the delegate protocol: lowest and highest understood, and spoken. Serf wants 2, 5, 5.
   * @default 0, 0, 0
   */
  readonly delegateVersions?: readonly [min: number, max: number, current: number]
  readonly clock?: Clock
  /** 0 <= x < 1 */
  readonly random?: () => number
  readonly log?: Logger
  readonly metrics?: Metrics
  /** Finds the addresses of host names in the join list. */
  readonly resolve?: Resolve
}
