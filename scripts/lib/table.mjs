/** Rows of text as aligned columns; those numbered in `right` end flush. Columns that are empty throughout are left out. */
export function table(head, rows, right = []) {
  const columns = head.map((_, index) => index).filter(index => rows.some(row => row[index] !== ''))
  const width = index => Math.max(...[head, ...rows].map(row => row[index].length))
  const cell = (row, index) =>
    right.includes(index) ? row[index].padStart(width(index)) : row[index].padEnd(width(index))
  return [head, ...rows]
    .map(row =>
      columns
        .map(index => cell(row, index))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
