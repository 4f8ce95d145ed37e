/** How far to look for the place where two lists agree again. */
const lookAhead = 16

/**
 * Reports what differs between two lists that mostly hold the same things in the same order, in time linear in their length
 * and with no memory of its own. What has moved may be reported as removed and added. `kept` is given the place before and after.
 */
export function difference<Item>(
  before: readonly Item[],
  after: readonly Item[],
  removed: (item: Item) => void,
  added: (item: Item) => void,
  kept?: (before: number, after: number) => void,
): void {
  let at = 0
  for (let i = 0; i < after.length; i++) {
    const item = after[i] as Item
    if (at < before.length && before[at] === item) {
      kept?.(at, i)
      at++
      continue
    }
    const end = Math.min(before.length, at + lookAhead)
    let found = at + 1
    while (found < end && before[found] !== item) found++
    if (found < end) {
      while (at < found) removed(before[at++] as Item)
      kept?.(at, i)
      at++
    } else added(item)
  }
  while (at < before.length) removed(before[at++] as Item)
}
