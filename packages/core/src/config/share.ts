import type { Config, Selector } from './config.ts'

const isSelector = (value: object): value is Selector =>
  'matches' in value && typeof value.matches === 'function'

/** Equal in content; selectors are when their texts are. */
function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (isSelector(a) && isSelector(b)) return a.text === b.text
  if ((a instanceof Set && b instanceof Set) || (a instanceof Map && b instanceof Map)) {
    return equal([...a], [...b])
  }
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  return keys.every(
    key => Object.hasOwn(b, key) && equal(a[key as keyof typeof a], (b as Record<string, unknown>)[key]),
  )
}

function shareList<T extends { readonly name: string }>(
  before: readonly T[],
  now: readonly T[],
): readonly T[] {
  const known = new Map(before.map(item => [item.name, item]))
  const list = now.map(item => {
    const same = known.get(item.name)
    return same && equal(same, item) ? same : item
  })
  return list.length === before.length && list.every((item, i) => item === before[i]) ? before : list
}

/** `now`, in which whatever is as it was in `before` is the very same object; `before` itself when nothing is different. */
export function shareConfig(before: Config, now: Config): Config {
  const pools = shareList(before.pools, now.pools)
  const peers = shareList(before.peers, now.peers)
  const bfdProfiles = equal(before.bfdProfiles, now.bfdProfiles) ? before.bfdProfiles : now.bfdProfiles
  const same = pools === before.pools && peers === before.peers && bfdProfiles === before.bfdProfiles
  return same ? before : { pools, peers, bfdProfiles }
}
