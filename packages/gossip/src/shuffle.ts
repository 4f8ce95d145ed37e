/** Exchanges two places. */
export function swap<T>(items: T[], i: number, j: number): void {
  const [a, b] = [items[i] as T, items[j] as T]
  items[i] = b
  items[j] = a
}

/** The same array, in random order. */
export function shuffle<T>(items: T[], random: () => number): T[] {
  for (let i = items.length - 1; i > 0; i--) swap(items, i, Math.floor(random() * (i + 1)))
  return items
}
