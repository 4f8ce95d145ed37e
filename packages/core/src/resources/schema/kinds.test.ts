import fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import type * as z from 'zod'
import { readStructure } from '../read-structure.ts'
import { Report } from '../report.ts'
import type { Structure } from '../structure.ts'
import { structures } from '../structures.generated.ts'
import type {
  BFDProfileSpec,
  BGPAdvertisementSpec,
  BGPPeerSpec,
  BGPPeerV1beta1Spec,
  BGPSessionStateStatus,
  CommunitySpec,
  ConfigurationStateStatus,
  IPAddressPoolSpec,
  IPAddressPoolStatus,
  L2AdvertisementSpec,
  ServiceBGPStatusContent,
  ServiceL2StatusContent,
} from '../types.generated.ts'
import type { bfdProfileSpec } from './bfd-profile.ts'
import type { bgpAdvertisementSpec } from './bgp-advertisement.ts'
import type { bgpPeerSpec, bgpPeerV1beta1Spec } from './bgp-peer.ts'
import type { communitySpec } from './community.ts'
import type { ipAddressPoolSpec, ipAddressPoolStatus } from './ip-address-pool.ts'
import { kinds } from './kinds.ts'
import type { l2AdvertisementSpec } from './l2-advertisement.ts'
import type { bgpSessionStatus, configurationStatus, serviceBgpStatus, serviceL2Status } from './status.ts'

/** A zod output as the generated types write it: read-only, and absent rather than undefined. */
type Written<T> = T extends readonly (infer Item)[]
  ? readonly Written<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Written<Exclude<T[Key], undefined>> }
    : T

/** Values of a shape, one in some dozens of them wrong: beyond a bound, of another type, not of the syntax, missing. */
function values(structure: Structure): fc.Arbitrary<unknown> {
  const mostly = (
    right: fc.Arbitrary<unknown>,
    wrong = fc.constantFrom<unknown>(0, 1.5, true, 'text', [], {}),
  ) => fc.oneof({ weight: 25, arbitrary: right }, { weight: 1, arbitrary: wrong })
  switch (structure.type) {
    case 'boolean':
      return mostly(fc.boolean())
    case 'integer': {
      const { minimum = -5, maximum = 5_000_000_000 } = structure
      const usual = fc.constantFrom(
        ...[1, 32, 100, 128].filter(n => n >= minimum && n <= maximum),
        minimum,
        maximum,
      )
      return mostly(usual, fc.constantFrom<unknown>(minimum - 1, maximum + 1, 1.5, 'text'))
    }
    case 'string': {
      const { enum: words, checks = [] } = structure
      const usual = words ?? (checks.includes('duration') ? ['9s', '2h'] : ['a', ''])
      const wrong = fc.constantFrom<unknown>(
        1,
        'soon',
        '',
        '1500ms',
        '20h',
        'x'.repeat(400),
        'x'.repeat(40_000),
      )
      return mostly(fc.constantFrom(...usual), wrong)
    }
    case 'map':
      return mostly(fc.dictionary(fc.constantFrom('a', 'b/c'), mostly(fc.constant('d'))))
    case 'array':
      return mostly(fc.array(values(structure.items), { maxLength: 2 }))
    case 'object': {
      const fields = Object.entries(structure.properties).map(([name, field]) => [name, values(field)])
      const requiredKeys = structure.required ?? []
      const all = fc.record(Object.fromEntries(fields), { requiredKeys: [...requiredKeys] as never[] })
      return fc.oneof(
        { weight: 20, arbitrary: all },
        { weight: 1, arbitrary: fc.record(Object.fromEntries(fields), { requiredKeys: [] }) },
      )
    }
  }
}

const versions = kinds
  .filter(({ group }) => group === 'metallb.io')
  .flatMap(({ kind, versions }) =>
    versions.flatMap(({ name, spec, status }) => {
      const structure = structures[`metallb.io/${name} ${kind}`]
      return [
        [`${kind} ${name} spec`, spec, structure?.spec],
        [`${kind} ${name} status`, status, structure?.status],
      ] as const
    }),
  )

describe('the generated shape', () => {
  it.each(versions)(
    'of %s admits what the schema admits, and gives the same value',
    (_, schema, structure) => {
      expect(structure === undefined).toBe(schema === undefined)
      if (!schema || !structure) return
      let valid = 0
      let invalid = 0
      fc.assert(
        fc.property(values(structure), value => {
          const report = new Report('', '')
          const read = readStructure(report, structure, value, '')
          const expected = schema.safeParse(value)
          expect(!report.failed).toBe(expected.success)
          if (expected.success) expect(read).toEqual(expected.data)
          expected.success ? valid++ : invalid++
        }),
        { numRuns: 400 },
      )
      expect(valid).toBeGreaterThan(0)
      expect(invalid).toBeGreaterThan(0)
    },
  )
})

describe('the generated types', () => {
  it('are what the schemas give', () => {
    expectTypeOf<Written<z.output<typeof ipAddressPoolSpec>>>().toEqualTypeOf<IPAddressPoolSpec>()
    expectTypeOf<Written<z.output<typeof ipAddressPoolStatus>>>().toEqualTypeOf<IPAddressPoolStatus>()
    expectTypeOf<Written<z.output<typeof l2AdvertisementSpec>>>().toEqualTypeOf<L2AdvertisementSpec>()
    expectTypeOf<Written<z.output<typeof bgpAdvertisementSpec>>>().toEqualTypeOf<BGPAdvertisementSpec>()
    expectTypeOf<Written<z.output<typeof bgpPeerSpec>>>().toEqualTypeOf<BGPPeerSpec>()
    expectTypeOf<Written<z.output<typeof bgpPeerV1beta1Spec>>>().toEqualTypeOf<BGPPeerV1beta1Spec>()
    expectTypeOf<Written<z.output<typeof bfdProfileSpec>>>().toEqualTypeOf<BFDProfileSpec>()
    expectTypeOf<Written<z.output<typeof communitySpec>>>().toEqualTypeOf<CommunitySpec>()
    expectTypeOf<Written<z.output<typeof serviceL2Status>>>().toEqualTypeOf<ServiceL2StatusContent>()
    expectTypeOf<Written<z.output<typeof serviceBgpStatus>>>().toEqualTypeOf<ServiceBGPStatusContent>()
    expectTypeOf<Written<z.output<typeof configurationStatus>>>().toEqualTypeOf<ConfigurationStateStatus>()
    expectTypeOf<Written<z.output<typeof bgpSessionStatus>>>().toEqualTypeOf<BGPSessionStateStatus>()
  })
})
