/** An inclusive range of unsigned 32-bit numbers. */
export interface Range {
  readonly first: number
  readonly last: number
}

/** The fewest ranges that hold exactly these numbers, in order. */
export function toRanges(values: Iterable<number>): Range[] {
  const ranges: { first: number; last: number }[] = []
  for (const value of [...new Set(values)].sort((a, b) => a - b)) {
    const open = ranges.at(-1)
    if (open && value === open.last + 1) open.last = value
    else ranges.push({ first: value, last: value })
  }
  return ranges
}

/** At most `limit` ranges that hold at least what `ranges` (in order) hold: those nearest to each other are merged. */
export function mergeNearest(ranges: readonly Range[], limit: number): readonly Range[] {
  if (ranges.length <= limit) return ranges
  const gaps = ranges
    .slice(1)
    .map((range, i) => ({ at: i + 1, width: range.first - (ranges[i] as Range).last }))
  const splits = gaps.sort((a, b) => b.width - a.width || a.at - b.at).slice(0, limit - 1)
  const starts = [0, ...splits.map(gap => gap.at).sort((a, b) => a - b)]
  return starts.map((start, i) => ({
    first: (ranges[start] as Range).first,
    last: (ranges[(starts[i + 1] ?? ranges.length) - 1] as Range).last,
  }))
}
