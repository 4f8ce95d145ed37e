import type { NodeAddress } from './node-address.ts'
import type { Ping } from './wire/index.ts'

/** What the brain asks of the network. Nothing here throws or rejects: what cannot be done counts as not answered. */
export interface Outlet {
  /** One datagram; `parts` are encoded messages. */
  packet(to: NodeAddress, parts: readonly Uint8Array[], checksum: boolean): void
  /** Bytes that broadcasts may take beside a message of `carrier` bytes, or in a packet of their own. */
  room(carrier?: number): number
  /** Pings over a stream; false when no ack came in time. */
  streamPing(to: NodeAddress, ping: Ping, timeoutMs: number): Promise<boolean>
}
