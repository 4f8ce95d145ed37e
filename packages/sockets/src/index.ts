/**
 * Packet sockets, ICMPv6, link events, and TCP and UDP with the options that Node lacks, on Linux.
 *
 * @packageDocumentation
 */
export { codes } from './codes.ts'
export type { ConnectOptions } from './connect.ts'
export type { Icmp6Stats, SystemIcmp6 } from './icmp6.ts'
export { type SystemNetwork, systemNetwork } from './network.ts'
export type { SystemStream } from './stream.ts'
export { setUrgency, type Urgency } from './urgency.ts'
