/** What a list lost and gained, by identity. */
export interface Differences<T> {
  readonly out: readonly T[]
  readonly into: readonly T[]
}

/** Compares two versions of a list whose unchanged elements are the same objects. Costs a walk over what the ends have in common. */
export function differences<T>(before: readonly T[], after: readonly T[]): Differences<T> {
  if (before === after) return { out: [], into: [] }
  if (before.length === 0) return { out: [], into: after }
  const least = Math.min(before.length, after.length)
  let head = 0
  while (head < least && before[head] === after[head]) head++
  let tail = 0
  while (tail < least - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++
  const same = before.length === after.length
  const old: T[] = []
  const fresh: T[] = []
  // Where nothing came or went, what did not move need not be looked for elsewhere.
  for (let i = head; i < before.length - tail; i++)
    if (!same || before[i] !== after[i]) old.push(before[i] as T)
  for (let i = head; i < after.length - tail; i++)
    if (!same || before[i] !== after[i]) fresh.push(after[i] as T)
  const had = new Set(old)
  const has = new Set(fresh)
  return { out: old.filter(one => !has.has(one)), into: fresh.filter(one => !had.has(one)) }
}
