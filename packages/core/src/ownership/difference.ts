/** How far to look for the place where two lists agree again. */
const lookAhead = 16

/**
 * Reports what differs between two lists that mostly hold the same things in the same order, in time linear
 * in their length and with no memory of its own. What has moved may be reported as removed and added.
 */
export function difference<Item>(
  before: readonly Item[],
  after: readonly Item[],
  removed: (item: Item) => void,
  added: (item: Item) => void,
): void {
  let at = 0
  for (const item of after) {
    if (at < before.length && before[at] === item) {
      at++
      continue
    }
    const end = Math.min(before.length, at + lookAhead)
    let found = at + 1
    while (found < end && before[found] !== item) found++
    if (found < end) {
      while (at < found) removed(before[at++] as Item)
      at++
    } else added(item)
  }
  while (at < before.length) removed(before[at++] as Item)
}
