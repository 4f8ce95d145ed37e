import * as z from 'zod'
import { list, text } from './field.ts'

/** `spec` of a Community. */
export const communitySpec = z
  .object({
    communities: list(
      z
        .object({
          name: text('Name by which advertisements refer to the community.').optional(),
          value: text('The community: 65000:1 or large:65000:1:2.').optional(),
        })
        .meta({ description: 'A name for a community.' }),
      'Names for communities.',
    ).optional(),
  })
  .meta({ description: 'Names for BGP communities, to be used in BGPAdvertisements.' })
