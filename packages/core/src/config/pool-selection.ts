import type { LabelSelector } from '../resources/index.ts'
import { missing } from './missing.ts'
import type { PlainPool } from './parse-pools.ts'
import { compileSelectors } from './selector.ts'
import { refuseDuplicates, type Spot } from './spot.ts'

/**
 * The pools that an advertisement selects, in name order: those it names and those its selectors match, each once; all
 * when it says neither. A name that does not exist is a warning, as it can be created later.
 */
export function selectPools(
  spec: {
    readonly ipAddressPools?: readonly string[] | undefined
    readonly ipAddressPoolSelectors?: readonly LabelSelector[] | undefined
  },
  pools: readonly PlainPool[],
  isKnown: (pool: string) => boolean,
  spot: Spot,
): readonly PlainPool[] {
  const names = spec.ipAddressPools ?? []
  refuseDuplicates(names, spot.at('ipAddressPools'))
  for (const [i, name] of names.entries()) {
    if (!isKnown(name)) {
      spot
        .at('ipAddressPools')
        .at(i)
        .warning(
          `${missing(
            'IPAddressPool',
            name,
            pools.map(pool => pool.name),
          )}: create it, or remove the name`,
        )
    }
  }
  const selectors = compileSelectors(spec.ipAddressPoolSelectors, spot.at('ipAddressPoolSelectors'))
  if (names.length === 0 && selectors.length === 0) return pools
  const named = new Set(names)
  return pools.filter(
    pool => named.has(pool.name) || selectors.some(selector => selector.matches(pool.labels)),
  )
}
