import type { Announcer, AnnouncerContext, AnnouncerFactory } from '@carillon/core'
import { Layer2Announcer } from './announcer.ts'
import { ArpResponder } from './arp-responder.ts'
import { unusable } from './eligibility.ts'
import { arpFilter } from './filter.ts'
import { type Layer2Options, settle } from './options.ts'
import type { Protocol } from './protocol.ts'
import { etherTypes } from './wire/ethernet.ts'

const protocol: Protocol = {
  name: 'arp',
  family: 4,
  etherType: etherTypes.arp,
  groups: false,
  unusable: (link, settings) => unusable(link, settings) ?? (link.broadcast ? undefined : 'cannot broadcast'),
  filter: arpFilter,
  responder: world => new ArpResponder(world),
}

/**
 * Announces IPv4 addresses on the local segment: answers ARP for them and tells everyone when they have moved here.
 * Throws `BAD_OPTIONS`.
 */
export function arp(options: Layer2Options = {}): AnnouncerFactory {
  const settings = settle(options)
  return (context: AnnouncerContext): Announcer => new Layer2Announcer(protocol, settings, context)
}
