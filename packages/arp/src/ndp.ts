import type { Announcer, AnnouncerContext, AnnouncerFactory } from '@carillon/core'
import { Layer2Announcer } from './announcer.ts'
import { hasLinkLocalAddress, unusable } from './eligibility.ts'
import { ndpFilter } from './filter.ts'
import { NdpResponder } from './ndp-responder.ts'
import { type Layer2Options, settle } from './options.ts'
import type { Protocol } from './protocol.ts'
import { etherTypes } from './wire/ethernet.ts'

const protocol: Protocol = {
  name: 'ndp',
  family: 6,
  etherType: etherTypes.ipv6,
  groups: true,
  unusable: (link, settings) =>
    unusable(link, settings) ??
    (hasLinkLocalAddress(link) ? undefined : 'has no usable IPv6 link-local address'),
  filter: ndpFilter,
  responder: world => new NdpResponder(world),
}

/**
 * Announces IPv6 addresses on the local segment: answers neighbour solicitations for them and tells everyone when they have
 * moved here. Throws `BAD_OPTIONS`.
 */
export function ndp(options: Layer2Options = {}): AnnouncerFactory {
  const settings = settle(options)
  return (context: AnnouncerContext): Announcer => new Layer2Announcer(protocol, settings, context)
}
