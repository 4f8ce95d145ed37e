import type { L2Advertisement } from '../resources/index.ts'
import type { L2Ad } from './config.ts'
import { compileSelector, compileSelectors } from './selector.ts'
import type { Spot } from './spot.ts'

/** Reads a layer 2 advertisement; which pools it selects is read apart (`selectPools`). */
export function parseL2Advertisement({ metadata, spec }: L2Advertisement, spot: Spot): L2Ad {
  const preferences = spot.at('preferredNodeSelectors')
  return {
    name: metadata.name,
    nodeSelectors: compileSelectors(spec.nodeSelectors, spot.at('nodeSelectors')),
    serviceSelectors: compileSelectors(spec.serviceSelectors, spot.at('serviceSelectors')),
    interfaces: [...new Set(spec.interfaces)],
    preferences: (spec.preferredNodeSelectors ?? []).map(({ weight, preference }, i) => {
      const at = preferences.at(i)
      if (!(Number.isInteger(weight) && weight >= 1 && weight <= 100)) {
        at.at('weight').error(`${weight} is no weight: it must be from 1 to 100`)
      }
      return { weight, selector: compileSelector(preference, at.at('preference')) }
    }),
  }
}
