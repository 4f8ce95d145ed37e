/** Edits (insert, delete, replace, swap neighbours) from one text to the other. */
function distance(a: string, b: string): number {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      let cost = Math.min((last[j] as number) + 1, (row[j - 1] as number) + 1, (last[j - 1] as number) + same)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (before[j - 2] as number) + 1)
      }
      row.push(cost)
    }
    before = last
    last = row
  }
  return last[b.length] as number
}

/** The name that someone who wrote `text` most likely meant, or undefined when none is close. Case does not count. */
export function nearest(text: string, names: Iterable<string>): string | undefined {
  if (text.length > 64) return undefined
  const wanted = text.toLowerCase()
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(text.length / 3)) + 1
  for (const name of names) {
    const edits = distance(wanted, name.toLowerCase())
    if (edits < bestDistance) {
      best = name
      bestDistance = edits
    }
  }
  return best
}
