import * as z from 'zod'
import { agreeing, integer, list, uint32 } from './field.ts'
import { selectors } from './label-selector.ts'

const fields = z
  .object({
    aggregationLength: integer('Length of the IPv4 prefix that is announced for an address.', {
      min: 1,
      format: 'int32',
    }).default(32),
    aggregationLengthV6: integer('Length of the IPv6 prefix that is announced for an address.', {
      format: 'int32',
    }).default(128),
    localPref: uint32('LOCAL_PREF of the routes, for peers in the same AS.').optional(),
    communities: list(
      z.string(),
      'Communities of the routes: 65000:1, large:65000:1:2, or a name from a Community.',
    ).optional(),
    ipAddressPools: list(z.string(), 'Pools to announce, by name.').optional(),
    ipAddressPoolSelectors: selectors(
      'Pools to announce, by label. Without names and selectors: every pool.',
    ).optional(),
    nodeSelectors: selectors('Nodes that announce; empty for every node.').optional(),
    peers: list(z.string(), 'Names of the BGPPeers to announce to; empty for all.').optional(),
    serviceSelectors: selectors('Services to announce, by label; empty for all.').optional(),
  })
  .meta({ description: 'What to announce to BGP peers, and how.' })

/** `spec` of a BGPAdvertisement. */
export const bgpAdvertisementSpec = agreeing(fields, ['unaggregated'])
