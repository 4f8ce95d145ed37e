/** Beyond so many changes, sorting a list anew is cheaper than changing it entry by entry. */
const fewChanges = 64

/** Where the item with this key is in a list sorted by key, or belongs. */
export function placeOf<Item>(list: readonly Item[], keyOf: (item: Item) => string, key: string): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (keyOf(list[middle] as Item) < key) low = middle + 1
    else high = middle
  }
  return low
}

/** A copy of a list sorted by key in which every key of `changes` has its item, or is gone where that is undefined. */
export function patchSorted<Item>(
  list: readonly Item[],
  keyOf: (item: Item) => string,
  changes: ReadonlyMap<string, Item | undefined>,
): readonly Item[] {
  if (changes.size > fewChanges) {
    const next = list.filter(item => !changes.has(keyOf(item)))
    for (const item of changes.values()) if (item !== undefined) next.push(item)
    return next.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  }
  const next = [...list]
  for (const [key, item] of changes) {
    const at = placeOf(next, keyOf, key)
    const there = next[at]
    const present = there !== undefined && keyOf(there) === key ? 1 : 0
    if (item === undefined) next.splice(at, present)
    else next.splice(at, present, item)
  }
  return next
}
