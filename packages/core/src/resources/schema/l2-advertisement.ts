import * as z from 'zod'
import { integer, list } from './field.ts'
import { labelSelector, selectors } from './label-selector.ts'

const preferredNode = z
  .object({
    weight: integer('Added to the score of the nodes that match.', { min: 1, max: 100, format: 'int32' }),
    preference: labelSelector.meta({
      description: 'Nodes that are preferred; an empty selector matches every node.',
    }),
  })
  .meta({ description: 'A wish about the node that announces.' })

/** `spec` of an L2Advertisement. */
export const l2AdvertisementSpec = z
  .object({
    ipAddressPools: list(z.string(), 'Pools to announce, by name.').optional(),
    ipAddressPoolSelectors: selectors(
      'Pools to announce, by label. Without names and selectors: every pool.',
    ).optional(),
    nodeSelectors: selectors('Nodes that may announce; empty for every node.').optional(),
    interfaces: list(z.string(), 'Names of the interfaces to announce on; empty for all.').optional(),
    serviceSelectors: selectors('Services to announce, by label; empty for all.').optional(),
    preferredNodeSelectors: list(
      preferredNode,
      'Nodes that should announce when they can; the highest sum of weights wins.',
    ).optional(),
  })
  .meta({ description: 'What to announce on the local segment, and from where.' })
