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
  // What both ends have in common is nearly everything: the loops over it are kept tight.
  const least = Math.min(before.length, after.length)
  let at = 0
  while (at < least && before[at] === after[at]) at++
  let tail = 0
  while (tail < least - at && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++
  const last = before.length - tail
  for (let i = at; i < after.length - tail; i++) {
    const item = after[i] as Item
    const end = Math.min(last, at + lookAhead)
    let found = at
    while (found < end && before[found] !== item) found++
    if (found < end) {
      while (at < found) removed(before[at++] as Item)
      at++
    } else added(item)
  }
  while (at < last) removed(before[at++] as Item)
}
