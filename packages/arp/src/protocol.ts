import type { AddressBytes, BpfInstruction, Family, Link } from '@carillon/core'
import type { Layer2Settings } from './options.ts'
import type { Responder, ResponderWorld } from './responder.ts'

/** What tells ARP and NDP apart; everything else about announcing on a segment is the same for both. */
export interface Protocol {
  readonly name: 'arp' | 'ndp'
  readonly family: Family
  readonly etherType: number
  /** Whether addresses are asked for on solicited-node groups that have to be joined. */
  readonly groups: boolean
  /** Why it cannot be spoken on an interface, in words that go on after its name; undefined when it can. */
  unusable(link: Link, settings: Layer2Settings): string | undefined
  /** The frames that are of interest while these addresses are ours. */
  filter(addresses: readonly AddressBytes[]): readonly BpfInstruction[]
  responder(world: ResponderWorld): Responder
}
