import type { Community } from '../resources/index.ts'
import { canonicalCommunity, wellKnownCommunities } from './community.ts'
import type { Spot } from './spot.ts'

/**
 * Reads what Community objects, given in name order, call communities. A name may be defined once over all of them. A
 * name whose value is no community maps to undefined.
 */
export function parseCommunityAliases(
  communities: readonly Community[],
  spotOf: (community: Community) => Spot,
): ReadonlyMap<string, string | undefined> {
  const aliases = new Map<string, string | undefined>()
  const definedAt = new Map<string, string>()
  for (const community of communities) {
    const list = spotOf(community).at('spec').at('communities')
    for (const [i, { name = '', value = '' }] of (community.spec.communities ?? []).entries()) {
      const spot = list.at(i)
      const canonical = canonicalCommunity(value)
      if (canonical === undefined) {
        const hint = wellKnownCommunities.get(value)
        const advice = hint ? `write ${hint}` : 'write 65000:1 (two numbers up to 65535) or large:65000:1:2'
        spot.at('value').error(`"${value}" is not a community: ${advice}`)
      }
      const earlier = definedAt.get(name)
      if (earlier !== undefined) {
        spot.at('name').error(`"${name}" is defined already by ${earlier}: remove or rename one of them`)
        continue
      }
      definedAt.set(name, `Community "${community.metadata.name}" (${spot.field})`)
      aliases.set(name, canonical)
    }
  }
  return aliases
}
