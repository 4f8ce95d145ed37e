/**
 * Announces addresses on the local segment: ARP for IPv4, NDP for IPv6.
 *
 * @example
 * ```ts
 * const announcer = arp({ interfaces: ['eth0'] })({ node: 'node-a', clock: systemClock, network: systemNetwork(), log, metrics, random: Math.random })
 * await announcer.start()
 * announcer.announce([{ address: '192.168.1.240', services: ['default/web'], options: { interfaces: 'all' } }])
 * ```
 *
 * @packageDocumentation
 */
export { arp } from './arp.ts'
export { codes } from './codes.ts'
export { type DropReason, dropReasons, metricNames } from './counters.ts'
export { arpFilter, ndpFilter } from './filter.ts'
export { ndp } from './ndp.ts'
export { defaultExcludedInterfaces, defaultOptions, type Layer2Options } from './options.ts'
export { type ArpPacket, type ArpParty, arpOperations, decodeArp, encodeArp } from './wire/arp.ts'
export {
  broadcastMac,
  decodeEthernet,
  type EthernetFrame,
  encodeEthernet,
  etherTypes,
} from './wire/ethernet.ts'
export { icmp6Checksum } from './wire/icmp6.ts'
export { decodeIpv6, encodeIpv6, type Ipv6Packet } from './wire/ipv6.ts'
export {
  allNodes,
  decodeNdp,
  encodeNdp,
  multicastMac,
  type NdpOption,
  type NeighborAdvertisement,
  type NeighborMessage,
  type NeighborSolicitation,
  ndpTypes,
  solicitedNodeGroup,
} from './wire/ndp.ts'
